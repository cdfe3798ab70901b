package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

const (
	// keptTrends is how many items the trends keep, and the most that one batch changes: what a batch costs is bounded
	// whatever the carts hold.
	keptTrends = 200
	// hotTrends is how many of them, the first ones, a list is filled from.
	hotTrends = 100
	// maxHalvings bounds the exponent of a decay: PostgreSQL refuses a power that float8 cannot hold.
	maxHalvings = 500
)

// trends tells whether they are kept and recommended.
func (a *asking) trends() bool { return *a.options.TrendingHalfLife > 0 && a.version.HasTrending }

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
			select t.item, t.score * %s as score from {trending} t
			where exists (select from {items} where id = t.item offset 0) order by score desc, item limit %d
		)`, a.decay("t.updated_at", "$7::timestamptz"), hotTrends)
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

// carts counts what the batch has in its carts into the trends, in one transaction: each record counts 1 for each item of
// the version; nil where there is nothing to count. It waits for nobody longer than lockTimeout, and not for the disk. Of
// two batches at once neither waits for the other in a circle: both change items in the order of their names, and what
// falls off the end is deleted only where nobody else holds it.
func (a *asking) carts() *pgx.Batch {
	items, counts := a.inCarts()
	if len(items) == 0 || !a.trends() {
		return nil
	}
	batch := &pgx.Batch{}
	batch.Queue(`select set_config('synchronous_commit', 'off', true)`)
	batch.Queue(a.sql(`
		insert into {trending} as t (item, score, updated_at)
		select item.id, cart.count, $3::timestamptz
		from unnest($1::text[], $2::int[]) cart(item, count) join {items} item on item.id = cart.item order by item.id
		on conflict (item) do update set updated_at = greatest(t.updated_at, excluded.updated_at),
			score = t.score * `+a.decay("t.updated_at", "excluded.updated_at")+` + excluded.score * `+a.decay("excluded.updated_at", "t.updated_at")),
		items, counts, a.now)
	batch.Queue(a.sql(fmt.Sprintf(`
		delete from {trending} where item in (select item from {trending} t
			order by score * %s desc, item offset %d for update skip locked)`, a.decay("t.updated_at", "$1::timestamptz"), keptTrends)), a.now)
	return batch
}

// inCarts counts the records that have a product in the cart: the most frequent products, at most keptTrends.
func (a *asking) inCarts() (items []string, counts []int32) {
	frequent := map[string]int32{}
	for i := range a.questions {
		for _, product := range a.questions[i].record.Products {
			if product.InCart {
				frequent[product.Code]++
			}
		}
	}
	items = slices.SortedFunc(maps.Keys(frequent), func(x, y string) int {
		return cmp.Or(cmp.Compare(frequent[y], frequent[x]), cmp.Compare(x, y))
	})
	items = items[:min(len(items), keptTrends)]
	for _, item := range items {
		counts = append(counts, frequent[item])
	}
	return items, counts
}
