package ranking

import (
	"cmp"
	"slices"

	"recsys/shared/stream/activity"
)

// Answer makes a record's lists from its candidates: each strategy's list is filtered, scored, ordered and diversified, and
// the ladder puts them together. The caller adds which event and version the answer belongs to.
func (r Rules) Answer(found Candidates) activity.Answer {
	var answer activity.Answer
	var rungs []Rung
	for _, strategy := range activity.Strategies {
		if list, asked := found.Lists[strategy]; asked {
			rungs = append(rungs, Rung{strategy, r.rung(strategy, list.Items)})
		}
	}
	answer.Recommended, answer.Recommendation.Strategy = Ladder(r.Limit, rungs...)
	answer.Similar = activity.Similar{To: found.SimilarTo, Items: r.similar(found.Similar.Items)}
	if r.TrendingItems {
		answer.Trending = r.rung(activity.Trending, found.Lists[activity.Trending].Items)
	}
	return answer
}

// rung returns the best items of one strategy, at most the limit, best first.
func (r Rules) rung(strategy activity.Strategy, candidates []Candidate) []activity.Scored {
	best := r.best(strategy, r.Filter(candidates))
	if strategy.ByVector() {
		return Diverse(best, r.Limit, r.Diversity)
	}
	return Diverse(best, r.Limit, 0)
}

// best scores candidates and returns the wanted ones, best first. Equally good ones are in the order of their ids.
func (r Rules) best(strategy activity.Strategy, candidates []Candidate) []Ranked {
	ranked := make([]Ranked, len(candidates))
	for i, c := range candidates {
		ranked[i] = Ranked{activity.Scored{ID: c.ID, Score: r.Score(strategy, c)}, c.Line}
	}
	slices.SortFunc(ranked, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return ranked[:min(len(ranked), r.Wanted(strategy))]
}

// similar returns the nearest items, at most the limit, nearest first.
func (r Rules) similar(candidates []Candidate) []activity.Near {
	allowed := r.Filter(candidates)
	slices.SortFunc(allowed, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.ID, b.ID))
	})
	items := make([]activity.Near, 0, r.Limit)
	for _, c := range allowed[:min(len(allowed), r.Limit)] {
		items = append(items, activity.Near{ID: c.ID, Distance: c.Value})
	}
	return items
}

// Short reports whether a record needs a further search, because a list that was cut, or was not asked for, could give it
// items that it lacks.
func (r Rules) Short(found Candidates) bool {
	if found.SimilarTo != "" && found.Similar.Cut && r.CountAllowed(found.Similar.Items) < r.Limit {
		return true
	}
	if trending := found.Lists[activity.Trending]; r.TrendingItems && trending.Cut && r.CountAllowed(trending.Items) < r.Limit {
		return true
	}
	for _, strategy := range activity.Strategies {
		list, asked := found.Lists[strategy]
		if !asked {
			continue
		}
		switch allowed := r.CountAllowed(list.Items); {
		case allowed >= r.Wanted(strategy):
			return false
		case list.Cut:
			return true
		case allowed >= r.Limit:
			return false
		}
	}
	_, asked := found.Lists[activity.Popular] // the last rung, which fills every list
	return !asked
}
