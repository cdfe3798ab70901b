package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/distance"
	"recsys/shared/stream/activity"
)

func TestStrategies(t *testing.T) {
	t.Run("in memory", func(t *testing.T) { testStrategies(t, setup(t)) })
	t.Run("by the index", func(t *testing.T) { testStrategies(t, setup(t, byIndex)) })
}

func testStrategies(t *testing.T, w *world) {
	number := w.load(versiontest.Small())
	for _, c := range []struct {
		name, in, strategy, recommended, similarTo, similar string
	}{
		{"stored vector", `{"session_id":"s","customer_number":103}`, "stored-vector", "item-010 item-009 item-011 item-008 item-012", "", ""},
		{"unknown customer, history", `{"session_id":"s","customer_number":999,"browse_history":[{"product_code":"item-020"},{"product_code":"item-022"},{"product_code":"item-020"}]}`,
			"history", "item-021 item-019 item-023 item-018 item-024", "item-020", "item-019 item-021 item-018 item-023 item-017"},
		{"towards the session", `{"customer_number":103,"browse_history":[{"product_code":"item-020"},{"product_code":"unknown","quantity":9,"in_shopping_cart":true},{"product_code":"item-030","quantity":"3"}]}`,
			"stored-vector", "item-015 item-014 item-016 item-013 item-017", "item-030", "item-029 item-031 item-028 item-032 item-027"},
		{"unknown products, a known country", `{"customer_number":999,"country":" Norway ","browse_history":[{"product_code":"nothing"}]}`,
			"popular-in-country", "item-050 item-051 item-001 item-002 item-003", "", ""},
		{"nothing known", `{"session_id":"s"}`, "popular", "item-001 item-002 item-003 item-050 item-051", "", ""},
		{"an unknown country", `{"customer_number":5000000000,"country":"Atlantis"}`, "popular", "item-001 item-002 item-003 item-050 item-051", "", ""},
		{"a mean of zero", `{"customer_number":1,"browse_history":[{"product_code":"item-000"},{"product_code":"item-050"}]}`,
			"popular|history", "", "item-050", "item-049 item-051 item-048 item-052 item-053"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if notDone := w.handle(c.in); notDone != "" {
				t.Fatal("not done")
			}
			outputs := w.delivered()
			if len(outputs) != 1 {
				t.Fatalf("%d answers", len(outputs))
			}
			o := outputs[0]
			if !strings.Contains(c.strategy, o.Recommendation.Strategy) || o.Recommendation.ModelVersion != number {
				t.Errorf("recommendation %+v", o.Recommendation)
			}
			if c.recommended != "" && !sameItems(o.ids(), c.recommended) {
				t.Errorf("recommended %v", o.ids())
			}
			if c.similarTo == "" {
				if o.Similar.ProductCode != nil || len(o.Similar.Items) != 0 {
					t.Errorf("similar %+v", o.Similar)
				}
			} else if o.Similar.ProductCode == nil || *o.Similar.ProductCode != c.similarTo || !sameItems(o.similarIDs(), c.similar) {
				t.Errorf("similar %+v, want those of %s", o.Similar, c.similarTo)
			}
			if !slices.IsSortedFunc(o.Recommended, func(a, b scored) int {
				return int(b.Score*1e9 - a.Score*1e9)
			}) {
				t.Errorf("scores do not fall: %+v", o.Recommended)
			}
		})
	}
}

// sameItems compares without the order of the two neighbours at the same distance.
func sameItems(got []string, want string) bool {
	wanted := strings.Fields(want)
	if len(got) != len(wanted) || len(got) > 0 && strings.HasPrefix(want, "item-0") && len(wanted) > 2 && got[0] != wanted[0] && got[0] != wanted[1] {
		return false
	}
	for _, id := range wanted[:max(len(wanted)-1, 0)] {
		if !slices.Contains(got, id) {
			return false
		}
	}
	return true
}

func TestEmptyDatabase(t *testing.T) {
	w := setup(t)
	if notDone := w.handle(`{"session_id":"s","customer_number":103}`); notDone != "" {
		t.Fatal("not done")
	}
	o := w.delivered()[0]
	if o.Recommendation.Strategy != string(activity.None) || o.Recommendation.ModelVersion != 0 || o.Recommended == nil || len(o.Recommended) != 0 {
		t.Errorf("answer %+v", o)
	}
}

func TestMetrics(t *testing.T) {
	w := setup(t)
	for _, metric := range []distance.Metric{distance.InnerProduct, distance.L2} {
		v := versiontest.Small()
		v.Metric = metric
		w.load(v)
		w.handle(`{"customer_number":103}`)
		o := w.delivered()[0]
		if !sameItems(o.ids(), "item-010 item-009 item-011 item-008 item-012") || o.Recommended[0].Score < 0.999 {
			t.Errorf("%s: %+v", metric, o.Recommended)
		}
	}
}

// TestBadRecords: each is answered or rejected with a reason, the good ones in the order of the batch.
func TestBadRecords(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.load(versiontest.Small())
	megabyte := `{"session_id":"large","customer_number":103,"x":"` + strings.Repeat("x", 1<<20-60) + `"}`
	records := []struct{ in, reason string }{
		{`{"session_id":"0","customer_number":103}`, ""},
		{`not json`, "not JSON at byte 2"},
		{`{}`, "neither session_id nor customer_number: nobody could use the answer"},
		{`{"session_id":"3","customer_number":103,"browse_history":null}`, ""},
		{`{"session_id":"4","customer_number":103,"browse_history":[]}`, ""},
		{`{"session_id":"5","customer_number":103,"browse_history":[{"product_code":"item-001","quantity":"2"}]}`, ""},
		{`{"session_id":"6","customer_number":103,"browse_history":[{"product_code":"item-001","quantity":2}]}`, ""},
		{`{"session_id":"7","customer_number":4711}`, ""},
		{`{"session_id":"8","customer_number":4711,"browse_history":[{"product_code":"nowhere"}]}`, ""},
		{`{"session_id":"9","customer_number":103,"city":"Nowhere","country":"Nowhere","credit_limit":1}`, ""},
		{megabyte, "the answer has"},
		{"\xff\xfe", "not UTF-8"},
		{`{"session_id":"12\u0000","customer_number":103,"country":"\u0000","browse_history":[{"product_code":"a\u0000b"}]}`, ""},
		{``, "not JSON at byte 0"},
		{`{"session_id":"14","customer_number":"x"}`, "customer_number: a string that holds no whole number"},
		{`{"session_id":"15","customer_number":103}`, ""},
	}
	var payloads, good []string
	for i, record := range records {
		payloads = append(payloads, record.in)
		if record.reason == "" {
			good = append(good, fmt.Sprintf("%s:%d", shard, 1000+i))
		}
	}
	if notDone := w.handle(payloads...); notDone != "" {
		t.Fatalf("not done from %s", notDone)
	}
	var answered []string
	for _, o := range w.delivered() {
		answered = append(answered, o.Recommendation.EventID)
	}
	if !slices.Equal(answered, good) {
		t.Errorf("answered %v, want %v", answered, good)
	}
	reasons := w.rejectedReasons()
	for i, record := range records {
		reason, rejected := reasons[fmt.Sprint(1000+i)]
		if rejected != (record.reason != "") || !strings.HasPrefix(reason, record.reason) {
			t.Errorf("record %d: rejected with %q, want %q", i, reason, record.reason)
		}
	}
}

func TestEventFixture(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	content, err := os.ReadFile("event.json")
	w.Must(err)
	var event events.KinesisEvent
	w.Must(json.Unmarshal(content, &event))
	response, err := w.handler.Handle(t.Context(), event)
	w.Must(err)
	answer, err := json.Marshal(response)
	w.Must(err)
	if string(answer) != `{"batchItemFailures":[]}` {
		t.Errorf("answered %s", answer)
	}
	if outputs := w.delivered(); len(outputs) != len(event.Records) {
		t.Errorf("%d answers of %d records", len(outputs), len(event.Records))
	}
}
