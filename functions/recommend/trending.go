package main

import "fmt"

const (
	// keptTrends is how many items the trends keep: what a batch reads is bounded, whatever the carts hold.
	keptTrends = 200
	// hotTrends is how many of them, the first ones, a list is filled from.
	hotTrends = 100
	// maxHalvings and leastScore bound a decay, because PostgreSQL refuses a result that float8 cannot hold. A lower
	// score counts as leastScore.
	maxHalvings = 200
	leastScore  = 1e-100
)

// trends tells whether they are kept and recommended.
func (a *asking) trends() bool { return a.options.TrendingHalfLife > 0 && a.version.HasTrending }

// decay is what a score of one time is worth at a later one, as a factor: half after each half-life.
func (a *asking) decay(from, to string) string {
	return fmt.Sprintf(`power(0.5::float8, least(greatest(extract(epoch from %s - %s)::float8, 0) / %v, %d))`,
		to, from, a.options.TrendingHalfLife.Seconds(), maxHalvings)
}

// hot is the trends as a table, the best first. Items of another version than the one that answers are left out.
func (a *asking) hot() string {
	if !a.trends() {
		return ""
	}
	return fmt.Sprintf(`, hot as materialized (
			select top.item, top.score * %s as score from {trending} t cross join lateral unnest(t.items, t.scores) top(item, score)
			where t.counted_to = (select max(counted_to) from {trending})
				and exists (select from {items} where id = top.item offset 0) order by score desc, item limit %d
		)`, a.decay("t.updated_at", "$8::timestamptz"), hotTrends)
}

// trending is the rung of the trends: for the records that want it or, where it goes out by itself, for all. PostgreSQL
// gives the rows of a materialized table in their order.
func (a *asking) trending() string {
	if !a.trends() {
		return ""
	}
	of := "short"
	if a.options.TrendingItems {
		of = "q"
	}
	return `select s.record, 1, '', top.item, -top.score, '' from ` + of + ` s cross join lateral
			(select hot.item, hot.score from hot where ` + a.eligible("hot.item", "s") + ` limit {limit}) top
		union all `
}
