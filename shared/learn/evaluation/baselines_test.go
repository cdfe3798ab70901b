package evaluation

import (
	"math"
	"recsys/shared/learn/sparse"
	"slices"
	"testing"
)

func TestPopularityScores(t *testing.T) {
	got := make([]float32, 8)
	Popularity(ratingsOf(matrix(4, []int32{0, 3}, []int32{3}, []int32{1, 3}))).Score(got, []int32{2, 0})
	if want := []float32{1, 1, 0, 3, 1, 1, 0, 3}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestRandomDependsOnSeedCustomerAndItemOnly(t *testing.T) {
	const items = 1000
	two, one, other := make([]float32, 2*items), make([]float32, items), make([]float32, items)
	Random(1).Score(two, []int32{7, 8})
	Random(1).Score(one, []int32{8})
	Random(2).Score(other, []int32{8})
	if !slices.Equal(two[items:], one) {
		t.Error("a customer's scores depend on who else is scored")
	}
	if slices.Equal(one, other) || slices.Equal(two[:items], one) {
		t.Error("two seeds or two customers have the same scores")
	}
	sum := 0.0
	for _, s := range two {
		sum += float64(s)
	}
	near(t, "the mean score", sum/(2*items), 0.5, 5*math.Sqrt(1./12/(2*items)))
}

// Ranked by chance, the share of a list of k that is held out is that of all candidates.
func TestRandomHitsByChance(t *testing.T) {
	train, heldOut := chanceMatrices(4000, 200, 10, 2)
	expected, n := 0.0, 0.0
	for c := range train.Rows() {
		known, _ := train.Row(c)
		held, _ := heldOut.Row(c)
		if len(known) > 0 && len(held) > 0 {
			expected += float64(min(10, 200-len(known))) * float64(len(held)) / float64(200-len(known)) / float64(min(10, len(held)))
			n++
		}
	}
	r := evaluate(t, train, heldOut, Random(5), 0)
	near(t, "recall@10 of a random ranking", r.At[1].Recall, expected/n, 0.01)
}

// ratingsOf counts the ratings of each item.
func ratingsOf(m *sparse.Matrix) []float64 {
	n := make([]float64, m.Width)
	for _, item := range m.Columns {
		n[item]++
	}
	return n
}

// Goods that are bought again are candidates although the customer has them.
func TestRepeatableItemsStayCandidates(t *testing.T) {
	train, heldOut := matrix(4, []int32{0, 3}), matrix(4, []int32{0})
	for repeatable, want := range map[bool]float64{false: 0, true: 1} {
		r, err := Evaluate(t.Context(), HoldOut{Train: train, HeldOut: heldOut, Repeatable: repeatable}, Popularity([]float64{9, 1, 1, 5}), 1)
		if err != nil || r.MRR != want {
			t.Errorf("repeatable %t: MRR %v, %v; want %v", repeatable, r.MRR, err, want)
		}
	}
}
