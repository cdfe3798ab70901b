package ranking

import (
	"recsys/shared/contract/distance"
	"recsys/shared/contract/settings"
	"recsys/shared/stream/activity"
)

// Rules say what a list may hold and how it is ordered.
type Rules struct {
	settings.Ranking
	// Metric is that of the version's vectors.
	Metric distance.Metric
}

// Allows reports whether an item may be in a list: it can be delivered, and the customer does not have it already.
func (r Rules) Allows(c Candidate) bool {
	switch {
	case c.Gone:
		return false
	case c.SoldOut && !r.IncludeOutOfStock:
		return false
	case c.Rated && !r.IncludeRated:
		return false
	case c.InSession && !r.IncludeSession:
		return false
	}
	return true
}

// Filter returns the candidates that the rules allow, in their order.
func (r Rules) Filter(candidates []Candidate) []Candidate {
	allowed := make([]Candidate, 0, len(candidates))
	for _, c := range candidates {
		if r.Allows(c) {
			allowed = append(allowed, c)
		}
	}
	return allowed
}

// CountAllowed returns how many candidates the rules allow.
func (r Rules) CountAllowed(candidates []Candidate) int {
	allowed := 0
	for _, c := range candidates {
		if r.Allows(c) {
			allowed++
		}
	}
	return allowed
}

// Score returns how good a candidate of a strategy is, where higher is better: by the metric for a strategy by vectors, else
// the count itself.
func (r Rules) Score(strategy activity.Strategy, c Candidate) float64 {
	if strategy.ByVector() {
		return r.Metric.Score(c.Value)
	}
	return c.Value
}

// Wanted returns how many allowed candidates of a strategy make its list as good as it can be. Diversity chooses from
// Overfetch times as many.
func (r Rules) Wanted(strategy activity.Strategy) int {
	if strategy.ByVector() && r.Diversity > 0 {
		return r.Limit * Overfetch
	}
	return r.Limit
}

// Fetch returns how many candidates of a strategy to retrieve, so that the wanted ones are left after the filter. Half a list
// and three more suffice for 99 of 100 records of a generated shop and 95 of Gowalla. The others get a further search.
func (r Rules) Fetch(strategy activity.Strategy) int { return r.Wanted(strategy) + r.Limit/2 + 3 }
