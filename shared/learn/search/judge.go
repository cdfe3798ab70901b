package search

import (
	"context"
	"errors"
	"math"

	"recsys/shared/contract/distance"
	"recsys/shared/learn/als"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/dense"
	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/neighbours"
)

// fits judges vectors: it fits them on each fold and keeps the best mean figure of an iteration.
func (s *search) fits(ctx context.Context, c Trial) (Trial, error) {
	var sums []float64
	for f := range s.folds {
		figures, err := s.fit(ctx, &s.folds[f], c)
		if errors.Is(err, dense.ErrNotPositive) {
			c.Failed = "the fit diverged"
			return c, nil
		}
		if err != nil {
			return c, err
		}
		if f == 0 {
			sums = figures
			continue
		}
		for i := range sums {
			sums[i] += figures[min(i, len(figures)-1)] // a fold that stopped earlier had come to rest
		}
	}
	if s.Pinned.Iterations {
		clear(sums[:len(sums)-1])
	}
	for i, sum := range sums {
		if mean := sum / float64(len(s.folds)); mean > c.NDCG10 {
			c.NDCG10, c.Iterations = mean, i+1
		}
	}
	if c.Iterations > 0 && s.Pinned.Iterations {
		c.Iterations = s.base.Iterations
	}
	if c.Iterations == 0 {
		c.Failed = "no held-out rating is among the first ten of any customer"
	}
	return c, nil
}

var errRested = errors.New("no better figure for some iterations")

// iterations returns how long a trial is fitted.
func (s *search) iterations(c Trial) int {
	switch {
	case c.Iterations > 0:
		return min(c.Iterations, MostIterations)
	case s.Pinned.Iterations:
		return min(s.base.Iterations, MostIterations)
	}
	return MostIterations
}

// fit returns the NDCG@10 after each iteration.
func (s *search) fit(ctx context.Context, f *fold, c Trial) (figures []float64, err error) {
	o, best, since := Apply(c, s.base), 0.0, 0
	o.Iterations = s.iterations(c)
	_, err = als.Fit(ctx, f.data, o, nil, func(checkpoint als.Checkpoint) error {
		figure, err := s.ndcg(ctx, f, checkpoint.Factors)
		if err != nil {
			return err
		}
		figures = append(figures, figure)
		if figure > best {
			best, since = figure, 0
		} else if since++; since == patience && !s.Pinned.Iterations {
			return errRested
		}
		return nil
	})
	if errors.Is(err, errRested) {
		err = nil
	}
	return figures, err
}

func (s *search) ndcg(ctx context.Context, f *fold, factors als.Factors) (float64, error) {
	for _, x := range factors.Items {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return 0, dense.ErrNotPositive
		}
	}
	model, err := evaluation.NewEmbeddings(distance.InnerProduct, factors.Dimension, rows(factors.Users, factors.Dimension), rows(factors.Items, factors.Dimension))
	if err != nil {
		return 0, err
	}
	result, err := evaluation.Evaluate(ctx, s.heldOut(f), model, 0)
	return result.NDCG10(), err
}

func (s *search) heldOut(f *fold) evaluation.HoldOut {
	return evaluation.HoldOut{Train: f.data.Ratings, HeldOut: f.heldOut, Repeatable: s.Repeatable}
}

func rows(numbers []float32, dimension int) [][]float32 {
	rows := make([][]float32, len(numbers)/dimension)
	for i := range rows {
		rows[i] = numbers[i*dimension : (i+1)*dimension]
	}
	return rows
}

// betas are the shares of neighbours that one ranking tries. Without neighbours a candidate is one of the rounds before.
var betas = []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1}

// blend judges neighbours next to the best vectors, and keeps the best mean figure of a β.
func (s *search) blend(ctx context.Context, c Trial) (Trial, error) {
	model, sums := *c.Neighbours, make([]float64, len(betas))
	for f := range s.folds {
		figures, err := s.sweep(ctx, f, c)
		if errors.Is(err, neighbours.ErrIllConditioned) || errors.Is(err, dense.ErrNotPositive) {
			c.Failed = err.Error()
			return c, nil
		}
		if err != nil {
			return c, err
		}
		for b, perCustomer := range figures {
			sums[b] += mean(perCustomer)
		}
	}
	for b, sum := range sums {
		if figure := sum / float64(len(s.folds)); figure > c.NDCG10 {
			c.NDCG10, model.Beta = figure, betas[b]
		}
	}
	c.Neighbours, c.Iterations = &model, s.partner.Iterations
	if c.NDCG10 == 0 {
		c.Failed = "no held-out rating is among the first ten of any customer"
	}
	return c, nil
}

func mean(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(len(values), 1))
}

// sweep returns the NDCG@10 of each of a fold's customers, by β.
func (s *search) sweep(ctx context.Context, f int, c Trial) ([][]float64, error) {
	fold := &s.folds[f]
	factors, err := s.partnerVectors(ctx, f)
	if err != nil {
		return nil, err
	}
	table, err := neighbours.Make(ctx, fold.data.Ratings, *c.Neighbours, s.base.Workers)
	if err != nil {
		return nil, err
	}
	scorer, err := blend.NewScorer(blend.Model{Metric: distance.InnerProduct, Dimension: factors.Dimension,
		Items: make([]string, table.Rows()), Vectors: factors.Items, Neighbours: table, Beta: 1})
	if err != nil {
		return nil, err
	}
	customers := blend.Customers{Scorer: scorer, Vectors: rows(factors.Users, factors.Dimension), History: fold.data.Ratings}
	return evaluation.NDCG10s(ctx, s.heldOut(fold), blend.Sweep{Customers: customers, Betas: betas}, 0)
}

// partnerVectors returns the vectors of s.partner on a fold. They are kept if those of all folds fit into memory.
func (s *search) partnerVectors(ctx context.Context, f int) (als.Factors, error) {
	if s.vectors == nil {
		s.vectors = make([]als.Factors, len(s.folds))
	}
	if s.vectors[f].Dimension > 0 {
		return s.vectors[f], nil
	}
	o := Apply(s.partner, s.base)
	o.Iterations = s.iterations(s.partner)
	factors, err := als.Fit(ctx, s.folds[f].data, o, nil, nil)
	if err == nil && (len(factors.Users)+len(factors.Items))*len(s.folds) <= mostNumbers {
		s.vectors[f] = factors
	}
	return factors, err
}
