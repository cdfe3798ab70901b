package als

import (
	"context"
	"math"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"recsys/shared/learn/coldstart"
	"recsys/shared/learn/dense"
	"recsys/shared/learn/sparse"
)

// side is the customers or the items: their ratings, their vectors and how much each is regularised.
type side struct {
	ratings   *sparse.Matrix
	vectors   []float32 // rows × width
	penalties []float32 // λn^ν of each row, 0 for one without ratings
	prior               // of the vectors
}

func (t *training) newSide(ratings *sparse.Matrix, features *coldstart.Features) (s side, err error) {
	s = side{ratings: ratings, vectors: make([]float32, ratings.Rows()*t.width), penalties: make([]float32, ratings.Rows())}
	for row := range s.penalties {
		n := float64(ratings.Start[row+1] - ratings.Start[row])
		if n == 0 {
			continue
		}
		// Powers may differ in their last bits between processors, and float32 drops these.
		s.penalties[row] = float32(t.options.Regularization * math.Pow(n, t.options.FrequencyExponent))
	}
	s.prior, err = newPrior(features, s.penalties, t.options.FeatureRidge, t.width)
	return s, err
}

// explain fits the prior to the vectors as they are.
func (s *side) explain(width int) { s.prior.fit(s.vectors, width) }

// penalty is this side's part of the objective: Σ λn^ν |v − prior|², and the prior's own.
func (s *side) penalty(width int) float64 {
	sum, mean := s.prior.penalty(), make([]float32, width)
	for row, penalty := range s.penalties {
		s.prior.of(mean, row)
		squares := 0.0
		for k, v := range s.vectors[row*width : (row+1)*width] {
			difference := float64(v) - float64(mean[k])
			squares += float64(difference * difference)
		}
		sum += float64(float64(penalty) * squares)
	}
	return sum
}

// speak gives those without ratings the vectors that the map has for them.
func (s *side) speak(vectors []float32, m coldstart.Map) {
	if s.features == nil {
		return
	}
	for row, penalty := range s.penalties {
		if penalty == 0 {
			columns, values := s.features.Row(row)
			m.Apply(vectors[row*m.Dimension:][:m.Dimension], columns, values)
		}
	}
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

// rowsAtOnce is the number of rows that a worker takes at a time. The losses are summed in these portions.
const rowsAtOnce = 64

// solve gives each row of a side the vector that is best for the vectors of the other side. It returns the
// objective without penalties.
func (t *training) solve(ctx context.Context, rows, others *side) (loss float64, err error) {
	start, err := t.gram(ctx, others.vectors)
	if err != nil {
		return 0, err
	}
	var diagonal []float32
	if t.usesBasis(rows) {
		if diagonal, err = t.diagonalize(ctx, start, rows, others); err != nil {
			return 0, err
		}
		clear(start)
		for k, value := range diagonal {
			start[k*t.width+k] = value
		}
	}
	portions := (rows.ratings.Rows() + rowsAtOnce - 1) / rowsAtOnce
	losses := make([]float64, portions)
	err = t.each(ctx, portions, func(w *worker, portion int) (err error) {
		from := portion * rowsAtOnce
		for row := from; row < min(from+rowsAtOnce, rows.ratings.Rows()) && err == nil && ctx.Err() == nil; row++ {
			var loss float64
			loss, err = w.solve(rows, row, others.vectors, start, diagonal)
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
	if err != nil {
		return nil, err
	}
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
	return gram, nil
}
