package platform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/sample"
	"recsys/shared/contract/lake"
	"recsys/shared/stream/unpack/unpacktest"
)

// The shard moves on past any record. A record is answered, or stored with the reason why not, and the good ones
// around it are answered in their order.
func TestBadRecords(t *testing.T) {
	t.Parallel()
	p := startPlatform(t, func(c *Config) {
		c.SourceSQL = []string{looseShop(t, sampleItems(t))}
		c.Options.HandOver.ModelCheck = "report" // the shop's customers are not the model's
	})
	upload(t, p, sample.Artifacts())
	if out, failed := execute(t, p, "first", 0, `{}`); failed != nil || out.Embeddings.Index.Version != 1 {
		t.Fatalf("%+v, %v", out, failed)
	}
	const here = `"city":"Sapporo","country":"Japan","credit_limit":74600`
	cases := []struct{ name, record, strategy, rejected string }{
		{"good", `{"session_id":"a","customer_number":353,` + here + `,"browse_history":[{"product_code":"T72_4544","quantity":1,"in_shopping_cart":true}]}`, "model", ""},
		{"not JSON", `{"session_id":"a",`, "", "not JSON"},
		{"empty object", `{}`, "", "neither session_id nor customer_number"},
		{"a list", `[1,2]`, "", "a list: want an object"},
		{"not UTF-8", "{\"session_id\":\"\xff\"}", "", "not UTF-8"},
		{"no history, nothing known", `{"session_id":"b"}`, "popular", ""},
		{"history null", `{"session_id":"c","customer_number":104,"browse_history":null}`, "stored-vector", ""},
		{"history empty", `{"session_id":"d","customer_number":104,"browse_history":[]}`, "stored-vector", ""},
		{"history a string", `{"session_id":"d","browse_history":"T72_4544"}`, "", "browse_history: a string: want a list"},
		{"history of strings", `{"session_id":"d","browse_history":["T72_4544"]}`, "", "browse_history: an entry is a string"},
		{"quantity a string", `{"session_id":"e","browse_history":[{"product_code":"T72_4544","quantity":"6"}]}`, "history", ""},
		{"quantity a number", `{"session_id":"f","browse_history":[{"product_code":"T72_4544","quantity":6}]}`, "history", ""},
		{"unknown customer", `{"session_id":"g","customer_number":987654321,"browse_history":[]}`, "popular", ""},
		{"customer beyond 32 bits", `{"session_id":"g","customer_number":4294967400}`, "popular", ""},
		{"customer a word", `{"session_id":"g","customer_number":"Nantes"}`, "", "customer_number: a string that holds no whole number"},
		{"unknown product", `{"session_id":"h","browse_history":[{"product_code":"none","quantity":1}]}`, "popular", ""},
		{"unknown city and country", `{"session_id":"i","city":"Atlantis","country":"Nowhere","credit_limit":"1"}`, "model", ""},
		{"one MiB", sized(1<<20 - 40), "", "bytes, and Firehose's stream recommendations takes 1024000"},
		{"almost too large", sized(1_000<<10 - 2_000), "popular", ""},
		{"good at the end", `{"session_id":"z","customer_number":353,` + here + `}`, "model", ""},
	}
	records := make([]string, len(cases))
	for i, c := range cases {
		records[i] = c.record
	}
	before := p.Mapping.Stats()
	events := put(t, p, records...)
	settled(t, p, before, len(events))
	wantCalm(t, p, before)

	lines := delivered(t, p, events)
	answers := map[string]line{}
	for _, l := range lines {
		answers[l.Recommendation.EventID] = l
	}
	var answered []string
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.rejected != "" {
				wantRejected(t, p, events[i], c.record, c.rejected)
				return
			}
			answered = append(answered, events[i])
			answer := answers[events[i]]
			if string(answer.Recommendation.Strategy) != c.strategy || len(answer.Recommended) != 5 || answer.Recommendation.ModelVersion != 1 {
				t.Errorf("answered with %+v, want 5 items by %s", answer.Answer, c.strategy)
			}
			if own := strings.TrimSuffix(c.record, "}"); !strings.HasPrefix(answer.text, own) {
				t.Errorf("the answer does not begin with the record")
			}
		})
	}
	if got := eventsOf(lines); !slices.Equal(got, answered) {
		t.Errorf("delivered in the order\n%v\nwant\n%v", got, answered)
	}
	if a, b := answers[events[10]], answers[events[11]]; a.lists() != b.lists() {
		t.Errorf("the quantity's type makes a difference:\n%s\n%s", a.lists(), b.lists())
	}
	if got := ask(t, p, cases[0].record); got[0].Recommendation.Strategy != "model" {
		t.Errorf("the shard does not move on: %+v", got)
	}
	wantPacked(t, p, cases[0].record)
}

// wantPacked wants an answer or a rejection for each record that a producer packs into one Kinesis record.
func wantPacked(t *testing.T, p *Platform, good string) {
	t.Helper()
	lines := good + "\r\n\r\n{}\r\n"
	packed := unpacktest.Aggregate("k", good, "not JSON", lines, string(unpacktest.Gzip(lines, good)))
	since, before := time.Now(), p.Mapping.Stats()
	events, err := p.PutRecords(t.Context(), bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	settled(t, p, before, 1)
	if err := p.Firehose.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	answers, _, err := p.Answers(t.Context(), events, since, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, answer := range answers {
		got = append(got, string(answer.Recommendation.Strategy)+answer.Rejected)
	}
	const unnamed = "neither session_id nor customer_number: nobody could use the answer"
	if want := []string{"model", "not JSON at byte 2", "model", unnamed, "model", unnamed, "model"}; !slices.Equal(got, want) {
		t.Errorf("the packed records ended as %q, want %q", got, want)
	}
}

// sized is a good record of so many bytes.
func sized(bytes int) string {
	const record = `{"session_id":"large","browse_history":[],"note":"%s"}`
	return fmt.Sprintf(record, strings.Repeat("x", bytes-len(record)+2))
}

// wantRejected wants the record stored as it came, with the reason, under its place in the stream.
func wantRejected(t *testing.T, p *Platform, event, record, reason string) {
	t.Helper()
	shard, sequence, _ := strings.Cut(event, ":")
	var stored struct {
		EventID string `json:"event_id"`
		Reason  string `json:"reason"`
		Payload string `json:"payload"`
		Raw     []byte `json:"payload_base64"`
	}
	content, _, err := p.Store(RecommendationsBucket).Get(t.Context(), lake.RejectedKey(shard, sequence), 8<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &stored); err != nil {
		t.Fatal(err)
	}
	if stored.EventID != event || !strings.Contains(stored.Reason, reason) || stored.Payload+string(stored.Raw) != record {
		t.Errorf("stored under %s for %q with %d bytes; want %s, %q, %d bytes", stored.EventID, stored.Reason,
			len(stored.Payload)+len(stored.Raw), event, reason, len(record))
	}
}
