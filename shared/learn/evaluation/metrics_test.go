package evaluation

import (
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// Discounts by hand: 1/log2(2) = 1, 1/log2(3) = 0.63093, 1/log2(4) = 0.5, 1/log2(5) = 0.43068, 1/log2(6) = 0.38685,
// 1/log2(7) = 0.35621, 1/log2(8) = 1/3. 1/log2(16) = 1/4 belongs to rank 15.
func TestMetricsByHand(t *testing.T) {
	for _, c := range []struct {
		name         string
		k, heldOut   int
		hits         []int
		recall, ndcg float64
	}{
		{"nothing found", 5, 3, nil, 0, 0},
		{"all three first", 5, 3, []int{1, 2, 3}, 1, 1},
		{"one of one, at the second place", 5, 1, []int{2}, 1, 0.63093},
		// (1 + 0.5) / (1 + 0.63093 + 0.5)
		{"two of three", 5, 3, []int{1, 3}, 2. / 3, 0.70392},
		// the hit at 7 is outside of the five: 0.63093 / (1 + 0.63093)
		{"one inside, one outside", 5, 2, []int{2, 7}, 0.5, 0.38685},
		// at 10 it is inside: (0.63093 + 1/3) / 1.63093
		{"both inside", 10, 2, []int{2, 7}, 1, 0.59124},
		// eight held out, five places: the best list has five hits, 1 + 0.63093 + 0.5 + 0.43068 + 0.38685 = 2.94846
		{"more held out than places", 5, 8, []int{4, 5, 6}, 2. / 5, 0.27727},
		{"every place a hit", 5, 8, []int{1, 2, 3, 4, 5, 9}, 1, 1},
		{"rank 15 of 20", 20, 1, []int{15}, 1, 0.25},
	} {
		near(t, c.name+": recall", recall(c.k, c.hits, c.heldOut), c.recall, 1e-12)
		near(t, c.name+": NDCG", ndcg(c.k, c.hits, c.heldOut), c.ndcg, 5e-6)
	}
}

func TestSelfInformationByHand(t *testing.T) {
	// Of 7 customers: (7+1)/(7+1) = 1, (3+1)/8 = 1/2, (1+1)/8 = 1/4, (0+1)/8 = 1/8.
	for having, bits := range map[int]float64{7: 0, 3: 1, 1: 2, 0: 3} {
		near(t, "self-information", selfInformation(having, 7), bits, 1e-12)
	}
}
