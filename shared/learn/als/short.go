package als

import (
	"math"

	"recsys/shared/learn/dense"
)

// short is the memory in which a worker solves rows with fewer ratings than factors. It is made when it is first needed.
type short struct {
	rows      []float32                // ratings × width: the gathered vectors, scaled
	columns   []float32                // width × padded ratings: the same, transposed
	scales    []float32                // width: 1/√(diagonal + penalty)
	mean      []float32                // width: the part of the row's prior
	negative  []float32                // width: the same, negated
	target    []float32                // padded ratings
	solution  []float32                // padded ratings
	right     []float32                // width: the scaled right-hand side
	equations map[int]*dense.Equations // by padded ratings
}

func newShort(width int) short {
	numbers := func(n int) []float32 { return make([]float32, n) }
	return short{
		rows: numbers(width * width), columns: numbers(width * width), scales: numbers(width), mean: numbers(width),
		negative: numbers(width), target: numbers(width), solution: numbers(width), right: numbers(width),
		equations: map[int]*dense.Equations{},
	}
}

// solve solves one row by the smaller of two systems: one with an equation a factor, or one with an equation a rating.
func (w *worker) solve(s *side, row int, others, start, diagonal []float32) (loss float64, err error) {
	columns, _ := s.ratings.Row(row)
	if diagonal == nil || len(columns) == 0 || dense.Pad(len(columns)) >= w.width {
		return w.solveRow(s, row, others, start)
	}
	if w.short.rows == nil {
		w.short = newShort(w.width)
	}
	return w.solveShort(s, row, others, diagonal)
}

// solveShort gives the result of solveRow, with n equations for n ratings (Woodbury 1950). Let D be the diagonal Gram
// matrix plus the penalty p, and m the prior. Let Z be the row's n vectors, each times the root √c of its weight,
// times D^-½. Then
//
//	v = D^-½ (h + Zᵀy)  with  h = p·D^-½·m  and  (I + ZZᵀ) y = √c − Zh
func (w *worker) solveShort(s *side, row int, others, diagonal []float32) (loss float64, err error) {
	z := &w.short
	v := s.vectors[row*w.width : (row+1)*w.width]
	columns, ratings := s.ratings.Row(row)
	n, padded, penalty := len(columns), dense.Pad(len(columns)), s.penalties[row]
	clear(z.target)
	for k, rating := range ratings {
		z.target[k] = w.roots[rating]
		loss += w.weights[rating]
	}
	for k, d := range diagonal {
		z.scales[k] = float32(1 / math.Sqrt(float64(d)+float64(penalty)))
	}
	dense.Gather(z.rows, others, w.width, columns, z.target)
	z.scale(n, padded)
	s.prior.of(w.mean, row)
	for k, m := range w.mean {
		z.mean[k] = float32(float32(penalty*z.scales[k]) * m)
		z.negative[k] = -z.mean[k]
	}
	equations := z.equations[padded]
	if equations == nil {
		equations = dense.NewEquations(padded)
		z.equations[padded] = equations
	}
	equations.ResetDiagonal(1)
	equations.Add(z.columns[:w.width*padded], z.negative)
	equations.AddTarget(z.target[:padded], 1)
	if _, err := equations.Solve(z.solution[:padded]); err != nil {
		return 0, err
	}
	copy(v, z.mean)
	dense.AddWeighted(v, z.rows, z.solution, n)
	copy(z.right, z.mean)
	dense.AddWeighted(z.right, z.rows, z.target, n)
	lowered := 0.0
	for k := range v {
		lowered += float64(float64(z.right[k]) * float64(v[k]))
		v[k] = float32(v[k] * z.scales[k])
		mean, difference := float64(w.mean[k]), float64(v[k])-float64(w.mean[k])
		loss += float64(float64(penalty) * (float64(mean*mean) - float64(difference*difference)))
	}
	return loss - lowered, nil
}

// scale multiplies the first n gathered vectors by the scales of their factors, and transposes them to padded columns.
func (z *short) scale(n, padded int) {
	width := len(z.scales)
	clear(z.columns[:width*padded])
	for i := range n {
		vector := z.rows[i*width : (i+1)*width]
		for k, scale := range z.scales {
			x := float32(vector[k] * scale)
			vector[k] = x
			z.columns[k*padded+i] = x
		}
	}
}
