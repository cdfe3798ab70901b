package blend

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"recsys/shared/contract/distance"
	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/neighbours"
	"recsys/shared/learn/sparse"
)

// four has four products, of which the last has no vector. The first speaks for the second and against the third.
func four(beta float64) Model {
	return Model{
		Metric: distance.InnerProduct, Dimension: 2, Items: []string{"a", "b", "c", "d"}, Vectors: []float32{1, 0, 0, 1, 2, 0, 0, 0},
		Neighbours: &neighbours.Table{Start: []int64{0, 2, 3, 3, 3}, Items: []int32{1, 2, 0}, Weights: []float32{0.5, -0.25, 4}}, Beta: beta,
	}
}

func scorer(t testing.TB, m Model) *Scorer {
	t.Helper()
	s, err := NewScorer(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScore(t *testing.T) {
	inf := float32(math.Inf(-1))
	for _, c := range []struct {
		name    string
		beta    float64
		vector  []float32
		history []int32
		want    []float32
	}{
		// v is 1, 0, 2 with A = 1.5, and n is 0, ½, -¼ with B = ½.
		{"half each", 0.5, []float32{1, 0}, []int32{0}, []float32{1. / 3, 0.5, 2./3 - 0.25, inf}},
		{"vectors alone", 0, []float32{1, 0}, []int32{0}, []float32{1, 0, 2, inf}},
		{"neighbours alone", 1, []float32{1, 0}, []int32{0}, []float32{0, 1, -0.5, inf}},
		{"several products add up", 1, []float32{1, 0}, []int32{0, 1}, []float32{4 / 2.25, 0.5 / 2.25, -0.25 / 2.25, inf}},
		{"no history: the vectors count whole", 1, []float32{1, 0}, nil, []float32{1 / 1.5, 0, 2 / 1.5, inf}},
		{"a product without neighbours", 0.5, []float32{1, 0}, []int32{2}, []float32{1 / 1.5, 0, 2 / 1.5, inf}},
		{"no vector: the neighbours count whole", 0.25, nil, []int32{0}, []float32{0, 1, -0.5, inf}},
		{"no vector, no history", 0.5, nil, nil, []float32{inf, inf, inf, inf}},
		{"no score over 0: the vectors as they are", 0.5, []float32{-1, 0}, nil, []float32{-1, 0, -2, inf}},
		{"no vector's score over 0", 0.5, []float32{-1, 0}, []int32{0}, []float32{0, 1, -0.5, inf}},
	} {
		got := make([]float32, 4)
		scorer(t, four(c.beta)).ScoreOne(got, c.vector, c.history)
		for i := range got {
			if got[i] != c.want[i] && math.Abs(float64(got[i]-c.want[i])) > 1e-6 {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
				break
			}
		}
	}
}

// Without neighbours the scores are those of the vectors, to the bit. So is the score in a batch of any size.
func TestVectorsAloneScoreAsEver(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for _, metric := range []distance.Metric{distance.InnerProduct, distance.Cosine, distance.L2} {
		m := random(chance, 83, 7, 0.5)
		m.Metric, m.Neighbours = metric, nil
		clear(m.Vectors[7:14]) // one without a vector
		customers, items := vectors(random(chance, 9, 7, 0)), vectors(m)
		customers[3], items[1] = nil, nil
		embeddings, err := evaluation.NewEmbeddings(metric, 7, customers, items)
		if err != nil {
			t.Fatal(err)
		}
		all := []int32{0, 1, 2, 3, 4, 5, 6, 7, 8}
		want, got, one := make([]float32, 9*83), make([]float32, 9*83), make([]float32, 83)
		embeddings.Score(want, all)
		s := scorer(t, m)
		s.Score(got, customers, make([][]int32, 9))
		if !slices.Equal(got, want) {
			t.Errorf("%s: not the scores of the vectors alone", metric)
		}
		for c := range all {
			if s.ScoreOne(one, customers[c], nil); !slices.Equal(one, want[c*83:(c+1)*83]) {
				t.Errorf("%s: customer %d alone has other scores than in a batch", metric, c)
			}
		}
	}
}

func TestBlendIsTheSameInBatches(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 4))
	m := random(chance, 200, 16, 0.3)
	s, customers := scorer(t, m), vectors(random(chance, 70, 16, 0))
	history := &sparse.Matrix{Width: 200, Start: []int64{0}}
	for c := range customers {
		for item := int32(c % 7); item < 200; item += int32(11 + c) {
			history.Columns, history.Ratings = append(history.Columns, item), append(history.Ratings, 100)
		}
		history.Start = append(history.Start, int64(len(history.Columns)))
	}
	rows := make([]int32, len(customers))
	for c := range rows {
		rows[c] = int32(len(rows) - 1 - c)
	}
	all, one := make([]float32, len(rows)*200), make([]float32, 200)
	Customers{s, customers, history}.Score(all, rows)
	for i, c := range rows {
		of, _ := history.Row(int(c))
		if s.ScoreOne(one, customers[c], of); !slices.Equal(one, all[i*200:(i+1)*200]) {
			t.Errorf("customer %d alone has other scores than in a batch", c)
		}
	}
}

func TestALongHistoryCountsInPart(t *testing.T) {
	const items = MostHistory + 1
	m := Model{Metric: distance.InnerProduct, Dimension: 1, Items: make([]string, items), Vectors: make([]float32, items), Beta: 1,
		Neighbours: &neighbours.Table{Start: make([]int64, items+1)}}
	history := make([]int32, items)
	for i := range items {
		m.Vectors[i], history[i] = 1, int32(i)
		m.Neighbours.Start[i+1] = int64(i + 1)
		m.Neighbours.Items, m.Neighbours.Weights = append(m.Neighbours.Items, int32(i)), append(m.Neighbours.Weights, 1)
	}
	got := make([]float32, items)
	scorer(t, m).ScoreOne(got, []float32{1}, history)
	if got[MostHistory-1] != 1 || got[MostHistory] != 0 {
		t.Errorf("the last scores are %v, want 1 and 0", got[MostHistory-1:])
	}
}

func TestScale(t *testing.T) {
	many := make([]float32, 1000)
	for i := range many {
		many[(i*7919)%1000] = float32(i) - 500
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, c := range []struct {
		scores []float32
		want   float64
	}{
		{nil, 0}, {[]float32{-1, 0, inf, nan}, 0}, {[]float32{-1, 3, 0, 1, inf, nan}, 2}, {many, 499 - 24.5},
	} {
		if got := Scale(c.scores); got != c.want {
			t.Errorf("the scale of %d scores is %v, want %v", len(c.scores), got, c.want)
		}
	}
}

func TestModelsThatDoNotFit(t *testing.T) {
	for name, change := range map[string]func(*Model){
		"vectors": func(m *Model) { m.Vectors = m.Vectors[1:] }, "dimension": func(m *Model) { m.Dimension = 0 },
		"beta": func(m *Model) { m.Beta = 1.1 }, "no number": func(m *Model) { m.Beta = math.NaN() },
		"metric": func(m *Model) { m.Metric = distance.Cosine }, "unknown metric": func(m *Model) { m.Metric, m.Neighbours = "none", nil },
		"neighbours": func(m *Model) { m.Neighbours = &neighbours.Table{Start: []int64{0}} },
	} {
		m := four(0.5)
		if change(&m); true {
			if _, err := NewScorer(m); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	}
}

func vectors(m Model) [][]float32 {
	rows := make([][]float32, len(m.Items))
	for i := range rows {
		rows[i] = m.Vectors[i*m.Dimension : (i+1)*m.Dimension]
	}
	return rows
}

// random returns a model in which each product has ten targets.
func random(chance *rand.Rand, items, dimension int, beta float64) Model {
	m := Model{Metric: distance.InnerProduct, Dimension: dimension, Items: make([]string, items), Beta: beta,
		Neighbours: &neighbours.Table{Start: []int64{0}}}
	for range items * dimension {
		m.Vectors = append(m.Vectors, float32(chance.NormFloat64()))
	}
	for range items {
		for k := range min(10, items) {
			m.Neighbours.Items = append(m.Neighbours.Items, int32(k*items/10%items))
			m.Neighbours.Weights = append(m.Neighbours.Weights, float32(chance.NormFloat64()))
		}
		m.Neighbours.Start = append(m.Neighbours.Start, int64(len(m.Neighbours.Items)))
	}
	return m
}

// BenchmarkScore scores 10,000 products of 128 dimensions, with 100 targets a product and 30 products a customer.
func BenchmarkScore(b *testing.B) {
	chance := rand.New(rand.NewPCG(1, 1))
	const items, dimension, batch = 10_000, 128, 64
	m := random(chance, items, dimension, 0.5)
	m.Neighbours = &neighbours.Table{Start: []int64{0}}
	for range items {
		for k := range 100 {
			m.Neighbours.Items = append(m.Neighbours.Items, int32(k*100+chance.IntN(100)))
			m.Neighbours.Weights = append(m.Neighbours.Weights, chance.Float32())
		}
		m.Neighbours.Start = append(m.Neighbours.Start, int64(len(m.Neighbours.Items)))
	}
	customers, histories := vectors(random(chance, batch, dimension, 0)), make([][]int32, batch)
	for c := range histories {
		for k := range 30 {
			histories[c] = append(histories[c], int32(k*300+chance.IntN(300)))
		}
	}
	for name, m := range map[string]Model{"blend": m, "vectors": {Metric: m.Metric, Dimension: dimension, Items: m.Items, Vectors: m.Vectors}} {
		s := scorer(b, m)
		for _, n := range []int{1, batch} {
			b.Run(name+map[int]string{1: " alone", batch: " in a batch"}[n], func(b *testing.B) {
				dst := make([]float32, n*items)
				b.ReportAllocs()
				for b.Loop() {
					s.Score(dst, customers[:n], histories[:n])
				}
				b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "customers/s")
			})
		}
	}
}
