package evaluation

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"recsys/shared/learn/sparse"
)

// matrix takes the columns of each row.
func matrix(width int, rows ...[]int32) *sparse.Matrix {
	m := &sparse.Matrix{Width: width, Start: []int64{0}}
	for _, columns := range rows {
		for _, c := range columns {
			m.Columns, m.Ratings = append(m.Columns, c), append(m.Ratings, 300)
		}
		m.Start = append(m.Start, int64(len(m.Columns)))
	}
	return m
}

// table is a scorer by rows.
type table [][]float32

func (s table) Score(dst []float32, customers []int32) {
	for i, c := range customers {
		copy(dst[i*len(s[c]):], s[c])
	}
}

func evaluate(t *testing.T, train, heldOut *sparse.Matrix, s Scorer, workers int) Result {
	t.Helper()
	r, err := Evaluate(context.Background(), HoldOut{Train: train, HeldOut: heldOut}, s, workers)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Eight items and five customers. The third has nothing held out, and the fourth nothing else.
func TestEvaluateByHand(t *testing.T) {
	train := matrix(8, []int32{0}, []int32{0, 1}, []int32{0, 2}, nil, []int32{7})
	heldOut := matrix(8, []int32{2}, []int32{3, 7}, nil, []int32{5}, []int32{0, 1, 2, 3, 4, 5})
	scores := table{
		{9, 8, 7, 6, 5, 4, 3, 2}, // candidates 1 2 3 4 5 | 6 7: the hit is at 2
		{9, 8, 1, 2, 3, 4, 5, 6}, // candidates 7 6 5 4 3 | 2: hits at 1 and 5
		{1, 1, 1, 1, 1, 1, 1, 1},
		{1, 1, 1, 1, 1, 1, 1, 1},
		{0, 0, 0, 0, 0, 0, 1, 2}, // candidates 6 0 1 2 3 | 4 5: hits at 2, 3, 4, 5, 6 and 7
	}
	r := evaluate(t, train, heldOut, scores, 2)
	if r.Customers != 3 || r.HeldOut != 9 || r.Items != 8 || r.Unserved != 0 {
		t.Errorf("%d customers, %d held out, %d items, %d unserved", r.Customers, r.HeldOut, r.Items, r.Unserved)
	}
	near(t, "MRR", r.MRR, (1./2+1./1+1./2)/3, 1e-12)
	near(t, "recall@5", r.At[0].Recall, (1+1+4./5)/3, 1e-12)
	near(t, "recall@10", r.At[1].Recall, 1, 1e-12) // ten places hold all candidates
	// By customer: 0.63093, (1 + 0.38685) / 1.63093 = 0.85035, (0.63093 + 0.5 + 0.43068 + 0.38685) / 2.94846 =
	// 0.66084.
	near(t, "NDCG@5", r.At[0].NDCG, (0.63093+0.85035+0.66084)/3, 1e-5)
	// The third: (2.94846 - 1 + 0.35621 + 0.33333) / (2.94846 + 0.35621) = 2.63800 / 3.30467 = 0.79826.
	near(t, "NDCG@10", r.NDCG10(), (0.63093+0.85035+0.79826)/3, 1e-5)
	if r.At[2].NDCG != r.At[1].NDCG {
		t.Errorf("NDCG@20 %v of eight items, @10 %v", r.At[2].NDCG, r.At[1].NDCG)
	}
	near(t, "coverage@5", r.At[0].Coverage, 1, 0) // 0 to 7 are all in one of the lists
	// Four customers have something: 0 is had by 3, 1, 2 and 7 by 1, the others by nobody. In bits, of 5: 0 log2(5/4)
	// = 0.32193, 1, 2, 7 log2(5/2) = 1.32193, 3 to 6 log2(5) = 2.32193. The lists at 5: 1 2 3 4 5, 7 6 5 4 3, 6 0 1 2
	// 3.
	near(t, "novelty@5", r.At[0].Novelty, (2*1.32193+3*2.32193+1.32193+4*2.32193+2.32193+0.32193+2*1.32193+2.32193)/15, 1e-5)
	if want := [10]int{6: 1, 7: 1, 8: 1}; r.Histogram != want {
		t.Errorf("histogram %v, want %v", r.Histogram, want)
	}
	for i, want := range []float64{0.63093, 0.85035, 0.79826} {
		near(t, "a customer's NDCG@10", r.PerCustomer[i], want, 1e-5)
	}
}

func TestCoverageCountsAnyonesList(t *testing.T) {
	// Two customers, both with item 0, and seven candidates. The lists at 5 are 1 2 3 4 5 and 2 3 4 5 6. 0 and 7 are
	// in none.
	train := matrix(8, []int32{0}, []int32{0})
	heldOut := matrix(8, []int32{7}, []int32{7})
	r := evaluate(t, train, heldOut, table{{0, 9, 8, 7, 6, 5, 4, 3}, {0, 1, 9, 8, 7, 6, 5, 0}}, 1)
	near(t, "coverage@5", r.At[0].Coverage, 6./8, 0)
	near(t, "coverage@10", r.At[1].Coverage, 7./8, 0)
	near(t, "MRR", r.MRR, 1./7, 1e-12)
}

// Of 250 items the two best-known ones are the head, the lower index first. A small catalogue has a head of one.
func TestTheHeadByHand(t *testing.T) {
	counts := make([]int, 250)
	counts[7], counts[40], counts[90] = 9, 5, 5
	for n, want := range map[int][]int{250: {7, 40}, 99: {7}, 3: {0}} {
		var got []int
		for item, head := range headOf(counts[:n]) {
			if head {
				got = append(got, item)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("of %d items: the head is %v, want %v", n, got, want)
		}
	}
	if head := headOf(nil); len(head) != 0 {
		t.Errorf("of no items: %v", head)
	}
}

// Each history's mean is that of its customers, and its bounds belong to it.
func TestQualityByHistory(t *testing.T) {
	const width = 40
	row := func(n int) (columns []int32) {
		for item := range int32(n) {
			columns = append(columns, item)
		}
		return columns
	}
	train := matrix(width, row(1), row(4), row(5), row(19), row(20), row(4))
	heldOut := matrix(width, []int32{39}, []int32{39}, []int32{39}, []int32{39}, []int32{39}, nil)
	first, none := make([]float32, width), make([]float32, width)
	first[39] = 1
	r := evaluate(t, train, heldOut, table{first, none, first, first, none, first}, 2)
	want := [3]History{{From: 1, To: 4, Customers: 2, NDCG10: 0.5}, {From: 5, To: 19, Customers: 2, NDCG10: 1}, {From: 20, Customers: 1}}
	if r.ByHistory != want {
		t.Errorf("%+v, want %+v", r.ByHistory, want)
	}
	if texts := []string{want[0].String(), want[1].String(), want[2].String()}; !slices.Equal(texts, []string{"1–4", "5–19", "20+"}) {
		t.Errorf("named %q", texts)
	}
}

// A held-out pair counts for the age of its item, in the first ten and below. An item without an age counts for none.
func TestQualityByAge(t *testing.T) {
	const width = 40
	ages := make([]int32, width)
	for item, days := range []int32{0, 29, 30, 179, 180, 2000, -1} {
		ages[item+20] = days
	}
	row := make([]float32, width) // the items 20 to 26 come at the ranks 7 to 13
	for item := range row {
		row[item] = -float32(item)
		if item >= 7 && item < 20 {
			row[item] = -100
		}
	}
	by := HoldOut{Train: matrix(width, []int32{0}, []int32{0}, nil), HeldOut: matrix(width, []int32{20, 21, 22, 23, 24, 25, 26}, []int32{20}, []int32{21}), Ages: ages}
	r, err := Evaluate(t.Context(), by, table{row, row, row}, 2)
	want := []Age{{From: 0, To: 29, HeldOut: 3, Found: 1}, {From: 30, To: 179, HeldOut: 2, Found: 1}, {From: 180, HeldOut: 2}}
	if err != nil || !slices.Equal(r.ByAge, want) {
		t.Errorf("%+v, %v, want %+v", r.ByAge, err, want)
	}
	if texts := []string{want[0].String(), want[1].String(), want[2].String()}; !slices.Equal(texts, []string{"0–29", "30–179", "180+"}) {
		t.Errorf("named %q", texts)
	}
}

func TestEvaluateRagged(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name           string
		train, heldOut *sparse.Matrix
		scores         table
		customers      int
		unserved       int
	}{
		{"no customers", matrix(3), matrix(3), nil, 0, 0},
		{"no items", matrix(0, nil), matrix(0, nil), table{{}}, 0, 0},
		{"nothing held out", matrix(3, []int32{0, 1}), matrix(3, nil), table{{1, 2, 3}}, 0, 0},
		{"everything held out", matrix(3, nil), matrix(3, []int32{0, 1}), table{{1, 2, 3}}, 0, 0},
		{"nothing can be recommended", matrix(3, []int32{0}, []int32{0}), matrix(3, []int32{1}, []int32{2}), table{{nan, nan, nan}, {nan, nan, 1}}, 2, 1},
	} {
		r := evaluate(t, c.train, c.heldOut, c.scores, 2)
		if r.Customers != c.customers || r.Unserved != c.unserved || len(r.PerCustomer) != c.customers {
			t.Errorf("%s: %d customers, %d unserved; want %d, %d", c.name, r.Customers, r.Unserved, c.customers, c.unserved)
		}
		if c.customers == 0 && (r.MRR != 0 || r.NDCG10() != 0 || r.Interval != Interval{}) {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	if _, err := Evaluate(context.Background(), HoldOut{Train: matrix(3, nil), HeldOut: matrix(4, nil)}, Random(1), 1); err == nil {
		t.Error("matrices of different shape: no error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Evaluate(ctx, HoldOut{Train: matrix(3, []int32{0}), HeldOut: matrix(3, []int32{1})}, Random(1), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// chanceMatrices are skewed ratings of about n items a customer, a fifth of them held out.
func chanceMatrices(customers, items, n int, seed uint64) (train, heldOut *sparse.Matrix) {
	chance := rand.New(rand.NewPCG(seed, 0))
	rows := make([][]int32, customers)
	for c := range rows {
		for range chance.IntN(2 * n) {
			rows[c] = append(rows[c], int32(float64(items)*math.Pow(chance.Float64(), 3)))
		}
		slices.Sort(rows[c])
		rows[c] = slices.Compact(rows[c])
	}
	return matrix(items, rows...).Split(func(int, int) bool { return chance.IntN(5) == 0 })
}

func TestWorkersChangeNothing(t *testing.T) {
	train, heldOut := chanceMatrices(500, 300, 20, 1)
	for name, s := range map[string]Scorer{"random": Random(3), "popularity": Popularity(ratingsOf(train))} {
		want := evaluate(t, train, heldOut, s, 1)
		for _, workers := range []int{2, 7, 0} {
			if got := evaluate(t, train, heldOut, s, workers); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %d workers: another result", name, workers)
			}
		}
	}
}

// The popularity ranking is the same by a plain computation that sorts everything.
func TestPopularityAgainstReference(t *testing.T) {
	for seed := range uint64(5) {
		train, heldOut := chanceMatrices(200, 100, 12, seed)
		got, want := evaluate(t, train, heldOut, Popularity(ratingsOf(train)), 3), referencePopularity(train, heldOut)
		if got.Customers != want.Customers || got.HeldOut != want.HeldOut || got.Histogram != want.Histogram {
			t.Errorf("seed %d: %d customers, %d held out; want %d, %d", seed, got.Customers, got.HeldOut, want.Customers, want.HeldOut)
		}
		near(t, "MRR", got.MRR, want.MRR, 1e-12)
		for c, w := range want.At {
			near(t, "recall", got.At[c].Recall, w.Recall, 1e-12)
			near(t, "NDCG", got.At[c].NDCG, w.NDCG, 1e-12)
			near(t, "coverage", got.At[c].Coverage, w.Coverage, 1e-12)
			near(t, "novelty", got.At[c].Novelty, w.Novelty, 1e-9)
			near(t, "the head's share", got.At[c].Head, w.Head, 1e-12)
		}
		for i, w := range want.ByHistory {
			if got.ByHistory[i].Customers != w.Customers {
				t.Errorf("seed %d: %d customers of history %s, want %d", seed, got.ByHistory[i].Customers, got.ByHistory[i], w.Customers)
			}
			near(t, "NDCG@10 by history", got.ByHistory[i].NDCG10, w.NDCG10, 1e-12)
		}
	}
}
