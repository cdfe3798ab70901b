package evaluation

import (
	"errors"
	"fmt"

	"recsys/shared/contract/option"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/evaluation/internal/numerals"
)

// Mode says how the gate's decision is used.
type Mode string

const (
	Enforce Mode = "enforce" // a version that does not pass is not promoted: for models of our own training
	Observe Mode = "report"  // every version is promoted, and the report has the gate's opinion: for handed-over artifacts
)

// Fewest is how many customers it takes to decide: the interval of fewer says nothing.
const Fewest = 10

// Gate decides by NDCG@10 whether a version is promoted.
type Gate struct {
	Mode Mode `json:"mode"`
	// Allowance has Margin, the share by which the candidate must beat the better one of popularity and random.
	// Tolerance is the share by which it may be worse than the active version. The tolerance must leave room for
	// chance. Between two trainings that differ by 5 % of the ratings, the interval of a shop with a hundred
	// customers is about 6 % of the NDCG wide to each side. In the sample shop, over 30 hold-outs with the defaults
	// of als, 2 of such retrainings miss a tolerance of 0.1. None misses 0.15, and none with 20 % more ratings does.
	// A model trained on the same ratings with the same seed is the same, and always passes.
	settings.Allowance
	// Neighbours is whether the comparison with item kNN decides. Observe, which "" means, only reports it.
	Neighbours Mode `json:"neighbours,omitempty"`
	// Resamples is the number of bootstrap samples, at least 100. 0 means 2,000.
	Resamples int    `json:"resamples"`
	Seed      uint64 `json:"seed,string"` // of the bootstrap
}

// Validate reports all that is wrong with the settings.
func (g Gate) Validate() error {
	faults := []error{option.Check(g.Allowance)}
	if g.Mode != Enforce && g.Mode != Observe {
		faults = append(faults, fmt.Errorf("gate mode %q: want %s or %s", g.Mode, Enforce, Observe))
	}
	if g.Neighbours != "" && g.Neighbours != Enforce && g.Neighbours != Observe {
		faults = append(faults, fmt.Errorf("gate neighbours %q: want %s or %s", g.Neighbours, Enforce, Observe))
	}
	if g.Resamples != 0 && (g.Resamples < 100 || g.Resamples > 100_000) {
		faults = append(faults, fmt.Errorf("gate resamples %d: want 0, or 100 to 100,000", g.Resamples))
	}
	return errors.Join(faults...)
}

// Contender is a version with its figures.
type Contender struct {
	Version int64  `json:"version,omitempty"` // 0: it has no number
	Origin  Origin `json:"origin"`
	// MayHaveSeen says that its training may have used the hold-out, and the figures may be too high: it was handed
	// over, or trained with another hold-out.
	MayHaveSeen bool   `json:"mayHaveSeenHoldOut"`
	Result      Result `json:"result"`
}

// Origin is where a version's vectors come from.
type Origin string

const (
	Trained    Origin = "trained"     // by the workflow, without the hold-out
	HandedOver Origin = "handed-over" // from elsewhere
)

// Decision is whether the candidate is promoted, and why.
type Decision struct {
	Gate    Gate     `json:"gate"`
	Promote bool     `json:"promote"`
	Passed  bool     `json:"passed"` // the gate's opinion, which differs from Promote if the gate only reports
	Reason  string   `json:"reason"`
	Checks  []Check  `json:"checks"`
	Remarks []string `json:"remarks,omitempty"` // hints for reading the figures
}

// Check compares the candidate with a reference, customer by customer.
type Check struct {
	Name      string  `json:"name"`      // "baseline", "neighbours", "active" or "coverage"
	Against   string  `json:"against"`   // "popularity", "random", "item kNN", "version 7", "the bound"
	Reference float64 `json:"reference"` // the reference's NDCG@10, or the bound of the coverage
	// Difference is the mean over customers of candidate - Factor · reference, and Interval its 95 % bootstrap interval. That
	// of the coverage has no interval.
	Factor     float64  `json:"factor"`
	Difference float64  `json:"difference"`
	Interval   Interval `json:"interval"`
	Passed     bool     `json:"passed"`
	Decides    bool     `json:"decides"` // false: only reported, the comparison is not fair
	Why        string   `json:"why"`
}

// References are the results that a candidate is compared with, on the same hold-out.
type References struct {
	Popularity, Random Result
	Neighbours         *Result    // of item kNN. nil: it was not measured
	Active             *Contender // nil: no version is active
}

// all returns the results that there are.
func (r References) all() []Result {
	all := []Result{r.Popularity, r.Random}
	if r.Neighbours != nil {
		all = append(all, *r.Neighbours)
	}
	if r.Active != nil {
		all = append(all, r.Active.Result)
	}
	return all
}

// Decide compares the candidate with the references. It must surely beat the better one of popularity and random by the
// margin: the interval of candidate - (1+Margin)·baseline is above 0. It must surely not be worse than the active version
// by more than the tolerance: the interval of candidate - (1-Tolerance)·active is not below 0. With Neighbours it must
// also surely beat item kNN: the interval of candidate - neighbours is above 0. With Coverage it must also recommend that share
// of all that it could. With fewer than ten customers nothing is sure, and it does not pass.
//
// An active version that may have been trained on the hold-out has an advantage over a candidate that was not:
// that comparison is reported and does not decide.
//
// Errors: settings that are not valid, results that are not of the same customers.
func (g Gate) Decide(candidate Contender, by References) (Decision, error) {
	if err := g.Validate(); err != nil {
		return Decision{}, err
	}
	if g.Resamples == 0 {
		g.Resamples = defaultResamples
	}
	customers := len(candidate.Result.PerCustomer)
	for _, r := range by.all() {
		if len(r.PerCustomer) != customers {
			return Decision{}, fmt.Errorf("comparing results of %d and %d customers", customers, len(r.PerCustomer))
		}
	}
	d := Decision{Gate: g, Checks: []Check{}, Remarks: remarks(candidate, by.Active)}
	if customers >= Fewest {
		d.Checks = append(d.Checks, g.againstBaseline(candidate.Result, by.Popularity, by.Random))
		if by.Neighbours != nil {
			d.Checks = append(d.Checks, g.againstNeighbours(candidate.Result, *by.Neighbours))
		}
		if by.Active != nil {
			d.Checks = append(d.Checks, g.againstActive(candidate, *by.Active))
		}
		if g.Coverage > 0 {
			d.Checks = append(d.Checks, g.coverage(candidate.Result))
		}
	}
	d.conclude(candidate.Result)
	return d, nil
}

func (g Gate) againstBaseline(candidate, popularity, random Result) Check {
	c := Check{Name: "baseline", Against: "popularity", Factor: 1 + g.Margin, Decides: true}
	baseline := popularity
	if random.NDCG10() > popularity.NDCG10() {
		c.Against, baseline = "random", random
	}
	g.compare(&c, candidate, baseline)
	c.Passed = c.Interval.Low > 0
	return c.explained(candidate)
}

func (g Gate) againstNeighbours(candidate, neighbours Result) Check {
	c := Check{Name: "neighbours", Against: "item kNN", Factor: 1, Decides: g.Neighbours == Enforce}
	g.compare(&c, candidate, neighbours)
	c.Passed = c.Interval.Low > 0
	return c.explained(candidate)
}

func (g Gate) againstActive(candidate, active Contender) Check {
	c := Check{Name: "active", Against: "the active version", Factor: 1 - g.Tolerance, Decides: candidate.MayHaveSeen || !active.MayHaveSeen}
	if active.Version > 0 {
		c.Against = fmt.Sprintf("version %d", active.Version)
	}
	g.compare(&c, candidate.Result, active.Result)
	c.Passed = c.Interval.Low >= 0
	return c.explained(candidate.Result)
}

// coverage compares the candidate's coverage@10 with the bound. Fewer customers cannot cover a large catalogue.
func (g Gate) coverage(candidate Result) Check {
	most := min(1, 10*float64(candidate.Customers)/float64(max(candidate.Items, 1)))
	c := Check{Name: "coverage", Against: "the bound", Reference: g.Coverage * most, Factor: 1, Decides: true}
	c.Difference = candidate.At[1].Coverage - c.Reference
	c.Passed = c.Difference >= 0
	c.Why = fmt.Sprintf("Coverage@10 is %s. The bound is %s, which is %s of the most that %s lists can cover.",
		numerals.Percent(candidate.At[1].Coverage), numerals.Percent(c.Reference), numerals.Percent(g.Coverage), numerals.Count(candidate.Customers))
	return c
}

func (g Gate) compare(c *Check, candidate, reference Result) {
	differences := make([]float64, len(candidate.PerCustomer))
	for i, value := range candidate.PerCustomer {
		// Rounded before the subtraction, so that no processor fuses the two into another result.
		differences[i] = value - float64(c.Factor*reference.PerCustomer[i])
	}
	c.Reference, c.Difference = reference.NDCG10(), mean(differences)
	c.Interval = meanInterval(differences, g.Resamples, g.Seed)
}
