package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/evaluation"
)

var update = flag.Bool("update", false, "write testdata/report.json anew")

// figures is a result with numbers that grow with k.
func figures(ndcg, recall, coverage, novelty, mrr float64, histogram [10]int) evaluation.Result {
	r := evaluation.Result{Customers: 100, HeldOut: 512, Items: 1100, MRR: mrr, Interval: evaluation.Interval{Low: ndcg - 0.021, High: ndcg + 0.022}, Histogram: histogram}
	for i, k := range evaluation.Cutoffs {
		more := float64(i - 1)
		r.At[i] = evaluation.Figures{K: k, NDCG: ndcg + more/50, Recall: recall + more/25, Coverage: coverage + more*3/50, Novelty: novelty + more*2/25, Head: recall / 4}
	}
	r.ByHistory = evaluation.Histories
	r.ByHistory[0].Customers, r.ByHistory[0].NDCG10 = 30, ndcg/2
	r.ByHistory[2].Customers, r.ByHistory[2].NDCG10 = 70, ndcg+0.01
	return r
}

// The gate's sentences.
const (
	whyBaseline = "Better than the most popular items by more than the margin of 10 %: NDCG@10 is 0.412 against 0.123. The difference to 1.1 times the latter is +0.277 on average, with 95 % confidence +0.241 to +0.309."
	whyItems    = "Better than item kNN: NDCG@10 is 0.412 against 0.387. The difference is +0.025 on average, with 95 % confidence +0.003 to +0.046. This does not decide: gateNeighbours is report."
	whyActive   = "May be worse than version 7 by more than the tolerance of 15 %: NDCG@10 is 0.412 against 0.398. The difference to 0.85 times the latter is −0.014 on average, with 95 % confidence −0.051 to +0.026. This does not decide: version 7 may have been trained on the hold-out, the candidate was not."
)

func example() *Report {
	neighbours := figures(0.387, 0.402, 0.49, 4.56, 0.35, [10]int{13, 7, 7, 11, 19, 14, 9, 10, 5, 5})
	r := &Report{
		Run: "nightly-1", Snapshot: "nightly-0", EvaluatedAt: time.Date(2026, 11, 25, 1, 2, 3, 456, time.FixedZone("", 3600)),
		HoldOut: HoldOut{Seed: math.MaxUint64, Fraction: 0.2, Remaining: 2048},
		Options: []Option{{"factors", "32"}, {"iterations", "4"}},
		Loss:    []float64{9100.5, 4000, 3500.25, 3400},
		Candidate: evaluation.Contender{Version: 8, Origin: evaluation.Trained,
			Result: figures(0.412, 0.433, 0.61, 5.25, 0.377, [10]int{10, 5, 5, 10, 20, 20, 10, 10, 5, 5})},
		Active: &evaluation.Contender{Version: 7, Origin: evaluation.HandedOver, MayHaveSeen: true,
			Result: figures(0.398, 0.421, 0.58, 5.11, 0.361, [10]int{12, 6, 7, 10, 20, 15, 10, 10, 5, 5})},
		Popularity: figures(0.123, 0.145, 0.13, 2.34, 0.112, [10]int{60, 20, 10, 5, 5}),
		Random:     figures(0.054, 0.067, 0.94, 6.78, 0.045, [10]int{90, 8, 2}),
		Neighbours: &neighbours,
		Remarks:    []string{"Two products have no vector."},
	}
	baseline := evaluation.Check{Name: "baseline", Against: "popularity", Reference: 0.123, Factor: 1.1, Difference: 0.2767, Interval: evaluation.Interval{Low: 0.241, High: 0.309}, Passed: true, Decides: true, Why: whyBaseline}
	items := evaluation.Check{Name: "neighbours", Against: "item kNN", Reference: 0.387, Factor: 1, Difference: 0.025, Interval: evaluation.Interval{Low: 0.003, High: 0.046}, Passed: true, Why: whyItems}
	active := evaluation.Check{Name: "active", Against: "version 7", Reference: 0.398, Factor: 0.85, Difference: -0.0137, Interval: evaluation.Interval{Low: -0.051, High: 0.026}, Why: whyActive}
	r.Decision = evaluation.Decision{
		Gate:   evaluation.Gate{Mode: evaluation.Enforce, Allowance: settings.Allowance{Margin: 0.1, Tolerance: 0.15}, Resamples: 2000, Seed: 1},
		Checks: []evaluation.Check{baseline, items, active},
		Passed: true, Promote: true, Reason: whyBaseline + " " + whyItems + " " + whyActive,
		Remarks: []string{"The active version may have been trained on the hold-out: its figures may be too high."},
	}
	return r
}

func written(t *testing.T, write func(w *bytes.Buffer) error) string {
	t.Helper()
	var text bytes.Buffer
	if err := write(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func asJSON(t *testing.T, r *Report) string {
	t.Helper()
	return written(t, func(w *bytes.Buffer) error { return r.WriteJSON(w) })
}

func asPage(t *testing.T, r *Report) string {
	t.Helper()
	return written(t, func(w *bytes.Buffer) error { return r.WriteHTML(w) })
}

// The format is a promise. A change of a line of this file raises ReportFormat, unless it only adds a field.
func TestReportFormat(t *testing.T) {
	const golden = "testdata/report.json"
	got := asJSON(t, example())
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not as in %s:\n%s", golden, got)
	}
}

// All that the page shows is in the JSON.
func TestPageFromJSON(t *testing.T) {
	var read Report
	if err := json.Unmarshal([]byte(asJSON(t, example())), &read); err != nil {
		t.Fatal(err)
	}
	if asPage(t, &read) != asPage(t, example()) {
		t.Error("the page of the report as read is another")
	}
}

func TestReportIsBounded(t *testing.T) {
	r := example()
	r.Run = strings.Repeat("ü", 1<<20)
	r.Decision.Reason = strings.Repeat("because ", 1<<17)
	r.Remarks, r.Options = nil, nil
	for range 10_000 {
		r.Remarks = append(r.Remarks, strings.Repeat("x\xff", 5000))
		r.Options = append(r.Options, Option{strings.Repeat("n", 5000), strings.Repeat("v", 5000)})
		r.Loss = append(r.Loss, 1)
	}
	for _, text := range []string{asJSON(t, r), asPage(t, r)} {
		if len(text) > 500_000 {
			t.Errorf("%d bytes", len(text))
		}
	}
	if b := r.bounded(); b.Run != strings.Repeat("ü", 99)+"…" || len(b.Options) != mostOptions || len(b.Loss) != mostIterations {
		t.Errorf("run %q, %d options, %d losses", b.Run, len(b.Options), len(b.Loss))
	}
}

func TestLossThatIsNoNumber(t *testing.T) {
	r := example()
	r.Loss = []float64{5, 4, math.Inf(1), math.NaN()}
	if b := r.bounded(); len(b.Loss) != 2 || !strings.Contains(b.Remarks[1], "loss of iteration 3") {
		t.Errorf("losses %v, remarks %q", b.Loss, b.Remarks)
	}
	if len(r.Remarks) != 1 || len(r.Loss) != 4 {
		t.Error("the report itself is changed")
	}
	asJSON(t, r)
}

// A shop of orders says what it holds, and that its hold-out goes by time.
func TestAShopOfOrdersIsDescribed(t *testing.T) {
	r := example()
	r.Shop = Shop{Customers: 599, Products: 958, Interactions: map[string]int64{"purchase": 16044, "view": 20000}}
	r.HoldOut = HoldOut{Fraction: 0.2, By: lake.ByTime, Until: time.Date(2006, 2, 14, 15, 16, 3, 0, time.UTC), Remaining: 2048}
	facts := map[string]string{}
	for _, fact := range r.bounded().facts() {
		facts[fact.Name] = fact.Value
	}
	for name, want := range map[string]string{
		"Shop": "599 customers, 958 products", "Interactions": "20,000 view, 16,044 purchase", "Remaining": "2,048 pairs",
		"Hold-out": "by time: about the last 20 % of each customer's interactions, of those until 14 February 2006",
	} {
		if got := strings.Join(strings.Fields(facts[name]), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	var read Report
	if err := json.Unmarshal([]byte(asJSON(t, r)), &read); err != nil || asPage(t, &read) != asPage(t, r) {
		t.Errorf("the page of the report as read is another: %v", err)
	}
	r.Shop.Interactions = map[string]int64{}
	for i := range 1000 {
		r.Shop.Interactions[fmt.Sprint(i, strings.Repeat("x", 1000))] = int64(i)
	}
	if common := r.bounded().Shop.Interactions; len(common) != mostTypes || common["999"+strings.Repeat("x", 96)+"…"] != 999 {
		t.Errorf("%d types", len(common))
	}
}
