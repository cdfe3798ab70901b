package als

import (
	"math"

	"recsys/shared/learn/dense"
	"recsys/shared/learn/sparse"
)

// worker is the memory in which one goroutine solves row after row.
type worker struct {
	width     int
	block     int                               // how many vectors are gathered at a time, so that they stay in the nearest cache
	weights   [sparse.HighestRating + 1]float64 // by rating, in hundredths of a star
	roots     [sparse.HighestRating + 1]float32 // of the weights
	gathered  []float32                         // block × width
	scales    []float32                         // block
	mean      []float32                         // width: the prior of the row
	equations *dense.Equations
	turned    []float32 // rowsTurned × width
	short     short
}

// gatheredNumbers is how many numbers of gathered vectors are worked on at a time: 24 KiB.
const gatheredNumbers = 6 << 10

func newWorker(width int, o Options) *worker {
	w := &worker{width: width, block: max(32, gatheredNumbers/width), equations: dense.NewEquations(width)}
	w.gathered, w.scales, w.mean = make([]float32, w.block*width), make([]float32, w.block), make([]float32, width)
	for rating := sparse.LowestConfidence; rating <= sparse.HighestRating; rating++ {
		w.weights[rating] = o.weight(rating)
		w.roots[rating] = float32(math.Sqrt(w.weights[rating]))
	}
	return w
}

// solveRow solves one row's normal equations, with others the vectors of the other side and start their weighted Gram
// matrix. It returns the row's part of the objective, but for penalties, at the solution v. As b = Av there, and with the
// row's prior m and its λn^ν = p, that is Σ c(1−ŷ)² + α₀Σŷ² = Σ c − b·v + p(|m|² − |v−m|²).
func (w *worker) solveRow(s *side, row int, others, start []float32) (loss float64, err error) {
	v := s.vectors[row*w.width : (row+1)*w.width]
	columns, ratings := s.ratings.Row(row)
	if len(columns) == 0 {
		clear(v)
		return 0, nil
	}
	w.equations.Reset(start, s.penalties[row])
	for len(columns) > 0 {
		n := min(len(columns), w.block)
		for k, rating := range ratings[:n] {
			w.scales[k] = w.roots[rating]
			loss += w.weights[rating]
		}
		dense.Gather(w.gathered, others, w.width, columns[:n], w.scales)
		w.equations.Add(w.gathered, w.scales[:n])
		columns, ratings = columns[n:], ratings[n:]
	}
	s.prior.of(w.mean, row)
	w.equations.AddTarget(w.mean, s.penalties[row])
	lowered, err := w.equations.Solve(v)
	for k, m := range w.mean {
		mean, difference := float64(m), float64(v[k])-float64(m)
		loss += float64(float64(s.penalties[row]) * (float64(mean*mean) - float64(difference*difference)))
	}
	return loss - lowered, err
}
