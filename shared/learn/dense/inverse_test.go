package dense

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// positive returns XᵀX + n·I of random X.
func positive(n int, seed uint64) []float32 {
	chance := rand.New(rand.NewPCG(seed, uint64(n)))
	x := make([]float32, n*n)
	for i := range x {
		x[i] = float32(chance.NormFloat64())
	}
	m := make([]float32, n*n)
	AddOuter(m, n, x, n, n)
	for i := range n {
		m[i*n+i] += float32(n)
		for j := range i {
			m[i*n+j] = m[j*n+i]
		}
	}
	return m
}

func TestInverseTimesMatrixIsOne(t *testing.T) {
	for _, n := range []int{16, 64, 80, 336} {
		m := positive(n, 1)
		inverse := append([]float32(nil), m...)
		if err := Invert(t.Context(), inverse, n, 2); err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		for i := range n {
			for j := range n {
				sum := 0.0
				for k := range n {
					sum += float64(inverse[i*n+k]) * float64(m[k*n+j])
				}
				if i == j {
					sum--
				}
				worst = max(worst, math.Abs(sum))
			}
		}
		if worst > 1e-4 {
			t.Errorf("%d × %d: off by %g", n, n, worst)
		}
		again := append([]float32(nil), m...)
		if err := Invert(t.Context(), again, n, 5); err != nil || fmt.Sprint(again) != fmt.Sprint(inverse) {
			t.Errorf("%d × %d: other bits with other workers, error %v", n, n, err)
		}
	}
}

func TestAnIndefiniteMatrixHasNoInverse(t *testing.T) {
	m := positive(80, 2)
	m[70*80+70] = -1
	if err := Invert(t.Context(), m, 80, 0); !errors.Is(err, ErrNotPositive) {
		t.Errorf("error %v", err)
	}
}

// The products of EASE take one inverse. The figure is multiplications a second, where an inverse takes n³.
func BenchmarkInvert(b *testing.B) {
	for _, n := range []int{1024, 4096} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := positive(n, 1)
			inverse := make([]float32, n*n)
			for b.Loop() {
				copy(inverse, m)
				if err := Invert(b.Context(), inverse, n, 0); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(n)*float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gmul/s")
		})
	}
}
