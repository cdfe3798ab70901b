package blend

import (
	"math/rand/v2"
	"slices"
	"testing"

	"recsys/shared/learn/sparse"
)

// Each β of a sweep has the scores of a Scorer with it, to the bit. One customer has no vector and one no history.
func TestASweepScoresAsEachBeta(t *testing.T) {
	m := random(rand.New(rand.NewPCG(3, 4)), 60, 5, 1)
	users := vectors(random(rand.New(rand.NewPCG(5, 6)), 4, 5, 0))
	users[1] = nil
	history := &sparse.Matrix{Width: 60, Start: []int64{0, 3, 5, 5, 6}, Columns: []int32{1, 7, 30, 2, 59, 8}, Ratings: make([]uint16, 6)}
	customers := []int32{0, 1, 2, 3}
	sweep := Sweep{Customers: Customers{Scorer: scorer(t, m), Vectors: users, History: history}, Betas: []float64{0.2, 0.5, 1}}
	seen := 0
	sweep.Rows(customers, func(i, beta int, row []float32) {
		m.Beta = sweep.Betas[beta]
		want := make([]float32, 60)
		Customers{Scorer: scorer(t, m), Vectors: users, History: history}.Score(want, customers[i:i+1])
		if !slices.Equal(row, want) {
			t.Errorf("customer %d, β %v: %v, want %v", i, m.Beta, row, want)
		}
		clear(row) // as a ranking may
		seen++
	})
	if seen != 12 || sweep.Variants() != 3 {
		t.Errorf("%d rows of %d βs", seen, sweep.Variants())
	}
}
