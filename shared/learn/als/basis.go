package als

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"recsys/shared/learn/coldstart"
	"recsys/shared/learn/dense"
)

// leastForBasis is the number of factors from which on the vectors are turned into the basis of their Gram matrix. Below it
// the normal equations are so small that they are solved directly.
const leastForBasis = 48

// rowsForBasis is the number of rows for each factor from which on the eigenvectors cost less than they save.
const rowsForBasis = 4

// usesBasis reports whether rows are solved in the basis of the other side's Gram matrix. It depends on shapes alone.
func (t *training) usesBasis(rows *side) bool {
	return t.options.Factors >= leastForBasis && rows.ratings.Rows() >= rowsForBasis*t.options.Factors
}

// rowsTurned is how many vectors a worker turns at a time.
const rowsTurned = 64

// diagonalize turns all vectors and maps into the basis in which the Gram matrix of others is diagonal, and returns that
// diagonal. A turn changes no inner product, so the model stays the same. In this basis a row with few ratings costs a
// small system instead of a large one, see solveShort. The vectors of rows are not turned: they are solved next.
func (t *training) diagonalize(ctx context.Context, gram []float32, rows, others *side) ([]float32, error) {
	d := t.options.Factors
	symmetric := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			symmetric.SetSym(i, j, float64(gram[i*t.width+j]))
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(symmetric, true) {
		return nil, fmt.Errorf("the Gram matrix has no eigenvectors: %w", dense.ErrNotPositive)
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	turn := make([]float32, t.width*t.width)
	diagonal := make([]float32, t.width)
	for i := range d {
		for j := range d {
			turn[i*t.width+j] = float32(vectors.At(i, j))
		}
	}
	for j, value := range eigen.Values(nil) {
		diagonal[j] = float32(max(value, 0)) // a Gram matrix has no negative ones, rounding has
	}
	for _, m := range []*coldstart.Map{&rows.fitted, &others.fitted} {
		if err := t.turn(ctx, m.Weights, turn); err != nil {
			return nil, fmt.Errorf("the map from features: %w", err)
		}
	}
	return diagonal, t.turn(ctx, others.vectors, turn)
}

// turn multiplies vectors, rows of width numbers, by a matrix in place.
func (t *training) turn(ctx context.Context, vectors, matrix []float32) error {
	rows := len(vectors) / t.width
	return t.each(ctx, (rows+rowsTurned-1)/rowsTurned, func(w *worker, i int) error {
		from := i * rowsTurned
		part := vectors[from*t.width : min(from+rowsTurned, rows)*t.width]
		if w.turned == nil {
			w.turned = make([]float32, rowsTurned*t.width)
		}
		dense.Multiply(w.turned[:len(part)], part, matrix, t.width)
		copy(part, w.turned)
		return nil
	})
}
