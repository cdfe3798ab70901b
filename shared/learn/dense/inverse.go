package dense

import (
	"context"
	"math"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Invert replaces m, a symmetric positive definite matrix of n × n, by its inverse. n is a multiple of Lanes. Of m only the
// upper triangle is read, and all of it is written. workers is the number of goroutines, where 0 means as many as there are
// cores. It changes no bit. The work is n³ multiplications, the memory n² numbers more. Errors: ErrNotPositive and the
// context's. Method: Cholesky by blocks, m = UᵀU, then L = U⁻ᵀ, then m⁻¹ = LᵀL.
func Invert(ctx context.Context, m []float32, n, workers int) error {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	v := &inversion{n: n, workers: workers, upper: m, lower: make([]float32, n*n)}
	for from := 0; from < n; from += inverseBlock {
		if err := v.factor(ctx, from, min(from+inverseBlock, n)); err != nil {
			return err
		}
	}
	for from := 0; from < n; from += inverseBlock {
		if err := v.invertRows(ctx, from, min(from+inverseBlock, n)); err != nil {
			return err
		}
	}
	return v.multiply(ctx)
}

const (
	inverseBlock = 64  // rows and columns that are worked on together, a multiple of Lanes
	inverseDepth = 256 // rows of a sum that are packed side by side, to stay in the nearest caches
)

type inversion struct {
	n, workers   int
	upper, lower []float32 // n × n: U, then the result, and L
}

// packed is the memory of a goroutine: two stripes of inverseDepth rows.
type packed struct {
	a, b [inverseDepth * inverseBlock]float32
}

// subtract takes Σ a[k][rows]ᵀ·b[k][columns] over k from first to last off dst, or adds it with alpha 1.
func (v *inversion) subtract(p *packed, dst, a, b []float32, rows, columns [2]int, first, last int, alpha float32) {
	width := columns[1] - columns[0]
	height := rows[1] - rows[0]
	for k := first; k < last; k += inverseDepth {
		depth := min(inverseDepth, last-k)
		for i := range depth {
			copy(p.a[i*inverseBlock:], a[(k+i)*v.n+rows[0]:][:height])
			copy(p.b[i*inverseBlock:], b[(k+i)*v.n+columns[0]:][:width])
		}
		for i := 0; i < height; i += tileRows {
			for j := 0; j < width; j += Lanes {
				tile(dst[(rows[0]+i)*v.n+columns[0]+j:], v.n, p.a[i:], inverseBlock, p.b[j:], inverseBlock, depth, alpha)
			}
		}
	}
}

// solve divides rows of dst by the block of U on the diagonal: forward substitution, row after row.
func (v *inversion) solve(dst []float32, rows, columns [2]int) {
	for i := rows[0]; i < rows[1]; i++ {
		row := dst[i*v.n+columns[0] : i*v.n+columns[1]]
		combine(row, dst[rows[0]*v.n+columns[0]:], v.n, v.upper[rows[0]*v.n+i:], v.n, i-rows[0], -1)
		inverse := 1 / v.upper[i*v.n+i]
		for j, x := range row {
			row[j] = float32(x * inverse)
		}
	}
}

// factor computes the rows from to below to of U.
func (v *inversion) factor(ctx context.Context, from, to int) error {
	rows := [2]int{from, to}
	v.subtract(new(packed), v.upper, v.upper, v.upper, rows, rows, 0, from, -1)
	for i := from; i < to; i++ {
		row := v.upper[i*v.n+from : i*v.n+to]
		combine(row, v.upper[from*v.n+from:], v.n, v.upper[from*v.n+i:], v.n, i-from, -1)
		pivot := row[i-from]
		if !(pivot > 0) || math.IsInf(float64(pivot), 1) {
			return ErrNotPositive
		}
		inverse := 1 / float32(math.Sqrt(float64(pivot)))
		for j := range row {
			row[j] = float32(row[j] * inverse)
		}
	}
	return v.stripes(ctx, to, v.n, func(p *packed, columns [2]int) {
		v.subtract(p, v.upper, v.upper, v.upper, rows, columns, 0, from, -1)
		v.solve(v.upper, rows, columns)
	})
}

// invertRows computes the rows from to below to of L.
func (v *inversion) invertRows(ctx context.Context, from, to int) error {
	for i := from; i < to; i++ {
		v.lower[i*v.n+i] = 1
	}
	rows := [2]int{from, to}
	return v.stripes(ctx, 0, to, func(p *packed, columns [2]int) {
		v.subtract(p, v.lower, v.upper, v.lower, rows, columns, columns[0], from, -1)
		v.solve(v.lower, rows, columns)
	})
}

// multiply writes LᵀL over U, both triangles.
func (v *inversion) multiply(ctx context.Context) error {
	err := v.stripes(ctx, 0, v.n, func(p *packed, columns [2]int) {
		for from := 0; from < columns[1]; from += inverseBlock {
			rows := [2]int{from, min(from+inverseBlock, v.n)}
			for i := rows[0]; i < rows[1]; i++ {
				clear(v.upper[i*v.n+columns[0] : i*v.n+columns[1]])
			}
			v.subtract(p, v.upper, v.lower, v.lower, rows, columns, columns[0], v.n, 1)
		}
	})
	for i := range v.n {
		for j := range i {
			v.upper[i*v.n+j] = v.upper[j*v.n+i]
		}
	}
	return err
}

// stripes calls do for the columns from to below to, inverseBlock at a time, on all workers.
func (v *inversion) stripes(ctx context.Context, from, to int, do func(p *packed, columns [2]int)) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range v.workers {
		group.Go(func() error {
			p := new(packed)
			for {
				first := from + int(next.Add(1)-1)*inverseBlock
				if first >= to || ctx.Err() != nil {
					return ctx.Err()
				}
				do(p, [2]int{first, min(first+inverseBlock, to)})
			}
		})
	}
	return group.Wait()
}
