package dense

import (
	"errors"
	"math"
)

// Equations are the normal equations A·x = b of one least-squares problem, with A symmetric and positive definite.
// They include the memory to solve them and are reused from problem to problem, by one goroutine at a time.
type Equations struct {
	width  int       // numbers in x, a multiple of Lanes
	stride int       // width + Lanes: b is the column behind A
	m      []float32 // width × stride: A, of which the upper triangle counts, and b
	b      []float32 // width
}

// NewEquations makes room for equations of the given width, a multiple of Lanes.
func NewEquations(width int) *Equations {
	stride := width + Lanes
	return &Equations{width, stride, make([]float32, width*stride), make([]float32, width)}
}

// Reset starts a problem with A = start, width × width, plus diagonal on its diagonal, and b = 0.
func (e *Equations) Reset(start []float32, diagonal float32) {
	for i := range e.width {
		block := i &^ (Lanes - 1) // the rest to the left is never read
		copy(e.m[i*e.stride+block:][:e.width-block], start[i*e.width+block:])
		e.m[i*e.stride+i] += diagonal
	}
	clear(e.b)
}

// ResetDiagonal starts a problem with A = diagonal·I and b = 0.
func (e *Equations) ResetDiagonal(diagonal float32) {
	clear(e.m)
	for i := range e.width {
		e.m[i*e.stride+i] = diagonal
	}
	clear(e.b)
}

// Add adds n observations, rows one behind the other with their targets: A += Σ xᵀx, b += Σ target·x.
func (e *Equations) Add(rows, targets []float32) {
	AddOuter(e.m, e.stride, rows, e.width, len(targets))
	AddWeighted(e.b, rows, targets, len(targets))
}

// AddTarget adds scale·v to b.
func (e *Equations) AddTarget(v []float32, scale float32) {
	for i, x := range v {
		e.b[i] += float32(scale * x)
	}
}

// ErrNotPositive: A is not positive definite, as far as float32 can tell.
var ErrNotPositive = errors.New("the normal equations are not positive definite")

// Solve writes the solution to x and returns b·x, by which the solution lowers the sum of squares. The problem is
// used up. Method: Cholesky, A = UᵀU, in blocks of Lanes rows. b is eliminated as one more column, which leaves y of
// Uᵀy = b.
func (e *Equations) Solve(x []float32) (lowered float64, err error) {
	for i, v := range e.b {
		e.m[i*e.stride+e.width] = v
	}
	for first := 0; first < e.width; first += Lanes {
		e.eliminateAbove(first)
		if !e.factorBlock(first) {
			return 0, ErrNotPositive
		}
	}
	return e.substitute(x), nil
}

// eliminateAbove subtracts the part of a block that the rows above it explain.
func (e *Equations) eliminateAbove(first int) {
	if first == 0 {
		return
	}
	for i := first; i < first+Lanes; i += tileRows {
		for j := first; j < e.stride; j += Lanes {
			tile(e.m[i*e.stride+j:], e.stride, e.m[i:], e.stride, e.m[j:], e.stride, first, -1)
		}
	}
}

// factorBlock factors the rows of one block. It returns false if a pivot is not positive.
func (e *Equations) factorBlock(first int) bool {
	for i := first; i < first+Lanes; i++ {
		row := e.m[i*e.stride+first : (i+1)*e.stride]
		combine(row, e.m[first*e.stride+first:], e.stride, e.m[first*e.stride+i:], e.stride, i-first, -1)
		pivot := row[i-first]
		if !(pivot > 0) || math.IsInf(float64(pivot), 1) {
			return false
		}
		inverse := [1]float32{1 / float32(math.Sqrt(float64(pivot)))}
		gather(row, row, len(row), itself[:], inverse[:]) // in place
	}
	return true
}

// itself chooses the only row there is.
var itself [1]int32

// substitute solves U·x = y from the last row to the first. It returns y·y, which is b·x.
func (e *Equations) substitute(x []float32) (squares float64) {
	for i := e.width - 1; i >= 0; i-- {
		row := e.m[i*e.stride : (i+1)*e.stride]
		y := row[e.width]
		squares += float64(float64(y) * float64(y))
		x[i] = (y - dot(row[i+1:e.width], x[i+1:])) / row[i]
	}
	return squares
}

// dot is in four sums that do not wait for each other. The conversions forbid fused multiply-adds, see the package's promise.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	for len(a) >= 4 {
		s0 += float32(a[0] * b[0])
		s1 += float32(a[1] * b[1])
		s2 += float32(a[2] * b[2])
		s3 += float32(a[3] * b[3])
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += float32(v * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}
