package neighbours

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"recsys/shared/learn/dense"
	"recsys/shared/learn/sparse"
)

// EASEOptions say how EASE is solved.
type EASEOptions struct {
	// Ridge is λ, over 0, which is added to each product's count of customers.
	Ridge float64
	// Neighbours is the number of sources that a target product keeps, 1 and up.
	Neighbours int
	// Workers share the inverse. 0 means as many as there are cores. Their number changes no bit.
	Workers int
}

// MaxEASE is the largest number of products that EASE takes: two matrices of that size take 1.8 GB.
const MaxEASE = 15_000

// ErrIllConditioned says that the inverse is not exact enough in float32. A larger ridge helps.
var ErrIllConditioned = errors.New("EASE: the inverse is inexact in float32: raise the ridge")

// EASE regresses each product on all others: with P = (XᵀX + λI)⁻¹, the weight from s to t is -P[s,t]/P[t,t]. X is 1 where a
// customer has a product. The Neighbours entries of the largest absolute weight are kept of each target, negative ones too.
// Memory is 8 bytes a pair of products. Errors: products over MaxEASE, ErrIllConditioned, dense.ErrNotPositive and the
// context's. Method: Steck 2019, "Embarrassingly shallow autoencoders for sparse data".
func EASE(ctx context.Context, ratings *sparse.Matrix, o EASEOptions) (*Table, error) {
	if !(o.Ridge > 0) || math.IsInf(o.Ridge, 1) || o.Neighbours < 1 || ratings.Width > MaxEASE {
		return nil, fmt.Errorf("EASE of %d products with %+v: want at most %d products, a ridge over 0 and 1 neighbour or more", ratings.Width, o, MaxEASE)
	}
	n := dense.Pad(ratings.Width)
	inverse, err := gram(ctx, ratings, o, n)
	if err != nil {
		return nil, err
	}
	if err := dense.Invert(ctx, inverse, n, o.Workers); err != nil {
		return nil, err
	}
	if off := residual(ratings, o.Ridge, inverse, n); !(off < mostResidual) {
		return nil, fmt.Errorf("%w (off by %.2g of 1)", ErrIllConditioned, off)
	}
	targets := make([][]entry, ratings.Width)
	err = inParallel(ctx, ratings.Width, o.Workers, func() func(int) {
		var entries []entry
		return func(target int) {
			entries = entries[:0]
			row := inverse[target*n:][:ratings.Width]
			for source, p := range row {
				if source != target && p != 0 {
					entries = append(entries, entry{int32(source), float32(-p / row[target])})
				}
			}
			targets[target] = append([]entry(nil), best(entries, o.Neighbours)...)
		}
	})
	return bySource(targets), err
}

// gram returns XᵀX + λI, with rows of n numbers and an identity where the padding is.
func gram(ctx context.Context, ratings *sparse.Matrix, o EASEOptions, n int) ([]float32, error) {
	m, products := make([]float32, n*n), ratings.Transpose()
	for i := range n {
		m[i*n+i] = float32(o.Ridge)
	}
	err := inParallel(ctx, ratings.Width, o.Workers, func() func(int) {
		return func(product int) {
			row := m[product*n : (product+1)*n]
			customers, _ := products.Row(product)
			for _, c := range customers {
				also, _ := ratings.Row(int(c))
				for _, p := range also {
					row[p]++ // whole numbers, exact up to 16 million customers
				}
			}
		}
	})
	return m, err
}

// mostResidual bounds the relative error of the inverse on a random vector.
const mostResidual = 0.01

// residual returns |P(XᵀX+λI)z - z| / |z| of a random z of ±1, with all but P in float64.
func residual(ratings *sparse.Matrix, ridge float64, inverse []float32, n int) float64 {
	chance := rand.New(rand.NewPCG(1, uint64(n)))
	z, image := make([]float64, ratings.Width), make([]float64, ratings.Width)
	for p := range z {
		z[p] = float64(chance.IntN(2)*2 - 1)
		image[p] = ridge * z[p]
	}
	for c := range ratings.Rows() {
		products, _ := ratings.Row(c)
		sum := 0.0
		for _, p := range products {
			sum += z[p]
		}
		for _, p := range products {
			image[p] += sum
		}
	}
	squares := 0.0
	for p := range z {
		back := 0.0
		for q, x := range inverse[p*n:][:ratings.Width] {
			back += float64(x) * image[q]
		}
		squares += (back - z[p]) * (back - z[p])
	}
	return math.Sqrt(squares / float64(max(len(z), 1)))
}
