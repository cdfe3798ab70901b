package als

import (
	"context"
	"fmt"
	"testing"
)

// The ratings of MovieLens-20M's shape; those of 4 and more, which alone are used elsewhere, are about half of them.
func BenchmarkIteration(b *testing.B) {
	for _, millions := range []int{10, 20} {
		data := generate(1, 138_493, 26_744, millions*1_000_000)
		ratings := len(data.Ratings.Columns)
		for _, workers := range []int{1, 2} {
			for _, factors := range []int{16, 32, 64, 128} {
				b.Run(fmt.Sprintf("ratings=%dM/factors=%d/workers=%d", millions, factors, workers), func(b *testing.B) {
					o := Default()
					o.Factors, o.Workers = factors, workers
					t, err := newTraining(data, o)
					if err != nil {
						b.Fatal(err)
					}
					b.ReportAllocs()
					for b.Loop() {
						if _, err := t.iterate(context.Background()); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(ratings)*float64(b.N)/b.Elapsed().Seconds(), "ratings/s")
					b.ReportMetric(b.Elapsed().Seconds()*float64(workers)/float64(b.N), "core-s/iteration")
				})
			}
		}
	}
}
