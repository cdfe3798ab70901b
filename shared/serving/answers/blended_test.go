package answers

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/neighbours"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/ranking"
)

// related gives a shop neighbours: each product has ten at random, some of them with a weight under 0. One product has none.
func related(chance *rand.Rand, v versiontest.Version, beta float64) versiontest.Version {
	items := slices.Sorted(maps.Keys(v.Items))[1:]
	table := &neighbours.Table{Start: []int64{0}}
	for range items {
		for _, target := range slices.Sorted(slices.Values(chance.Perm(len(items))[:10])) {
			table.Items, table.Weights = append(table.Items, int32(target)), append(table.Weights, float32(chance.Float64()*1.2-0.2))
		}
		table.Start = append(table.Start, int64(len(table.Items)))
	}
	v.Neighbours = &blend.Neighbours{Kind: lake.KNN, Beta: beta, Items: items, Table: table}
	for customer := range int32(50) {
		v.Seen = append(v.Seen, []any{customer, items[customer]}, []any{customer, items[2*customer%7]})
	}
	return v
}

// TestTheDatabaseBlendsAsMemory: where the index gives all items, the blend by the database is the exact one.
func TestTheDatabaseBlendsAsMemory(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, beta := range []float64{0.3, 1} {
		chance := rand.New(rand.NewPCG(6, 6))
		number := versiontest.Load(w, w.loader, w.artifacts, related(chance, randomShop(chance, distance.InnerProduct), beta))
		_, err := w.loader.Exec(t.Context(), `update `+vectorstore.VersionTable+` set ef_search = 1000 where version = $1`, number)
		w.Must(err)
		questions := batchOf(t, visits(chance))
		for name, change := range map[string]func(*settings.Ranking){
			"defaults":             func(*settings.Ranking) {},
			"everything":           func(s *settings.Ranking) { s.IncludeRated, s.IncludeSession, s.IncludeOutOfStock = true, true, true },
			"a long list, diverse": func(s *settings.Ranking) { s.Diversity, s.Limit = 0.5, 30 },
		} {
			t.Run(fmt.Sprintf("β %v, %s", beta, name), func(t *testing.T) { w.answerAlike(t, questions, change) })
		}
		w.sampleIsExact(t, number)
	}
}

// sampleIsExact wants that the exact lists of a Sample are those of package blend, and that what the index gives is compared with them.
func (w *world) sampleIsExact(t *testing.T, number int64) {
	active, _, err := vectorstore.ReadActive(t.Context(), w.loader)
	w.Must(err)
	customers := []string{"1", "2", "7", "39", "nobody"}
	sample, err := NewSample(t.Context(), w.service.pool, active, customers, 10)
	w.Must(err)
	options := w.service.Options
	options.IncludeRated, options.IncludeSession, options.IncludeOutOfStock, options.Limit = true, true, true, 10
	var lines []string
	for _, customer := range customers {
		lines = append(lines, fmt.Sprintf(`{"session_id":"s","customer_number":%q}`, customer))
	}
	lines[4] = `{"session_id":"s"}`
	answers, err := New(w.service.pool, w.artifacts, options, w.service.timeout).Answer(t.Context(), batchOf(t, lines))
	w.Must(err)
	for i, exact := range sample.exact[:4] {
		var want []string
		for _, item := range answers[i].Recommended {
			want = append(want, item.ID)
		}
		if !slices.Equal(exact, want) {
			t.Errorf("customer %s of version %d: the sample has %v, package blend %v", customers[i], number, exact, want)
		}
	}
	if recall, err := sample.Recall(t.Context(), 1000); err != nil || recall != 1 || len(sample.exact[4]) > 0 {
		t.Errorf("recall %v of all items, %v", recall, err)
	}
	sample.exact[0][3] = "another"
	if recall, err := sample.Recall(t.Context(), 1000); err != nil || recall >= 1 {
		t.Errorf("recall %v though one item was not found, %v", recall, err)
	}
}

// TestNeighboursAreProbed: no statement of the blend or of the reasons reads a table once for each record or product.
func TestNeighboursAreProbed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	v := versiontest.LargeShop()
	v.Metric = distance.InnerProduct
	v = related(rand.New(rand.NewPCG(7, 7)), v, 0.4)
	for i, row := range v.Rated { // a table of one page would be read
		v.Seen = append(v.Seen, []any{row[0], v.Neighbours.Items[i*31%len(v.Neighbours.Items)]})
	}
	versiontest.Load(w, w.loader, w.artifacts, v)
	active, _, err := vectorstore.ReadActive(t.Context(), w.loader)
	w.Must(err)
	q := batchQuery{version: active, rules: ranking.Rules{Ranking: w.service.Options, Metric: active.Metric}}
	for file, by := range map[string]search{"sources.sql": everySearch, "neighbours.sql": everySearch, "related.sql": byNeighbours, "numbers.sql": byNeighbours, "speakers.sql": byListed} {
		values := q.statement()
		values.By = by
		top, text := w.explain(w.service.texts.text(file, values))
		if slices.ContainsFunc(top.walk(nil, false), func(p plan) bool { return p.repeated && p.readsAll() }) {
			t.Errorf("%s: a table or the batch is read for each record\n%s", file, text)
		}
	}
}
