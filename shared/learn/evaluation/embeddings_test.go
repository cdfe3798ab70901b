package evaluation

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"recsys/shared/contract/distance"
)

// distanceOf is the database's, in float64: lower is nearer.
func distanceOf(metric distance.Metric, a, b []float32) float64 {
	dot, aa, bb, apart := 0.0, 0.0, 0.0, 0.0
	for k := range a {
		x, y := float64(a[k]), float64(b[k])
		dot, aa, bb, apart = dot+x*y, aa+x*x, bb+y*y, apart+(x-y)*(x-y)
	}
	switch metric {
	case distance.InnerProduct:
		return -dot
	case distance.L2:
		return math.Sqrt(apart)
	}
	return 1 - dot/math.Sqrt(aa*bb)
}

func vectors(n, dimension int, offset float64, seed uint64) [][]float32 {
	chance := rand.New(rand.NewPCG(seed, uint64(n)))
	rows := make([][]float32, n)
	for i := range rows {
		for range dimension {
			rows[i] = append(rows[i], float32(offset+chance.NormFloat64()))
		}
	}
	return rows
}

func embeddings(t testing.TB, metric distance.Metric, dimension int, customers, items [][]float32) *Embeddings {
	t.Helper()
	e, err := NewEmbeddings(metric, dimension, customers, items)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The items come in the order of the database's distance, computed exactly. That also holds for l2 far from zero.
func TestEmbeddingsRankAsTheDatabase(t *testing.T) {
	const dimension = 7
	tried := map[distance.Metric][]float64{distance.Cosine: {0, 1}, distance.InnerProduct: {0, 1}, distance.L2: {0, 300}}
	for _, name := range distance.Names() {
		if tried[distance.Metric(name)] == nil {
			t.Errorf("%s is not tried", name)
		}
	}
	for metric, offsets := range tried {
		for _, offset := range offsets {
			customers, items := vectors(5, dimension, offset, 1), vectors(61, dimension, offset, 2)
			scores := make([]float32, 2*61)
			embeddings(t, metric, dimension, customers, items).Score(scores, []int32{4, 1})
			for i, c := range []int{4, 1} {
				order := make([]int, 61)
				for item := range order {
					order[item] = item
				}
				row := scores[i*61:]
				slices.SortFunc(order, func(a, b int) int {
					return slices.Compare([]float32{row[b]}, []float32{row[a]})
				})
				for place := 1; place < len(order); place++ {
					before, after := distanceOf(metric, customers[c], items[order[place-1]]), distanceOf(metric, customers[c], items[order[place]])
					if before > after+1e-6*math.Abs(after) {
						t.Fatalf("%s, offset %v, customer %d: place %d has distance %v, before it %v", metric, offset, c, place, after, before)
					}
				}
			}
		}
	}
}

func TestMissingVectors(t *testing.T) {
	customers := [][]float32{{1, 0}, nil, {0, 0}}
	items := [][]float32{{1, 1}, nil, {0, 0}, {-1, 2}}
	never := float32(math.Inf(-1))
	for metric, want := range map[distance.Metric][]float32{
		distance.InnerProduct: {1, never, 0, -1, never, never, never, never, 0, never, 0, 0},
		distance.Cosine:       {0.70710677, never, never, -0.4472136, never, never, never, never, never, never, never, never},
	} {
		got := make([]float32, 12)
		embeddings(t, metric, 2, customers, items).Score(got, []int32{0, 1, 2})
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", metric, got, want)
		}
	}
	got := make([]float32, 12)
	embeddings(t, distance.L2, 2, customers, items).Score(got, []int32{0, 1, 2})
	if got[1] != never || got[4] != never || got[8] == never || got[10] <= got[8] {
		t.Errorf("l2: %v", got)
	}
}

func TestNewEmbeddingsRefuses(t *testing.T) {
	for name, try := range map[string]func() (*Embeddings, error){
		"a short customer": func() (*Embeddings, error) { return NewEmbeddings(distance.L2, 2, [][]float32{{1}}, nil) },
		"a long item":      func() (*Embeddings, error) { return NewEmbeddings(distance.L2, 2, nil, [][]float32{nil, {1, 2, 3}}) },
		"no dimension":     func() (*Embeddings, error) { return NewEmbeddings(distance.L2, 0, nil, nil) },
		"another metric":   func() (*Embeddings, error) { return NewEmbeddings("manhattan", 2, nil, nil) },
	} {
		if _, err := try(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestMetricsCompareThatPart: the order of the items does not depend on the lengths that the metric's row says it leaves aside, and
// depends on the others.
func TestMetricsCompareThatPart(t *testing.T) {
	const dimension, items = 5, 40
	longer := func(rows [][]float32) [][]float32 {
		scaled := make([][]float32, len(rows))
		for i, row := range rows {
			for _, x := range row {
				scaled[i] = append(scaled[i], x*float32(int(2)<<(i%3))) // exact
			}
		}
		return scaled
	}
	customers, all := vectors(1, dimension, 0, 1), vectors(items, dimension, 0, 2)
	for _, name := range distance.Names() {
		metric := distance.Metric(name)
		order := func(customers, all [][]float32) []int {
			scores := make([]float32, items)
			embeddings(t, metric, dimension, customers, all).Score(scores, []int32{0})
			places := make([]int, items)
			for i := range places {
				places[i] = i
			}
			slices.SortFunc(places, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
			return places
		}
		want := order(customers, all)
		if same := slices.Equal(order(longer(customers), all), want); same != metric.ByDirection() {
			t.Errorf("%s, a longer customer's vector: the same order %t, ByDirection %t", name, same, metric.ByDirection())
		}
		if same := slices.Equal(order(customers, longer(all)), want); same != metric.IgnoresLength() {
			t.Errorf("%s, longer items: the same order %t, IgnoresLength %t", name, same, metric.IgnoresLength())
		}
	}
}
