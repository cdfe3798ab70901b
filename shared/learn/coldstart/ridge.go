package coldstart

import (
	"errors"
	"fmt"
	"math"
)

// MaxWidth bounds the features of a Ridge: its normal equations are dense.
const MaxWidth = 4096

// Ridge is a weighted ridge regression on given features. Its normal equations are factored, so each vector costs a
// substitution only.
type Ridge struct {
	features *Features
	weights  []float32
	size     int       // 1 + Width
	lower    []float64 // size × size: the Cholesky factor of XᵀFX + ridge, the bias first
}

// NewRidge prepares min Σ weight·|vector − map(features)|² + ridge·Σ|row of the map|², the sums over rows of features
// and over columns: the bias is not regularised. Ridge is over 0. A weight of 0 leaves a row out. Without any weight
// the map is zero.
func NewRidge(f *Features, weights []float32, ridge float64) (*Ridge, error) {
	if f.Width > MaxWidth {
		return nil, fmt.Errorf("%d features: at most %d are regressed on", f.Width, MaxWidth)
	}
	if len(weights) != f.Rows() {
		return nil, fmt.Errorf("%d weights for %d rows", len(weights), f.Rows())
	}
	r := &Ridge{features: f, weights: weights, size: f.Width + 1}
	r.lower = make([]float64, r.size*r.size)
	for row, weight := range weights {
		columns, values := f.Row(row)
		r.lower[0] += float64(weight)
		for i, column := range columns {
			scaled := float64(float64(weight) * float64(values[i]))
			at := (int(column) + 1) * r.size
			r.lower[at] += scaled
			for j, other := range columns {
				if other <= column {
					r.lower[at+int(other)+1] += float64(scaled * float64(values[j]))
				}
			}
		}
	}
	if r.lower[0] == 0 {
		r.lower[0] = 1
	}
	for i := 1; i < r.size; i++ {
		r.lower[i*r.size+i] += ridge
	}
	return r, r.factor()
}

// factor is Cholesky's method, row by row.
func (r *Ridge) factor() error {
	n := r.size
	for i := range n {
		row := r.lower[i*n : i*n+i+1]
		for j := range row {
			other := r.lower[j*n : j*n+j+1]
			sum := row[j] - dot(row[:j], other[:j])
			if j < i {
				row[j] = sum / other[j]
				continue
			}
			if !(sum > 0) {
				return errors.New("the regression on the features has no single solution")
			}
			row[j] = math.Sqrt(sum)
		}
	}
	return nil
}

// dot adds in four sums that do not wait for each other. The conversions keep every processor from fusing multiply
// and add.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	for len(a) >= 4 {
		s0 += float64(a[0] * b[0])
		s1 += float64(a[1] * b[1])
		s2 += float64(a[2] * b[2])
		s3 += float64(a[3] * b[3])
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += float64(v * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// Fit is the best map to the vectors: one row for each row of features, dimension numbers of every stride.
func (r *Ridge) Fit(vectors []float32, dimension, stride int) Map {
	sums := make([]float64, r.size*dimension) // XᵀF·vectors
	scaled := make([]float64, dimension)
	for row, weight := range r.weights {
		if weight == 0 {
			continue
		}
		for k, v := range vectors[row*stride:][:dimension] {
			scaled[k] = float64(float64(weight) * float64(v))
			sums[k] += scaled[k]
		}
		columns, values := r.features.Row(row)
		for i, column := range columns {
			into, value := sums[(int(column)+1)*dimension:][:dimension], float64(values[i])
			for k, v := range scaled {
				into[k] += float64(value * v)
			}
		}
	}
	r.substitute(sums, dimension)
	m := Map{dimension, make([]float32, len(sums))}
	for i, v := range sums {
		m.Weights[i] = float32(v)
	}
	return m
}

// substitute solves L·Lᵀ·x = sums in place, for all dimensions at once.
func (r *Ridge) substitute(x []float64, d int) {
	n := r.size
	subtract := func(from, what int, times float64) {
		into, row := x[from*d:][:d], x[what*d:][:d]
		for k, v := range row {
			into[k] -= float64(times * v)
		}
	}
	divide := func(row int) {
		for k := range d {
			x[row*d+k] /= r.lower[row*n+row]
		}
	}
	for i := range n {
		for j := range i {
			subtract(i, j, r.lower[i*n+j])
		}
		divide(i)
	}
	for i := n - 1; i >= 0; i-- {
		divide(i)
		for j := range i {
			subtract(j, i, r.lower[i*n+j])
		}
	}
}
