package als

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"recsys/shared/interactions"
)

// generate makes about n ratings in the shape of MovieLens: customers and items of skewed activity and popularity, and
// planted factors of dimension 4 that decide who rates what. The same seed gives the same ratings.
func generate(seed uint64, customers, items, n int) *interactions.Matrix {
	r := rand.New(rand.NewPCG(seed, 7))
	vectors := func(rows int) []float64 {
		v := make([]float64, rows*4)
		for i := range v {
			v[i] = r.NormFloat64() / 2
		}
		return v
	}
	tastes, kinds := vectors(customers), vectors(items)
	// Items are drawn by popularity, rank^-0.8, from a table; then kept with a chance that taste decides.
	table := make([]int32, 1<<16)
	sum, at := 0.0, 0
	for i := range items {
		sum += math.Pow(float64(i+10), -0.8)
	}
	shuffled := r.Perm(items)
	part := 0.0
	for i := range items {
		part += math.Pow(float64(i+10), -0.8)
		for ; at < len(table) && float64(at) < part/sum*float64(len(table)); at++ {
			table[at] = int32(shuffled[i])
		}
	}
	for ; at < len(table); at++ {
		table[at] = int32(shuffled[items-1])
	}
	m := &interactions.Matrix{Width: items, Start: make([]int64, 1, customers+1)}
	activity := make([]float64, customers)
	total := 0.0
	for c := range activity {
		activity[c] = math.Exp(r.NormFloat64())
		total += activity[c]
	}
	seen := make([]int32, items)
	for c := range customers {
		want := min(max(1, int(activity[c]/total*float64(n)+r.Float64())), items/4)
		first := len(m.Columns)
		for tries := 0; len(m.Columns)-first < want && tries < 20*want; tries++ {
			item := table[r.IntN(len(table))]
			// The table has too few places for the tail.
			if items > len(table)/4 && r.IntN(4) == 0 {
				item = int32(r.IntN(items))
			}
			affinity := 0.0
			for k := range 4 {
				affinity += tastes[c*4+k] * kinds[int(item)*4+k]
			}
			if seen[item] == int32(c+1) || r.Float64() > 1/(1+math.Exp(-3*affinity)) {
				continue
			}
			seen[item] = int32(c + 1)
			m.Columns = append(m.Columns, item)
		}
		slices.Sort(m.Columns[first:])
		for _, item := range m.Columns[first:] {
			affinity := 0.0
			for k := range 4 {
				affinity += tastes[c*4+k] * kinds[int(item)*4+k]
			}
			m.Ratings = append(m.Ratings, uint8(min(max(math.Floor(3.5+affinity+r.NormFloat64()*0.8), 1), 5)))
		}
		m.Start = append(m.Start, int64(len(m.Columns)))
	}
	return m
}

func BenchmarkFit(b *testing.B) {
	for _, millions := range []int{10, 20} {
		m := generate(1, 138_493, 26_744, millions*1_000_000)
		for _, workers := range []int{1, 2} {
			for _, factors := range []int{16, 32, 64, 128} {
				b.Run(fmt.Sprintf("ratings=%dM/factors=%d/workers=%d", millions, factors, workers), func(b *testing.B) {
					o := Default()
					o.Factors, o.Workers = factors, workers
					t := newTraining(m, o)
					b.ReportAllocs()
					for b.Loop() {
						if _, err := t.iterate(context.Background()); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(len(m.Columns))*float64(b.N)/b.Elapsed().Seconds(), "ratings/s")
					b.ReportMetric(b.Elapsed().Seconds()*float64(workers)/float64(b.N), "core-s/iteration")
				})
			}
		}
	}
}
