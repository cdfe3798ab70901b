package evaluation

import (
	"fmt"
	"strings"

	"recsys/shared/learn/evaluation/internal/numerals"
)

// explained fills in the check's sentence.
func (c Check) explained(candidate Result) Check {
	share := numerals.Percent(max(c.Factor-1, 1-c.Factor))
	switch {
	case c.Name == "neighbours" && c.Passed:
		c.Why = fmt.Sprintf("Better than %s", c.named())
	case c.Name == "neighbours" && c.Interval.High < 0:
		c.Why = fmt.Sprintf("Worse than %s", c.named())
	case c.Name == "neighbours":
		c.Why = fmt.Sprintf("Not surely better than %s", c.named())
	case c.Name == "baseline" && c.Passed:
		c.Why = fmt.Sprintf("Better than %s by more than the margin of %s", c.named(), share)
	case c.Name == "baseline" && c.Interval.High < 0:
		c.Why = fmt.Sprintf("Not better than %s by the margin of %s", c.named(), share)
	case c.Name == "baseline":
		c.Why = fmt.Sprintf("Not surely better than %s by more than the margin of %s", c.named(), share)
	case c.Passed:
		c.Why = fmt.Sprintf("Not worse than %s by more than the tolerance of %s", c.named(), share)
	case c.Interval.High < 0:
		c.Why = fmt.Sprintf("Worse than %s by more than the tolerance of %s", c.named(), share)
	default:
		c.Why = fmt.Sprintf("May be worse than %s by more than the tolerance of %s", c.named(), share)
	}
	to := ""
	if c.Factor != 1 {
		to = fmt.Sprintf(" to %.4g times the latter", c.Factor)
	}
	c.Why += fmt.Sprintf(": NDCG@10 is %s against %s. The difference%s is %s on average, with 95 %% confidence %s to %s.",
		numerals.Figure(candidate.NDCG10()), numerals.Figure(c.Reference), to, numerals.Signed(c.Difference), numerals.Signed(c.Interval.Low), numerals.Signed(c.Interval.High))
	switch {
	case c.Decides:
	case c.Name == "neighbours":
		c.Why += " This does not decide: gateNeighbours is report."
	default:
		c.Why += fmt.Sprintf(" This does not decide: %s may have been trained on the hold-out, the candidate was not.", c.named())
	}
	return c
}

// named is the reference in a sentence.
func (c Check) named() string {
	switch c.Against {
	case "popularity":
		return "the most popular items"
	case "random":
		return "random items"
	}
	return c.Against
}

// conclude decides by the checks and says why.
func (d *Decision) conclude(candidate Result) {
	var passed, failed []string
	for _, c := range d.Checks {
		if c.Passed || !c.Decides {
			passed = append(passed, c.Why)
		} else {
			failed = append(failed, c.Why)
		}
	}
	d.Passed = len(d.Checks) > 0 && len(failed) == 0
	d.Promote = d.Passed || d.Gate.Mode == Observe
	switch {
	case len(d.Checks) == 0:
		d.Reason = fmt.Sprintf("Too few customers to tell: %s have a held-out and a remaining rating, and it takes %d.", numerals.Count(candidate.Customers), Fewest)
	case d.Passed:
		d.Reason = strings.Join(passed, " ")
	default:
		d.Reason = strings.Join(failed, " ")
	}
	if d.Promote && !d.Passed {
		d.Reason += " The gate only reports, so it is promoted nevertheless."
	}
}

// remarks return the caveats about the figures.
func remarks(candidate Contender, active *Contender) (r []string) {
	if candidate.MayHaveSeen {
		r = append(r, "The candidate may have been trained on the hold-out: its figures may be too high.")
	}
	if active != nil && active.MayHaveSeen {
		r = append(r, "The active version may have been trained on the hold-out: its figures may be too high.")
	}
	if n := candidate.Result.Unserved; n > 0 {
		r = append(r, fmt.Sprintf("The candidate has nothing to recommend to %s of the %s customers; they count 0.", numerals.Count(n), numerals.Count(candidate.Result.Customers)))
	}
	if active != nil && active.Result.Unserved > 0 {
		r = append(r, fmt.Sprintf("The active version has no vector of %s of the %s customers, who may have come later; they count 0.",
			numerals.Count(active.Result.Unserved), numerals.Count(active.Result.Customers)))
	}
	return r
}
