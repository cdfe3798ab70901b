package coldstart

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// drawn is rows of features: a number, which every third row lacks, and one of three categories.
func drawn(r *rand.Rand, rows int) *Features {
	f := &Features{Width: 4, Start: []int64{0}}
	for row := range rows {
		if row%3 > 0 {
			f.Columns, f.Values = append(f.Columns, 0), append(f.Values, float32(r.NormFloat64()))
		}
		f.Columns, f.Values = append(f.Columns, 1+r.Int32N(3)), append(f.Values, 1)
		f.Start = append(f.Start, int64(len(f.Columns)))
	}
	return f
}

// cost is the quantity that a Ridge minimises.
func cost(f *Features, weights, vectors []float32, stride int, ridge float64, m Map) (sum float64) {
	mean := make([]float32, m.Dimension)
	for row, weight := range weights {
		columns, values := f.Row(row)
		m.Apply(mean, columns, values)
		for k, v := range mean {
			difference := float64(vectors[row*stride+k]) - float64(v)
			sum += float64(weight) * difference * difference
		}
	}
	for _, w := range m.Weights[m.Dimension:] {
		sum += ridge * float64(w) * float64(w)
	}
	return sum
}

// No step from the map makes the cost less: the cost is convex, so the map is the best.
func TestFitIsTheMinimum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	const rows, dimension, stride, ridge = 60, 3, 5, 0.7
	f, weights, vectors := drawn(r, rows), make([]float32, rows), make([]float32, rows*stride)
	for i := range weights {
		weights[i] = float32(i % 4)
	}
	for i := range vectors {
		vectors[i] = float32(r.NormFloat64())
	}
	regression, err := NewRidge(f, weights, ridge)
	if err != nil {
		t.Fatal(err)
	}
	m := regression.Fit(vectors, dimension, stride)
	least := cost(f, weights, vectors, stride, ridge, m)
	for i := range m.Weights {
		for _, step := range []float32{-0.02, 0.02} {
			moved := Map{dimension, slices.Clone(m.Weights)}
			moved.Weights[i] += step
			if c := cost(f, weights, vectors, stride, ridge, moved); c <= least {
				t.Errorf("weight %d moved by %g costs %g, less than %g", i, step, c, least)
			}
		}
	}
}

// With next to no ridge the map finds the one that the vectors were made with.
func TestFitFindsThePlantedMap(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	f := drawn(r, 400)
	planted := Map{2, []float32{0.5, -1, 2, 0, 0.25, 1, -0.5, -0.75, 0.25, -0.25}} // the categories' rows have the sum 0
	vectors, weights := make([]float32, 800), slices.Repeat([]float32{1}, 400)
	for row := range 400 {
		columns, values := f.Row(row)
		planted.Apply(vectors[2*row:2*row+2], columns, values)
	}
	regression, err := NewRidge(f, weights, 1e-6)
	if err != nil {
		t.Fatal(err)
	}
	got := regression.Fit(vectors, 2, 2)
	for i, w := range planted.Weights {
		if math.Abs(float64(got.Weights[i]-w)) > 1e-4 {
			t.Errorf("weight %d is %g, want %g", i, got.Weights[i], w)
		}
	}
}

func TestRowsOfNoWeightCountForNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	f, vectors, weights := drawn(r, 20), make([]float32, 20), make([]float32, 20)
	regression, err := NewRidge(f, weights, 1)
	if err != nil {
		t.Fatal(err)
	}
	vectors[4] = 9
	if m := regression.Fit(vectors, 1, 1); !slices.Equal(m.Weights, make([]float32, 5)) {
		t.Errorf("without weights: %v, want zeros", m.Weights)
	}
	weights[4] = 2 // the one row is explained by its bias
	if regression, err = NewRidge(f, weights, 1); err != nil {
		t.Fatal(err)
	}
	if m := regression.Fit(vectors, 1, 1); math.Abs(float64(m.Weights[0])-9) > 1e-5 {
		t.Errorf("of one row: %v, want a bias of 9", m.Weights)
	}
}

func TestBadRegressionsAreRefused(t *testing.T) {
	f := drawn(rand.New(rand.NewPCG(4, 1)), 6)
	if _, err := NewRidge(&Features{Width: MaxWidth + 1, Start: []int64{0}}, nil, 1); err == nil {
		t.Error("too many features: no error")
	}
	if _, err := NewRidge(f, []float32{0, 0, 0, 0, 0, float32(math.NaN())}, 1); err == nil {
		t.Error("a weight of NaN: no error")
	}
	if _, err := NewRidge(f, make([]float32, 6), -1); err == nil {
		t.Error("a ridge under 0: no error")
	}
	if _, err := NewRidge(f, make([]float32, 5), 1); err == nil {
		t.Error("weights of other rows: no error")
	}
}

// As many customers as MovieLens-20M has, and as many cities and countries as a world-wide shop.
func BenchmarkRidge(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 1))
	const rows, width, dimension = 138_493, 1_200, 32
	f := &Features{Width: width, Start: []int64{0}}
	for range rows {
		f.Columns = append(f.Columns, 0, 1+r.Int32N(1_000), 1_001+r.Int32N(199))
		f.Values = append(f.Values, float32(r.NormFloat64()), 1, 1)
		f.Start = append(f.Start, int64(len(f.Columns)))
	}
	weights, vectors := slices.Repeat([]float32{1}, rows), make([]float32, rows*dimension)
	for i := range vectors {
		vectors[i] = float32(r.NormFloat64())
	}
	regression, err := NewRidge(f, weights, 1)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("prepare", func(b *testing.B) {
		for b.Loop() {
			if _, err := NewRidge(f, weights, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("fit", func(b *testing.B) {
		for b.Loop() {
			regression.Fit(vectors, dimension, dimension)
		}
		b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
