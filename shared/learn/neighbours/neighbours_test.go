package neighbours

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"recsys/shared/learn/sparse"
)

// tastes draws customers of groups who mostly take their own group's products.
func tastes(seed uint64, customers, products, perCustomer int) *sparse.Matrix {
	chance := rand.New(rand.NewPCG(seed, 0))
	m := &sparse.Matrix{Width: products, Start: []int64{0}}
	for c := range customers {
		has := make([]bool, products)
		for range perCustomer {
			product := chance.IntN(products)
			if chance.IntN(4) > 0 {
				product = product/7*7 + c%7
			}
			has[min(product, products-1)] = true
		}
		for p, yes := range has {
			if yes {
				m.Columns, m.Ratings = append(m.Columns, int32(p)), append(m.Ratings, uint16(100+p%5*100))
			}
		}
		m.Start = append(m.Start, int64(len(m.Columns)))
	}
	return m
}

func filled(m *sparse.Matrix) *mat.Dense {
	d := mat.NewDense(m.Rows(), m.Width, nil)
	for c := range m.Rows() {
		products, _ := m.Row(c)
		for _, p := range products {
			d.Set(c, int(p), 1)
		}
	}
	return d
}

// wanted returns the table of a full matrix of weights, sources by targets.
func wanted(weights func(source, target int) float64, products, neighbours int) *Table {
	targets := make([][]entry, products)
	for t := range targets {
		for s := range products {
			if w := float32(weights(s, t)); s != t && w != 0 {
				targets[t] = append(targets[t], entry{int32(s), w})
			}
		}
		targets[t] = best(targets[t], neighbours)
	}
	return bySource(targets)
}

func same(t *testing.T, got, want *Table, tolerance float64) {
	t.Helper()
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
	if !reflect.DeepEqual(got.Start, want.Start) || !reflect.DeepEqual(got.Items, want.Items) {
		t.Fatalf("other neighbours: %d entries, want %d", len(got.Items), len(want.Items))
	}
	for k, w := range want.Weights {
		if math.Abs(float64(got.Weights[k]-w)) > tolerance {
			t.Fatalf("entry %d weighs %v, want %v", k, got.Weights[k], w)
		}
	}
}

func TestKNNIsTheFormula(t *testing.T) {
	m := tastes(1, 60, 40, 6)
	x := filled(m)
	norm := func(p int) (sum float64) {
		for c := range m.Rows() {
			sum += x.At(c, p) / mat.Sum(x.RowView(c))
		}
		return sum
	}
	o := KNNOptions{Neighbours: 5, TargetExponent: 0.3, SourceExponent: 0.5}
	got, err := KNN(t.Context(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, wanted(func(s, target int) float64 {
		common := 0.0
		for c := range m.Rows() {
			common += x.At(c, s) * x.At(c, target) / mat.Sum(x.RowView(c))
		}
		return common * math.Pow(norm(s), -0.5) * math.Pow(norm(target), -0.3)
	}, m.Width, o.Neighbours), 1e-6)
}

func TestEASEIsTheFormula(t *testing.T) {
	m := tastes(2, 200, 50, 6)
	x := filled(m)
	var gram, inverse mat.Dense
	gram.Mul(x.T(), x)
	for p := range m.Width {
		gram.Set(p, p, gram.At(p, p)+20)
	}
	if err := inverse.Inverse(&gram); err != nil {
		t.Fatal(err)
	}
	got, err := EASE(t.Context(), m, EASEOptions{Ridge: 20, Neighbours: 12})
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, wanted(func(s, target int) float64 { return -inverse.At(s, target) / inverse.At(target, target) }, m.Width, 12), 1e-5)
}

func TestWorkersChangeNoBit(t *testing.T) {
	m := tastes(3, 300, 150, 8)
	for name, fit := range map[string]func(workers int) (*Table, error){
		"kNN": func(workers int) (*Table, error) {
			return KNN(t.Context(), m, KNNOptions{Neighbours: 20, TargetExponent: 0.3, SourceExponent: 0.3, Workers: workers})
		},
		"EASE": func(workers int) (*Table, error) {
			return EASE(t.Context(), m, EASEOptions{Ridge: 5, Neighbours: 20, Workers: workers})
		},
	} {
		one, err := fit(1)
		if err != nil {
			t.Fatal(err)
		}
		for _, workers := range []int{2, 5} {
			if got, err := fit(workers); err != nil || !reflect.DeepEqual(got, one) {
				t.Errorf("%s with %d workers: other bits, error %v", name, workers, err)
			}
		}
	}
}

func TestScoresAreTheSumsOfACustomersProducts(t *testing.T) {
	table := &Table{Start: []int64{0, 2, 3, 3}, Items: []int32{1, 2, 0}, Weights: []float32{1, -2, 4}}
	m := &sparse.Matrix{Width: 3, Start: []int64{0, 2, 3}, Columns: []int32{0, 1, 2}, Ratings: []uint16{100, 100, 100}}
	got := []float32{9, 9, 9, 9, 9, 9}
	Scores{table, m}.Score(got, []int32{0, 1})
	if want := []float32{4, 1, -2, 0, 0, 0}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestBadInputIsRefused(t *testing.T) {
	m := tastes(4, 20, 10, 3)
	for _, o := range []KNNOptions{{}, {Neighbours: 1, TargetExponent: math.NaN()}, {Neighbours: 1, SourceExponent: 1.1}, {Neighbours: 1, Workers: -1}} {
		if _, err := KNN(t.Context(), m, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	for _, o := range []EASEOptions{{Neighbours: 1}, {Ridge: math.Inf(1), Neighbours: 1}, {Ridge: 1}} {
		if _, err := EASE(t.Context(), m, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	wide := &sparse.Matrix{Width: MaxEASE + 1, Start: []int64{0}}
	if _, err := EASE(t.Context(), wide, EASEOptions{Ridge: 1, Neighbours: 1}); err == nil || !strings.Contains(err.Error(), "15000") {
		t.Errorf("too many products: %v", err)
	}
}

// Products that all customers have together cannot be told apart without a ridge.
func TestAnInexactInverseIsRefused(t *testing.T) {
	m := &sparse.Matrix{Width: 30, Start: []int64{0}}
	for range 3000 {
		for p := range 30 {
			m.Columns, m.Ratings = append(m.Columns, int32(p)), append(m.Ratings, 300)
		}
		m.Start = append(m.Start, int64(len(m.Columns)))
	}
	if _, err := EASE(t.Context(), m, EASEOptions{Ridge: 1e-3, Neighbours: 5}); !errors.Is(err, ErrIllConditioned) {
		t.Errorf("error %v", err)
	}
}

func TestDamagedTablesAreFound(t *testing.T) {
	for _, table := range []Table{
		{},
		{Start: []int64{0, 1}},
		{Start: []int64{0, 2, 1}, Items: []int32{0}, Weights: []float32{1}},
		{Start: []int64{0, 1}, Items: []int32{1}, Weights: []float32{1}},
		{Start: []int64{0, 2, 2}, Items: []int32{1, 0}, Weights: []float32{1, 1}},
		{Start: []int64{0, 1}, Items: []int32{0}, Weights: []float32{float32(math.NaN())}},
	} {
		if table.Validate() == nil {
			t.Errorf("%+v: no error", table)
		}
	}
}
