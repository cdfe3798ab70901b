package dense

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/lapack/gonum"
)

const benchRows = 72 // as many as a row of MovieLens-20M has ratings of 4 and more

// way is one of several to do the same.
type way struct {
	name string
	do   func()
}

// The sum of outer products of gathered rows: here, by gonum's blas32, and by a plain loop.
func BenchmarkAddOuter(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, width := range []int{16, 32, 64, 128} {
		rows, m := random(r, benchRows*width), make([]float32, width*width)
		for _, way := range []way{
			{"dense", func() { AddOuter(m, width, rows, width, benchRows) }},
			{"gonum", func() {
				blas32.Syrk(blas.Trans, 1, blas32.General{Rows: benchRows, Cols: width, Stride: width, Data: rows},
					1, blas32.Symmetric{N: width, Stride: width, Data: m, Uplo: blas.Upper})
			}},
			{"plain", func() {
				for k := range benchRows {
					x := rows[k*width : (k+1)*width]
					for i, v := range x {
						row := m[i*width : (i+1)*width]
						for j := i; j < width; j++ {
							row[j] += v * x[j]
						}
					}
				}
			}},
		} {
			b.Run(fmt.Sprintf("width=%d/%s", width, way.name), func(b *testing.B) {
				for b.Loop() {
					clear(m)
					way.do()
				}
				b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

// One row's normal equations from the start to the solution, without gathering. For comparison, gonum's Cholesky
// alone, which is in float64.
func BenchmarkSolve(b *testing.B) {
	r := rand.New(rand.NewPCG(2, 1))
	for _, width := range []int{16, 32, 64, 128} {
		e, start, x := NewEquations(width), make([]float32, width*width), make([]float32, width)
		AddOuter(start, width, random(r, 3*width*width), width, 3*width)
		b.Run(fmt.Sprintf("width=%d/dense", width), func(b *testing.B) {
			for b.Loop() {
				e.Reset(start, 1)
				if _, err := e.Solve(x); err != nil {
					b.Fatal(err)
				}
			}
		})
		whole, a := make([]float64, width*width), make([]float64, width*width)
		for i, v := range start {
			whole[i] = float64(v)
			if i%(width+1) == 0 {
				whole[i]++
			}
		}
		b.Run(fmt.Sprintf("width=%d/gonum", width), func(b *testing.B) {
			for b.Loop() {
				copy(a, whole)
				if !(gonum.Implementation{}).Dpotrf(blas.Upper, width, a, width) {
					b.Fatal("not positive")
				}
			}
		})
	}
}

// One user against 10,000 and 50,000 items of 128 dimensions, alone and in a block of 64.
func BenchmarkScoresOfOne(b *testing.B) {
	r := rand.New(rand.NewPCG(4, 1))
	const dimension = 128
	for _, items := range []int{10_000, 50_000} {
		scorer := NewScorer(random(r, items*dimension), dimension)
		for _, users := range []int{1, 64} {
			u, dst := random(r, users*dimension), make([]float32, users*items)
			b.Run(fmt.Sprintf("items=%d/users=%d", items, users), func(b *testing.B) {
				for b.Loop() {
					scorer.Scores(dst, u)
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(users*b.N), "µs/user")
			})
		}
	}
}

// A block of users against all items of MovieLens-20M.
func BenchmarkScores(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 1))
	const users, items = 256, 26_744
	dst := make([]float32, users*items)
	for _, dimension := range []int{32, 64, 128} {
		u, i := random(r, users*dimension), random(r, items*dimension)
		scorer := NewScorer(i, dimension)
		for _, way := range []way{
			{"dense", func() { scorer.Scores(dst, u) }},
			{"gonum", func() {
				blas32.Gemm(blas.NoTrans, blas.Trans, 1, blas32.General{Rows: users, Cols: dimension, Stride: dimension, Data: u},
					blas32.General{Rows: items, Cols: dimension, Stride: dimension, Data: i}, 0, blas32.General{Rows: users, Cols: items, Stride: items, Data: dst})
			}},
		} {
			b.Run(fmt.Sprintf("dimension=%d/%s", dimension, way.name), func(b *testing.B) {
				for b.Loop() {
					way.do()
				}
				b.ReportMetric(float64(users*items*b.N)/b.Elapsed().Seconds(), "scores/s")
			})
		}
	}
}
