package evaluation

import (
	"math/rand/v2"
	"testing"

	"recsys/shared/contract/settings"
)

// decided counts, of 200 shops with 98 customers, those in which a check passes. A customer's NDCG@10 is drawn around
// a mean of its own. Candidate and reference differ from it by noise, and the candidate has factor times the rest.
func decided(t *testing.T, check int, factor, noise float64) (passed int) {
	t.Helper()
	gate := Gate{Mode: Enforce, Allowance: settings.Allowance{Margin: 0.1, Tolerance: 0.15}, Resamples: 1000}
	for shop := range uint64(200) {
		chance := rand.New(rand.NewPCG(shop, 1))
		candidate, reference := make([]float64, 98), make([]float64, 98)
		for i := range candidate {
			own := 0.1 + 0.6*chance.Float64()
			candidate[i], reference[i] = factor*(own+noise*chance.NormFloat64()), own+noise*chance.NormFloat64()
		}
		none := achieved(make([]float64, 98)...)
		popularity, active := achieved(reference...), (*Contender)(nil)
		if check == 1 {
			popularity, active = none, &Contender{Result: achieved(reference...)}
		}
		d, err := gate.Decide(Contender{Result: achieved(candidate...)}, References{Popularity: popularity, Random: none, Active: active})
		if err != nil {
			t.Fatal(err)
		}
		if d.Checks[check].Passed {
			passed++
		}
	}
	return passed
}

// The lower end of a 95 % interval is wrong in about 2.5 % of cases: 5 of 200, and hardly ever more than 14.
func TestGateIsSeldomWrong(t *testing.T) {
	if n := decided(t, 0, 1.1, 0.2); n > 14 {
		t.Errorf("%d of 200 candidates that are better by just the margin pass", n)
	}
	if n := decided(t, 1, 0.85, 0.2); n > 14 {
		t.Errorf("%d of 200 candidates that are worse by just the tolerance pass", n)
	}
}

// Two trainings that differ by 5 % of the ratings are 0.1 apart for a customer of the sample shop. Here it is 0.13, 0.09
// for each of the two.
func TestRetrainingsPassInSmallShops(t *testing.T) {
	if n := decided(t, 1, 1, 0.09); n < 190 {
		t.Errorf("only %d of 200 retrainings pass", n)
	}
	if n := decided(t, 1, 0.7, 0.09); n > 2 {
		t.Errorf("%d of 200 that are worse by 30 %% pass", n)
	}
	if n := decided(t, 0, 1.5, 0.2); n < 190 {
		t.Errorf("only %d of 200 that are better by half pass", n)
	}
}
