package platform

import (
	"strings"
	"testing"
	"time"

	"recsys/infra/local/aws/eventsource"
	"recsys/infra/local/testbed"
)

// Records that lie on the stream when everything stops are answered after the next start, and answered ones are not
// again.
func TestTheStreamOutlivesAStop(t *testing.T) {
	t.Parallel()
	state := testbed.TempDir(t)
	onState := func(c *Config) { c.StateDir, c.Options = state, options(t, map[string]string{"batchSize": "1"}) }
	since := time.Now()
	put := func(p *Platform, records int) []string {
		t.Helper()
		record := `{"session_id":"a","customer_number":103,"city":"Nantes","country":"France","credit_limit":1,"browse_history":[]}`
		events, err := p.PutRecords(t.Context(), strings.NewReader(strings.Repeat(record+"\n", records)))
		if err != nil {
			t.Fatal(err)
		}
		return events
	}
	first := startPlatform(t, onState)
	answered := put(first, 2)
	if _, _, err := first.Answers(t.Context(), answered, since, func(int) {}); err != nil {
		t.Fatal(err)
	}
	done := func(records int) func(eventsource.Stats) bool {
		return func(s eventsource.Stats) bool { return s.Succeeded >= records }
	}
	wait(t, first, done(2))
	if err := first.Mapping.Close(); err != nil {
		t.Fatal(err)
	}
	left := put(first, 3)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := startPlatform(t, onState)
	if _, _, err := second.Answers(t.Context(), left, since, func(int) {}); err != nil {
		t.Fatal(err)
	}
	wait(t, second, done(3))
	if stats := second.Mapping.Stats(); stats.Succeeded != len(left) || stats.Invocations != len(left) {
		t.Errorf("%d records were answered after the start in %d calls, want %d one by one", stats.Succeeded, stats.Invocations, len(left))
	}
}
