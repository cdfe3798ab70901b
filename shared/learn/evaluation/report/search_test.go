package report

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/evaluation"
)

func searched() *Report {
	r := example()
	r.Search = &lake.Search{Folds: 5, Customers: 98, Ratings: 2011, Chosen: 2, Trials: []lake.Trial{
		{Round: 1, Factors: 32, UnobservedWeight: 0.5, Regularization: 0.45, FrequencyExponent: 0.75, FeatureRidge: 5, Iterations: 9, NDCG10: 0.301},
		{Round: 1, Factors: 64, UnobservedWeight: 0.1, Regularization: 0.4, FrequencyExponent: 0.5, FeatureRidge: 5, Iterations: 4, NDCG10: 0.3205},
		{Round: 2, Factors: 16, UnobservedWeight: 0.1, Regularization: 0.4, FrequencyExponent: 0.5, FeatureRidge: 5, Iterations: 5, NDCG10: 0.32},
		{Round: 3, Factors: 16, UnobservedWeight: 0.2, Regularization: 0.4, FrequencyExponent: 0.5, FeatureRidge: 5, Failed: "the fit diverged"},
	}}
	return r
}

func TestThePageShowsWhatWasTried(t *testing.T) {
	text := asPage(t, searched())
	page := parse(t, text)
	if !slices.Contains(texts(page, "h2"), "What was tried") {
		t.Fatalf("headings %q", texts(page, "h2"))
	}
	for _, want := range []string{
		"4 candidates were judged on 2,011 ratings of 98 customers, split 5 times. The chosen one has 16 factors, and its NDCG@10 on the validation is 0.320. " +
			"The best one has 64 factors and reaches 0.321, which is not 1 % more. The options that were given reach 0.301.",
		"the fit diverged", `<tr class="chosen"><th scope="row">0.320</th><td>16</td>`,
	} {
		if !strings.Contains(text, want) && !slices.Contains(texts(page, "p"), want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	dots := 0
	for _, e := range page {
		if strings.Contains(e.attributes["class"], "dot") && strings.Contains(e.text, "unobserved weight") {
			dots++
		}
	}
	if dots != 3 {
		t.Errorf("%d dots, want one for each candidate that has a figure", dots)
	}
	if slices.Contains(texts(page, "th"), "Neighbours") || !strings.Contains(text, ">factors</text>") {
		t.Error("the page shows neighbours, and none were tried")
	}
}

func TestThePageShowsAges(t *testing.T) {
	const title = "Found among the first ten by age of the product"
	r := example()
	if text := asPage(t, r); strings.Contains(text, title) {
		t.Error("the page shows ages, and nobody knows any")
	}
	ages := evaluation.Ages
	ages[0].HeldOut, ages[0].Found, ages[2].HeldOut = 1200, 0.25, 7
	r.Candidate.Result.ByAge = ages[:]
	if text := asPage(t, r); !strings.Contains(text, title) || !strings.Contains(text, `<th scope="row">0–29</th><td>1,200</td><td>0.250</td><td>–</td>`) ||
		!strings.Contains(text, `<th scope="row">30–179</th><td>0</td><td>–</td>`) || !strings.Contains(text, `<th scope="row">180&#43;</th><td>7</td><td>0.000</td>`) {
		t.Error("the page does not show the ages")
	}
}

func TestThePageShowsTriedNeighbours(t *testing.T) {
	r := searched()
	best := r.Search.Trials[1]
	best.Neighbours, best.NDCG10 = &lake.Neighbours{Kind: lake.EASE, Ridge: 200, Kept: 100, Beta: 0.25}, 0.4
	other := best
	other.Neighbours, other.NDCG10 = &lake.Neighbours{Kind: lake.KNN, TargetExponent: 0.3, SourceExponent: 0.5, Kept: 100, Beta: 1}, 0.39
	r.Search.Trials, r.Search.Chosen = append(r.Search.Trials, best, other), 4
	text := asPage(t, r)
	page := parse(t, text)
	for _, want := range []string{
		"The chosen one has 64 factors and item neighbours (EASE 200, β 0.25), and its NDCG@10 on the validation is 0.400. ",
		`<tr class="chosen"><th scope="row">0.400</th><td>64</td>`, "<td>EASE 200</td><td>0.25</td></tr>", "<td>kNN 0.3, 0.5</td><td>1</td></tr>", "<td>–</td><td>–</td></tr>",
		">numbers stored for a product</text>", "With item neighbours", ">256</text>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	if got := texts(page, "th"); !slices.Contains(got, "Neighbours") || !slices.Contains(got, "β") {
		t.Errorf("the headings are %q", got)
	}
	r.Search.Trials[4].Neighbours.Beta = math.NaN()
	if text := asPage(t, r); strings.Contains(text, "What was tried") {
		t.Error("the page shows a β that is no number")
	}
}

func TestAPageWithoutASearch(t *testing.T) {
	without := searched()
	without.Search = nil
	damaged, foreign, endless := searched(), searched(), searched()
	damaged.Search.Trials[1].NDCG10 = math.NaN()
	foreign.Search.Chosen = 9
	endless.Search.Trials = make([]lake.Trial, mostTrials+1)
	for name, r := range map[string]*Report{"none": without, "a figure that is no number": damaged, "a choice that was not tried": foreign, "too many": endless} {
		if text := asPage(t, r); strings.Contains(text, "What was tried") {
			t.Errorf("%s: the page shows a search", name)
		}
		if err := r.WriteJSON(new(bytes.Buffer)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
