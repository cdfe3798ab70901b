package platform

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/eventsource"
	"recsys/infra/local/aws/firehose"
	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/testbed"
	"recsys/shared/contract/lake"
)

// Servers go away and come back: no record is lost, the shard goes on where it was, and the workflow's retries find
// the source again.
func TestOutages(t *testing.T) {
	t.Parallel()
	p := startPlatform(t, func(c *Config) { c.SourceSQL = []string{looseShop(t, called("a"))} })
	h := newHandOver("a", 16, 1)
	activates(t, p, "first", 0, h.files, 1)
	t.Run("PostgreSQL stops", func(t *testing.T) { postgresStops(t, p, h, p.Postgres.Pause) })
	t.Run("PostgreSQL crashes", func(t *testing.T) { postgresStops(t, p, h, p.Postgres.Kill) })
	t.Run("Firehose throttles", func(t *testing.T) { firehoseThrottles(t, p, h) })
	t.Run("Firehose fails in part", func(t *testing.T) { firehoseFailsInPart(t, p, h) })
	t.Run("Firehose refuses one record for long", func(t *testing.T) { firehoseRefusesOne(t, p, h) })
	t.Run("S3 takes no rejections", func(t *testing.T) { rejectionsFail(t, p, h) })
	t.Run("MySQL stops during extract", func(t *testing.T) { mysqlStops(t, p) })
}

// wantAnswered wants each line to be the version's answer to its customer.
func wantAnswered(t *testing.T, lines []line, h handOver) {
	t.Helper()
	for _, l := range lines {
		customer, err := strconv.ParseInt(l.Member("customer_number"), 10, 64)
		if err != nil || !sameList(l.Recommended, h.nearest(customer)) || l.Recommendation.ModelVersion != 1 {
			t.Fatalf("answered with %+v, want %v", l.Answer, h.nearest(customer))
		}
	}
}

// retried waits until the function was invoked so many times more than before without getting anything done.
func retried(t *testing.T, p *Platform, before eventsource.Stats, invocations int) {
	t.Helper()
	wait(t, p, func(now eventsource.Stats) bool { return now.Invocations >= before.Invocations+invocations })
}

// While the database is away nothing is answered. Afterwards everything is, in order.
func postgresStops(t *testing.T, p *Platform, h handOver, away func() error) {
	before := p.Mapping.Stats()
	stop := load(t, p)
	answeredMore(t, p, 50)
	if err := away(); err != nil {
		t.Fatal(err)
	}
	down := p.Mapping.Stats()
	retried(t, p, down, 3)
	// At most the batch that was under way when the server stopped was done since.
	if now := p.Mapping.Stats(); now.Succeeded > down.Succeeded+100 || now.Discarded > 0 {
		t.Errorf("without a database: %+v, before %+v", now, down)
	}
	if err := p.Postgres.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	answeredMore(t, p, 50)
	events, err := stop()
	if err != nil {
		t.Fatal(err)
	}
	settled(t, p, before, len(events))
	wantCalm(t, p, before)
	lines := delivered(t, p, events)
	if got := withoutRepeats(eventsOf(lines)); !slices.Equal(got, events) {
		t.Errorf("%d answers to %d records, or in another order", len(got), len(events))
	}
	wantAnswered(t, lines, h)
}

// Seven whole calls in a row fail: more than one invocation tries.
func firehoseThrottles(t *testing.T, p *Platform, h handOver) {
	var left, refused atomic.Int64
	left.Store(7)
	p.Firehose.SetFaults(firehose.Faults{Throttle: func(string) bool {
		throttle := left.Add(-1) >= 0
		if throttle {
			refused.Add(1)
		}
		return throttle
	}})
	before := p.Mapping.Stats()
	events := put(t, p, visits(250)...)
	settled(t, p, before, len(events))
	p.Firehose.SetFaults(firehose.Faults{})
	wantCalm(t, p, before)
	lines := delivered(t, p, events)
	if got := withoutRepeats(eventsOf(lines)); !slices.Equal(got, events) || refused.Load() != 7 {
		t.Errorf("%d answers to %d records, or in another order; %d calls were refused", len(got), len(events), refused.Load())
	}
	wantAnswered(t, lines, h)
}

// Every third record of a call fails at first. It follows behind its call, and in front of the next one's records.
func firehoseFailsInPart(t *testing.T, p *Platform, h handOver) {
	var mu sync.Mutex
	failed := map[string]bool{} // events that failed once
	p.Firehose.SetFaults(firehose.Faults{Fail: func(_ string, batch [][]byte) (indices []int) {
		mu.Lock()
		defer mu.Unlock()
		for i := 0; i < len(batch); i += 3 {
			if event := eventOf(batch[i]); !failed[event] {
				failed[event] = true
				indices = append(indices, i)
			}
		}
		return indices
	}})
	before := p.Mapping.Stats()
	events := put(t, p, visits(300)...)
	settled(t, p, before, len(events))
	p.Firehose.SetFaults(firehose.Faults{})
	wantCalm(t, p, before)
	lines := delivered(t, p, events)
	got := withoutRepeats(eventsOf(lines))
	if len(got) != len(events) || len(failed) < 100 {
		t.Errorf("%d answers to %d records, of which %d failed at first", len(got), len(events), len(failed))
	}
	untouched := func(events []string) []string {
		return slices.DeleteFunc(slices.Clone(events), func(event string) bool { return failed[event] })
	}
	if !slices.Equal(untouched(got), untouched(events)) {
		t.Error("the records that did not fail are in another order")
	}
	wantAnswered(t, lines, h)
}

func eventOf(line []byte) string {
	var answer Answer
	_ = json.Unmarshal(line, &answer) // an event that is none is no event of the test
	return answer.Recommendation.EventID
}

// One record fails more often than an invocation tries. It is given again, with all after it: those after it that were
// taken already go out once more than those before it, and say the same.
func firehoseRefusesOne(t *testing.T, p *Platform, h handOver) {
	const bad = 7
	var refused atomic.Int64
	p.Firehose.SetFaults(firehose.Faults{Fail: func(_ string, batch [][]byte) (indices []int) {
		for i := range batch {
			if strings.Contains(string(batch[i]), `"refuse":true`) && refused.Add(1) <= 7 {
				indices = append(indices, i)
			}
		}
		return indices
	}})
	records := visits(20)
	records[bad] = strings.Replace(records[bad], "{", `{"refuse":true,`, 1)
	before := p.Mapping.Stats()
	events := put(t, p, records...)
	settled(t, p, before, len(events))
	p.Firehose.SetFaults(firehose.Faults{})
	wantCalm(t, p, before)
	lines := delivered(t, p, events)
	times, said := map[string]int{}, map[string]string{}
	for _, l := range lines {
		event := l.Recommendation.EventID
		if times[event]++; times[event] > 1 && said[event] != l.lists() {
			t.Errorf("%s is answered with\n%s\nand then with\n%s", event, said[event], l.lists())
		}
		said[event] = l.lists()
	}
	for i, event := range events {
		if last := times[events[len(events)-1]]; times[event] == 0 || i <= bad && times[event] >= last {
			t.Errorf("record %d was answered %d times, the last one %d times", i, times[event], last)
		}
	}
	if refused.Load() < 7 {
		t.Errorf("refused %d times", refused.Load())
	}
	wantAnswered(t, lines, h)
}

// The record that cannot be answered cannot be stored either, for longer than an invocation tries (three times): it
// keeps its place in the order.
func rejectionsFail(t *testing.T, p *Platform, h handOver) {
	var dropped atomic.Int64
	p.S3.SetHooks(awscall.Hooks{Before: func(call awscall.Call) error {
		if strings.HasPrefix(call.Key, "rejected/") && dropped.Add(1) <= 4 {
			return errors.New("away")
		}
		return nil
	}})
	records := visits(20)
	records[9] = "no JSON"
	before := p.Mapping.Stats()
	events := put(t, p, records...)
	settled(t, p, before, len(events))
	p.S3.SetHooks(awscall.Hooks{})
	wantCalm(t, p, before)
	wantRejected(t, p, events[9], "no JSON", "not JSON")
	lines := delivered(t, p, events)
	if got := withoutRepeats(eventsOf(lines)); !slices.Equal(got, slices.Delete(slices.Clone(events), 9, 10)) || dropped.Load() != 5 {
		t.Errorf("delivered %d, or in another order; %d puts were dropped", len(got), dropped.Load()-1)
	}
	wantAnswered(t, lines, h)
}

// The source crashes when the first range's ratings are extracted, and is back before the retries are used up.
func mysqlStops(t *testing.T, p *Platform) {
	var crash, back sync.Once
	crashed, restarted := make(chan error, 1), make(chan error, 1)
	p.S3.SetHooks(awscall.Hooks{Before: func(call awscall.Call) error {
		if call.Key == lake.RawKey("patient", "ratings", 0) {
			crash.Do(func() { crashed <- p.MySQL.Kill() })
		}
		return nil
	}})
	interval := p.retryInterval
	pause := 5 * time.Second // eight retries make forty seconds, of which MySQL takes one to recover
	p.retryInterval = &pause
	defer func() { p.retryInterval = interval; p.S3.SetHooks(awscall.Hooks{}) }()
	var errorsSeen []string
	ctx, cancel := context.WithTimeout(t.Context(), testbed.Patience)
	defer cancel()
	output, err := p.Execute(ctx, stepfunctions.Execution{
		Name: "patient", StartTime: began.Add(time.Hour), Input: json.RawMessage(trainingData),
		OnEvent: func(event stepfunctions.Event) {
			if event.State == "Extract" && event.Type == "StateRetried" {
				back.Do(func() { restarted <- p.MySQL.Restart(ctx) })
			}
			if event.State == "Extract" && event.Error != "" {
				errorsSeen = append(errorsSeen, event.Type+" "+event.Error)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(crashed) != 1 || len(restarted) != 1 || !slices.Contains(errorsSeen, "StateFailed SourceUnavailable") {
		t.Fatalf("the source crashed %d times and came back %d times; extract failed with %v", len(crashed), len(restarted), errorsSeen)
	}
	if err := errors.Join(<-crashed, <-restarted); err != nil {
		t.Fatal(err)
	}
	var out outcome
	if err := json.Unmarshal(output, &out); err != nil {
		t.Fatal(err)
	}
	if got := out.TrainingData; got.Status != "published" || got.Rows != looseRatings || got.Partitions != looseCustomers {
		t.Errorf("published %+v", got)
	}
}
