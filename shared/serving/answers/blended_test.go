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
	}
}
