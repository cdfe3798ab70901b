package evaluation

import (
	"math/rand/v2"
	"strings"
	"testing"

	"recsys/shared/contract/settings"
)

// achieved is a result with these NDCG@10 of the customers.
func achieved(values ...float64) Result {
	r := Result{Customers: len(values), PerCustomer: values}
	r.At[1] = Figures{K: 10, NDCG: mean(values)}
	return r
}

// spread are n customers around a mean, each as far off as noise draws.
func spread(n int, around, noise float64, seed uint64) []float64 {
	chance := rand.New(rand.NewPCG(seed, 1))
	values := make([]float64, n)
	for i := range values {
		values[i] = min(max(around+noise*chance.NormFloat64(), 0), 1)
	}
	return values
}

func scaled(factor float64, values []float64) []float64 {
	product := make([]float64, len(values))
	for i, v := range values {
		product[i] = factor * v
	}
	return product
}

// The bound counts for lists that can reach it: 98 customers cannot cover 9,800 products with ten each.
func TestCoverageDecidesIfItIsBounded(t *testing.T) {
	good, weak := spread(98, 0.4, 0.2, 1), spread(98, 0.1, 0.1, 2)
	for _, c := range []struct {
		bound, coverage float64
		items           int
		passed          bool
		reason          string
	}{
		{0, 0.01, 100, true, "Better than"}, {0.5, 0.5, 100, true, "Coverage@10 is 50 %. The bound is 50 %"}, {0.5, 0.49, 100, false, "Coverage@10 is 49 %. The bound is 50 %"},
		{0.5, 0.05, 9800, true, "The bound is 5 %, which is 50 % of the most that 98 lists can cover."}, {0.5, 0.04, 9800, false, "Coverage@10 is 4 %"},
	} {
		candidate := Contender{Origin: Trained, Result: achieved(good...)}
		candidate.Result.Items, candidate.Result.At[1].Coverage = c.items, c.coverage
		g := Gate{Mode: Enforce, Allowance: settings.Default[settings.Allowance](), Seed: 1}
		g.Coverage = c.bound
		d, err := g.Decide(candidate, References{Popularity: achieved(weak...), Random: achieved(weak...)})
		if err != nil || d.Passed != c.passed || d.Promote != c.passed || !strings.Contains(d.Reason, c.reason) || (len(d.Checks) == 2) != (c.bound > 0) {
			t.Errorf("%+v: %+v, %v", c, d, err)
		}
	}
}

func TestGate(t *testing.T) {
	good, weak := spread(98, 0.4, 0.2, 1), spread(98, 0.1, 0.1, 2)
	trained := func(values []float64) *Contender {
		return &Contender{Version: 7, Origin: Trained, Result: achieved(values...)}
	}
	handedOver := func(values []float64) *Contender {
		return &Contender{Version: 7, Origin: HandedOver, MayHaveSeen: true, Result: achieved(values...)}
	}
	for _, c := range []struct {
		name               string
		mode               Mode
		candidate          []float64
		popularity, random []float64
		active             *Contender
		promote, passed    bool
		reason             string // is a part of it
	}{
		{"the first version", Enforce, good, weak, scaled(0.1, weak), nil, true, true, "Better than the most popular items"},
		{"no better than the baseline", Enforce, weak, weak, scaled(0.1, weak), nil, false, false, "Not better than the most popular items by the margin"},
		{"better, not by the margin", Enforce, scaled(1.05, weak), weak, scaled(0.1, weak), nil, false, false, "margin of 10 %"},
		{"better than popularity, not than chance", Enforce, weak, scaled(0.5, weak), weak, nil, false, false, "Not better than random items by the margin"},
		{"the same again", Enforce, good, weak, weak, trained(good), true, true, "Not worse than version 7"},
		{"a little worse than the active one", Enforce, scaled(0.95, good), weak, weak, trained(good), true, true, "tolerance of 15 %"},
		{"much worse than the active one", Enforce, scaled(0.8, good), weak, weak, trained(good), false, false, "Worse than version 7 by more than"},
		{"much worse than one that may have seen the hold-out", Enforce, scaled(0.5, good), weak, weak, handedOver(good), true, true, "This does not decide: version 7 may have been trained on the hold-out"},
		{"reported only", Observe, weak, weak, weak, trained(good), true, false, "The gate only reports"},
		{"nothing is found at all", Enforce, make([]float64, 98), make([]float64, 98), make([]float64, 98), nil, false, false, "Not surely better"},
		{"nine customers", Enforce, good[:9], weak[:9], weak[:9], nil, false, false, "Too few customers to tell: 9 have"},
		{"no customers, reported", Observe, nil, nil, nil, nil, true, false, "Too few customers to tell: 0 have"},
		{"ten customers", Enforce, good[:10], scaled(0.1, good[:10]), weak[:10], nil, true, true, "Better than"},
	} {
		gate := Gate{Mode: c.mode, Allowance: settings.Allowance{Margin: 0.1, Tolerance: 0.15}}
		candidate := Contender{Version: 8, Origin: Trained, Result: achieved(c.candidate...)}
		d, err := gate.Decide(candidate, References{Popularity: achieved(c.popularity...), Random: achieved(c.random...), Active: c.active})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if d.Promote != c.promote || d.Passed != c.passed || !strings.Contains(d.Reason, c.reason) {
			t.Errorf("%s: promote %v, passed %v, %s\nwant %v, %v, …%s…", c.name, d.Promote, d.Passed, d.Reason, c.promote, c.passed, c.reason)
		}
	}
}

// Of twenty customers ten gain 0.2 over 1.5 times the baseline, and ten gain 0.1.
func TestCheckByHand(t *testing.T) {
	candidate, baseline := make([]float64, 20), make([]float64, 20)
	for i := range candidate {
		baseline[i], candidate[i] = 0.4, 0.8-0.1*float64(i%2)
	}
	gate := Gate{Mode: Enforce, Allowance: settings.Allowance{Margin: 0.5, Tolerance: 0.5}, Resamples: 4000}
	d, err := gate.Decide(Contender{Result: achieved(candidate...)}, References{Popularity: achieved(baseline...), Random: achieved(make([]float64, 20)...)})
	if err != nil {
		t.Fatal(err)
	}
	check := d.Checks[0]
	if len(d.Checks) != 1 || check.Name != "baseline" || check.Against != "popularity" || !check.Passed || !check.Decides {
		t.Errorf("%+v", d.Checks)
	}
	near(t, "the reference", check.Reference, 0.4, 1e-12)
	near(t, "the difference", check.Difference, 0.15, 1e-12)
	// The mean is 0.1 and a 200th of a binomial count of 20 at ½. The 2.5 % and 97.5 % quantiles of the count are 6
	// and 14.
	near(t, "the lower end", check.Interval.Low, 0.1+6./200, 1e-12)
	near(t, "the upper end", check.Interval.High, 0.1+14./200, 1e-12)
}

// Item kNN is compared without a margin, and decides only if it is asked to.
func TestItemNeighboursDecideByOption(t *testing.T) {
	good, weak := spread(98, 0.4, 0.2, 1), spread(98, 0.1, 0.1, 2)
	for _, c := range []struct {
		name            string
		neighbours      Mode
		of              []float64
		passed, decides bool
		why             string
	}{
		{"better, reported", Observe, scaled(0.9, good), true, false, "Better than item kNN: "},
		{"better, enforced", Enforce, scaled(0.9, good), true, true, "Better than item kNN: "},
		{"as good, by default", "", good, false, false, "Not surely better than item kNN: "},
		{"as good, enforced", Enforce, good, false, true, "Not surely better than item kNN: "},
		{"worse, reported", Observe, scaled(1.1, good), false, false, "Worse than item kNN: "},
		{"worse, enforced", Enforce, scaled(1.1, good), false, true, "Worse than item kNN: "},
	} {
		neighbours := achieved(c.of...)
		gate := Gate{Mode: Enforce, Neighbours: c.neighbours, Allowance: settings.Allowance{Margin: 0.1, Tolerance: 0.15}}
		d, err := gate.Decide(Contender{Result: achieved(good...)}, References{Popularity: achieved(weak...), Random: achieved(weak...), Neighbours: &neighbours})
		if err != nil {
			t.Fatal(err)
		}
		check := d.Checks[1]
		if check.Name != "neighbours" || check.Factor != 1 || check.Passed != c.passed || check.Decides != c.decides ||
			!strings.HasPrefix(check.Why, c.why) || strings.Contains(check.Why, "gateNeighbours is report") == c.decides {
			t.Errorf("%s: %+v", c.name, check)
		}
		if want := c.passed || !c.decides; d.Promote != want || !strings.Contains(d.Reason, c.why) {
			t.Errorf("%s: promote %v, want %v: %s", c.name, d.Promote, want, d.Reason)
		}
	}
}

func TestGateRemarks(t *testing.T) {
	values := spread(50, 0.3, 0.1, 1)
	candidate := Contender{Origin: HandedOver, MayHaveSeen: true, Result: achieved(values...)}
	candidate.Result.Unserved = 4
	active := Contender{Version: 3, Origin: HandedOver, MayHaveSeen: true, Result: achieved(values...)}
	d, err := Gate{Mode: Observe}.Decide(candidate, References{Popularity: achieved(values...), Random: achieved(values...), Active: &active})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(d.Remarks, "\n")
	for _, want := range []string{"The candidate may have been trained", "The active version may have been trained", "nothing to recommend to 4 of the 50 customers"} {
		if !strings.Contains(all, want) {
			t.Errorf("no remark %q in:\n%s", want, all)
		}
	}
	if !d.Checks[1].Decides {
		t.Error("both may have seen the hold-out, so the comparison is fair")
	}
}

func TestGateRefuses(t *testing.T) {
	three := achieved(0, 0, 0)
	two := achieved(0, 0)
	for what, by := range map[string]References{
		"random": {Popularity: three, Random: two}, "neighbours": {Popularity: three, Random: three, Neighbours: &two},
		"active": {Popularity: three, Random: three, Active: &Contender{Result: two}},
	} {
		if _, err := (Gate{Mode: Enforce}).Decide(Contender{Result: three}, by); err == nil {
			t.Errorf("%s of other customers: no error", what)
		}
	}
	_, err := Gate{Mode: "perhaps", Neighbours: "never", Allowance: settings.Allowance{Margin: -1, Tolerance: 2}, Resamples: 3}.Decide(Contender{}, References{})
	if err == nil {
		t.Fatal("no error")
	}
	for _, fault := range []string{`mode "perhaps"`, `neighbours "never"`, "gateMargin is -1", "gateTolerance is 2", "resamples 3"} {
		if !strings.Contains(err.Error(), fault) {
			t.Errorf("%q is not in: %v", fault, err)
		}
	}
}
