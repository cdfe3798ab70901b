package dense

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// bothKernels runs a test with the kernels in assembly, where the processor has them, and with those in Go.
func bothKernels(t *testing.T, test func(t *testing.T)) {
	found := vectorised
	defer func() { vectorised = found }()
	if found {
		t.Run("vector", test)
	} else {
		t.Log("no vector kernels on this processor")
	}
	vectorised = false
	t.Run("go", test)
}

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.Float64()*2 - 1)
	}
	return x
}

// near compares with a reference in float64. size is the sum of the absolute terms.
func near(got float32, want, size float64) bool {
	return math.Abs(float64(got)-want) <= 4e-6*size+1e-30
}

func TestTile(t *testing.T) {
	bothKernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for n := range 40 {
			for _, alpha := range []float32{1, -1, 0.5} {
				dstStride, aStride, bStride := Lanes+n%3, tileRows+n%5, Lanes+n%7
				dst, a, b := random(r, tileRows*dstStride), random(r, n*aStride), random(r, n*bStride)
				got := slices.Clone(dst)
				tile(got, dstStride, a, aStride, b, bStride, n, alpha)
				for at := range dst {
					i, j := at/dstStride, at%dstStride
					want, size := float64(dst[at]), 1.0
					for k := range n {
						if j < Lanes {
							term := float64(alpha) * float64(a[k*aStride+i]) * float64(b[k*bStride+j])
							want, size = want+term, size+math.Abs(term)
						}
					}
					if !near(got[at], want, size) {
						t.Fatalf("n %d: [%d,%d] = %g, want %g", n, i, j, got[at], want)
					}
				}
			}
		}
	})
}

// The two ways to compute a large block have the same bits, because evaluation promises them on every processor.
func TestLargeIsFourTiles(t *testing.T) {
	if !vectorised || !widest {
		t.Skip("this processor has no AVX-512")
	}
	defer func() { widest = true }()
	r := rand.New(rand.NewPCG(9, 1))
	for n := 1; n < 40; n++ {
		dstStride, aStride, panelStride := largeItems+n%3, largeRows+n%5, n*Lanes+n%7
		a, panels := random(r, n*aStride), random(r, 2*panelStride+Lanes)
		for rows := 1; rows <= largeRows; rows++ {
			var got [2][]float32
			for way, is := range []bool{true, false} {
				widest = is
				got[way] = make([]float32, largeRows*dstStride)
				large(got[way], dstStride, rows, a, aStride, panels, panelStride, n)
			}
			for i := range rows {
				if at := i * dstStride; !slices.Equal(got[0][at:at+largeItems], got[1][at:at+largeItems]) {
					t.Fatalf("n %d: row %d of %d is %v, want %v", n, i, rows, got[0][at:at+largeItems], got[1][at:at+largeItems])
				}
			}
		}
	}
}

func TestCombine(t *testing.T) {
	bothKernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 1))
		for n := range 20 {
			for _, columns := range []int{0, 16, 32, 48, 112} {
				stride, weightStride := columns+n%3, 1+n%4
				dst, rows, weights := random(r, columns), random(r, n*stride), random(r, n*weightStride)
				got := slices.Clone(dst)
				combine(got, rows, stride, weights, weightStride, n, -0.5)
				for j := range dst {
					want, size := float64(dst[j]), 1.0
					for k := range n {
						term := -0.5 * float64(weights[k*weightStride]) * float64(rows[k*stride+j])
						want, size = want+term, size+math.Abs(term)
					}
					if !near(got[j], want, size) {
						t.Fatalf("n %d: [%d] = %g, want %g", n, j, got[j], want)
					}
				}
			}
		}
	})
}

func TestGather(t *testing.T) {
	bothKernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 1))
		for _, width := range []int{16, 32, 80, 512} {
			from := random(r, 9*width)
			for n := range 6 {
				chosen, scales := make([]int32, n), random(r, n)
				for k := range chosen {
					chosen[k] = r.Int32N(9)
				}
				got := make([]float32, n*width)
				Gather(got, from, width, chosen, scales)
				for at, v := range got {
					k, j := at/width, at%width
					if want := scales[k] * from[int(chosen[k])*width+j]; v != want {
						t.Fatalf("width %d: row %d, column %d: %g, want %g", width, k, j, v, want)
					}
				}
			}
		}
	})
}

func TestAddOuterAndWeighted(t *testing.T) {
	bothKernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 1))
		for _, width := range []int{16, 32, 48, 64, 112, 256, 512} {
			for _, n := range []int{0, 1, 2, 7, 33} {
				stride := width + 16*(n%2)
				m, rows, weights := make([]float32, width*stride), random(r, n*width), random(r, n)
				sum := make([]float32, width)
				AddOuter(m, stride, rows, width, n)
				AddWeighted(sum, rows, weights, n)
				for i := range width {
					for j := i; j < width; j++ {
						want, size := 0.0, 0.0
						for k := range n {
							term := float64(rows[k*width+i]) * float64(rows[k*width+j])
							want, size = want+term, size+math.Abs(term)
						}
						if !near(m[i*stride+j], want, size) {
							t.Fatalf("width %d, n %d: [%d,%d] = %g, want %g", width, n, i, j, m[i*stride+j], want)
						}
					}
					want, size := 0.0, 0.0
					for k := range n {
						term := float64(weights[k]) * float64(rows[k*width+i])
						want, size = want+term, size+math.Abs(term)
					}
					if !near(sum[i], want, size) {
						t.Fatalf("width %d, n %d: sum[%d] = %g, want %g", width, n, i, sum[i], want)
					}
				}
			}
		}
	})
}

// The solution is put back into the equations as they were, in float64.
func TestSolve(t *testing.T) {
	bothKernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 1))
		for _, width := range []int{16, 32, 48, 64, 128, 512} {
			rows, targets, start := random(r, 40*width), random(r, 40), make([]float32, width*width)
			AddOuter(start, width, random(r, 10*width), width, 10)
			e := NewEquations(width)
			e.Reset(start, 3)
			e.Add(rows, targets)
			e.AddTarget(rows[:width], 0.25)
			before, b := slices.Clone(e.m), slices.Clone(e.b)
			x := make([]float32, width)
			lowered, err := e.Solve(x)
			if err != nil {
				t.Fatal(err)
			}
			bx := 0.0
			for i := range width {
				sum := 0.0
				for j := range width {
					sum += float64(before[min(i, j)*e.stride+max(i, j)]) * float64(x[j])
				}
				if math.Abs(sum-float64(b[i])) > 1e-4 {
					t.Fatalf("width %d: row %d gives %g, want %g", width, i, sum, b[i])
				}
				bx += float64(b[i]) * float64(x[i])
			}
			if math.Abs(lowered-bx) > 1e-5*bx {
				t.Errorf("width %d: lowered by %g, want %g", width, lowered, bx)
			}
		}
	})
}

func TestSolveRefusesMatricesThatAreNotPositive(t *testing.T) {
	e := NewEquations(16)
	x := make([]float32, 16)
	for _, diagonal := range []float32{0, -1, float32(math.NaN()), float32(math.Inf(1))} {
		e.Reset(make([]float32, 256), diagonal)
		if _, err := e.Solve(x); err != ErrNotPositive {
			t.Errorf("diagonal %g: %v", diagonal, err)
		}
	}
}

func TestScores(t *testing.T) {
	bothKernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(6, 1))
		for _, dimension := range []int{1, 2, 3, 15, 16, 17, 32, 100, 512} {
			for _, shape := range [][2]int{{0, 5}, {1, 1}, {3, 16}, {4, 17}, {7, 33}, {65, 48}, {130, 20}, {3, 0}, {1, 64}, {5, 130}} {
				users, items := random(r, shape[0]*dimension), random(r, shape[1]*dimension)
				got := random(r, shape[0]*shape[1])
				Scores(got, users, items, dimension)
				for at := range got {
					u, i := at/shape[1], at%shape[1]
					want, size := 0.0, 0.0
					for k := range dimension {
						term := float64(users[u*dimension+k]) * float64(items[i*dimension+k])
						want, size = want+term, size+math.Abs(term)
					}
					if !near(got[at], want, size) {
						t.Fatalf("dimension %d, %v: score of %d and %d = %g, want %g", dimension, shape, u, i, got[at], want)
					}
				}
			}
		}
	})
}

func TestAScoreDoesNotDependOnTheOtherUsers(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	users, items := random(r, 70*33), random(r, 150*33)
	s := NewScorer(items, 33)
	all := make([]float32, 70*150)
	s.Scores(all, users)
	for u := range 70 {
		for n := 1; n <= 5 && u+n <= 70; n++ {
			some := make([]float32, n*150)
			s.Scores(some, users[u*33:(u+n)*33])
			if !slices.Equal(some, all[u*150:(u+n)*150]) {
				t.Fatalf("user %d scores differently with %d others", u, n-1)
			}
		}
	}
}

func TestScoresRefusesAnotherLength(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Scores(make([]float32, 3), make([]float32, 4), make([]float32, 4), 2)
}

// The numbers are the same on every processor with vector kernels: AVX2 and NEON gave these.
func TestBitsAreTheSameOnEveryProcessor(t *testing.T) {
	if !vectorised {
		t.Skip("the kernels in Go round differently")
	}
	r := rand.New(rand.NewPCG(8, 1))
	e := NewEquations(48)
	e.Reset(make([]float32, 48*48), 2)
	e.Add(random(r, 77*48), random(r, 77))
	x := make([]float32, 48)
	if _, err := e.Solve(x); err != nil {
		t.Fatal(err)
	}
	var hash uint64 = 14695981039346656037 // FNV-1a of the bits
	for _, v := range x {
		hash = (hash ^ uint64(math.Float32bits(v))) * 1099511628211
	}
	if got := fmt.Sprintf("%016x", hash); got != "13a45f7c01870054" {
		t.Errorf("hash of the solution's bits %s", got)
	}
}
