package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/postgrestest"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/als"
	itemitem "recsys/shared/learn/neighbours"
	"recsys/shared/learn/sparse"
	"recsys/shared/store/vectorstore"
)

// Vectors as functions/train makes them are found by inner product. With -long the test also measures the other way
// to the same order: cosine with one more dimension that brings all items to one length. There, items that few have
// rated are all alike, and the index does not find the neighbours of an item. Without -long the shop is a third as
// large.
func TestTrainedVectorsAreFoundByInnerProduct(t *testing.T) {
	server := postgrestest.ForTest(t)
	customers, catalogue, ratings := 1_000, 4_000, 40_000
	if testbed.Long() {
		customers, catalogue, ratings = 3_000, 12_000, 120_000
	}
	options := als.Default()
	options.Iterations = 4
	factors, err := als.Fit(t.Context(), als.Data{Ratings: tasteful(customers, catalogue, ratings)}, options, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	users, items := rowsOf(factors.Users, factors.Dimension), rowsOf(factors.Items, factors.Dimension)
	for name, c := range map[string]struct {
		users, items [][]float32
		metric       distance.Metric
	}{
		"inner product":    {users, items, distance.InnerProduct},
		"augmented cosine": {longer(users, 0), longer(items, longest(items)), distance.Cosine},
	} {
		if c.metric != distance.InnerProduct && !testbed.Long() {
			continue // nothing is asserted of it
		}
		t.Run(name, func(t *testing.T) {
			b := setup(t, server)
			version, _, err := vectorstore.OfVersion(t.Context(), b.DB, b.load(len(c.items[0]), c.items, c.users, c.metric))
			b.Must(err)
			b.Must(b.Index.build(t.Context(), b.DB, version))
			m, err := measure(t.Context(), b.DB, version, b.Queries, b.Target)
			b.Must(err)
			if t.Logf("%v", m); c.metric == distance.InnerProduct && (m.sequential || m.best().recall < b.Target || m.best().efSearch > 80) {
				t.Errorf("recall %v", m)
			}
		})
	}
}

// The lists of customers are measured with the neighbours that rank next to the vectors, against the exact lists.
func TestListsWithNeighboursAreMeasured(t *testing.T) {
	b := setup(t, postgrestest.ForTest(t))
	ratings := tasteful(1_000, 4_000, 40_000)
	options := als.Default()
	options.Iterations = 4
	factors, err := als.Fit(t.Context(), als.Data{Ratings: ratings}, options, nil, nil)
	b.Must(err)
	table, err := itemitem.KNN(t.Context(), ratings, itemitem.DefaultKNN())
	b.Must(err)
	var items, seen [][]any
	for product := range table.Rows() {
		targets, weights := table.Row(product)
		items = append(items, []any{fmt.Sprintf("S%d", product), int32(product), targets, weights})
	}
	for customer := range ratings.Rows() {
		products, _ := ratings.Row(customer)
		for _, product := range products {
			seen = append(seen, []any{fmt.Sprint(customer), fmt.Sprintf("S%d", product)})
		}
	}
	number := b.load(factors.Dimension, rowsOf(factors.Items, factors.Dimension), rowsOf(factors.Users, factors.Dimension), distance.InnerProduct, func(l *vectorstore.Load) {
		l.Neighbours = &vectorstore.Neighbours{Kind: lake.KNN, Beta: 0.4, Rows: pgx.CopyFromRows(items)}
		l.Snapshot = vectorstore.Snapshot{Name: "s", Of: time.Unix(1, 0), Seen: pgx.CopyFromRows(seen)}
	})
	out := b.handle(b.input(number))
	version, _, err := vectorstore.OfVersion(t.Context(), b.DB, number)
	b.Must(err)
	m, err := measure(t.Context(), b.DB, version, b.Queries, b.Target)
	b.Must(err)
	vectorsAlone := m.best()
	b.Must(m.measureBlend(t.Context(), b.DB, version, b.Queries, b.Target))
	t.Log(m)
	if best := m.best(); !best.blended || vectorsAlone.blended || best.recall < b.Target || out.Recall != best.recall || out.EfSearch != best.efSearch {
		t.Errorf("activated with %+v, measured %v", out, m)
	}
}

func rowsOf(vectors []float32, dimension int) (rows [][]float32) {
	for row := range slices.Chunk(vectors, dimension) {
		rows = append(rows, row)
	}
	return rows
}

func squares(vector []float32) (sum float64) {
	for _, x := range vector {
		sum += float64(x) * float64(x)
	}
	return sum
}

func longest(vectors [][]float32) (most float64) {
	for _, vector := range vectors {
		most = max(most, squares(vector))
	}
	return most
}

// longer adds a dimension that brings vectors to these squares. With 0 it is 0.
func longer(vectors [][]float32, to float64) (out [][]float32) {
	for _, vector := range vectors {
		out = append(out, append(slices.Clone(vector), float32(math.Sqrt(max(to-squares(vector), 0)))))
	}
	return out
}

// tasteful are about so many ratings of customers who, of the items that they come across, rate those they like most.
func tasteful(customers, items, ratings int) *sparse.Matrix {
	const tastes = 8
	random := rand.New(rand.NewPCG(5, 5))
	draw := func(n int) []float64 {
		list := make([]float64, n)
		for i := range list {
			list[i] = random.NormFloat64()
		}
		return list
	}
	of, likes, popularity := draw(items*tastes), draw(customers*tastes), draw(items)
	m := &sparse.Matrix{Width: items, Start: []int64{0}}
	for c := range customers {
		appeal := map[int32]float64{}
		for range 10 * ratings / customers {
			item := random.IntN(items)
			score := popularity[item] + random.NormFloat64()
			for k := range tastes {
				score += 0.7 * likes[c*tastes+k] * of[item*tastes+k]
			}
			appeal[int32(item)] = score
		}
		chosen := make([]int32, 0, len(appeal))
		for item := range appeal {
			chosen = append(chosen, item)
		}
		slices.SortFunc(chosen, func(a, b int32) int {
			if appeal[a] != appeal[b] {
				return int(math.Copysign(1, appeal[b]-appeal[a]))
			}
			return int(a - b)
		})
		chosen = chosen[:min(len(chosen), ratings/customers)]
		slices.Sort(chosen)
		for _, item := range chosen {
			m.Columns, m.Ratings = append(m.Columns, item), append(m.Ratings, 400)
		}
		m.Start = append(m.Start, int64(len(m.Columns)))
	}
	return m
}
