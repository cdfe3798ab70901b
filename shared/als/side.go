package als

import (
	"context"
	"math"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"recsys/shared/dense"
	"recsys/shared/interactions"
)

// side is the customers or the items: their ratings, their vectors and how much each is regularised.
type side struct {
	ratings   *interactions.Matrix
	vectors   []float32 // rows × width
	penalties []float32 // λ(n + α₀m)^ν of each row
}

func (t *training) newSide(ratings *interactions.Matrix) side {
	s := side{ratings, make([]float32, ratings.Rows()*t.width), make([]float32, ratings.Rows())}
	for row := range s.penalties {
		n := float64(ratings.Start[row+1] - ratings.Start[row])
		frequency := n + t.options.UnobservedWeight*float64(ratings.Width)
		s.penalties[row] = float32(t.options.Regularization * math.Pow(frequency, t.options.FrequencyExponent))
	}
	return s
}

// penalty is Σ λ(n + α₀m)^ν |v|².
func (s *side) penalty(width int) (sum float64) {
	for row, penalty := range s.penalties {
		squares := 0.0
		for _, v := range s.vectors[row*width : (row+1)*width] {
			squares += float64(float64(v) * float64(v))
		}
		sum += float64(float64(penalty) * squares)
	}
	return sum
}

// compact is a copy of the vectors without their padding.
func (s *side) compact(dimension, width int) []float32 {
	vectors := make([]float32, 0, len(s.penalties)*dimension)
	for row := range s.penalties {
		vectors = append(vectors, s.vectors[row*width:][:dimension]...)
	}
	return vectors
}

// expand is the inverse of compact.
func (s *side) expand(vectors []float32, dimension, width int) {
	for row := range s.penalties {
		copy(s.vectors[row*width:(row+1)*width], vectors[row*dimension:(row+1)*dimension])
	}
}

// rowsAtOnce is what a worker takes at a time. The losses are summed in these portions.
const rowsAtOnce = 64

// solve gives each row of a side the vector that is best for the vectors of the other side. It returns the
// objective without the other side's penalty.
func (t *training) solve(ctx context.Context, rows, others *side) (loss float64, err error) {
	start, err := t.gram(ctx, others.vectors)
	if err != nil {
		return 0, err
	}
	portions := (rows.ratings.Rows() + rowsAtOnce - 1) / rowsAtOnce
	losses := make([]float64, portions)
	err = t.each(ctx, portions, func(w *worker, portion int) (err error) {
		from := portion * rowsAtOnce
		for row := from; row < min(from+rowsAtOnce, rows.ratings.Rows()) && err == nil && ctx.Err() == nil; row++ {
			var loss float64
			loss, err = w.solveRow(rows, row, others.vectors, start)
			losses[portion] += loss
		}
		return err
	})
	for _, portion := range losses {
		loss += portion
	}
	return loss, err
}

// each calls do for 0 to n-1, on all workers. Which worker gets which is chance.
func (t *training) each(ctx context.Context, n int, do func(w *worker, i int) error) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range t.workers {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return ctx.Err()
				}
				if err := do(w, i); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// The Gram matrix is summed in at most gramParts parts, of at least gramRows rows: by shape alone, and no two workers
// add to the same numbers.
const (
	gramParts = 64
	gramRows  = 1024
)

// gram is UnobservedWeight·Σ vvᵀ over all vectors, width × width.
func (t *training) gram(ctx context.Context, vectors []float32) ([]float32, error) {
	rows := len(vectors) / t.width
	step := max(gramRows, (rows+gramParts-1)/gramParts)
	parts := make([][]float32, (rows+step-1)/step)
	err := t.each(ctx, len(parts), func(w *worker, i int) error {
		parts[i] = make([]float32, t.width*t.width)
		for from := i * step; from < min((i+1)*step, rows); from += w.block {
			n := min(w.block, (i+1)*step-from, rows-from)
			dense.AddOuter(parts[i], t.width, vectors[from*t.width:], t.width, n)
		}
		return nil
	})
	gram := make([]float32, t.width*t.width)
	for i := range t.width {
		for j := i; j < t.width; j++ {
			sum := 0.0
			for _, part := range parts {
				sum += float64(part[i*t.width+j])
			}
			gram[i*t.width+j] = float32(float64(t.options.UnobservedWeight * sum))
			gram[j*t.width+i] = gram[i*t.width+j]
		}
	}
	return gram, err
}
