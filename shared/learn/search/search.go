// Package search finds the options of training that rank a shop's own ratings best. No setting wins on every shop. A
// small dense one wants few factors and much weight on unrated products, a large sparse one wants 256 factors and few
// iterations.
//
// A search has four rounds. The first varies the weight of unobserved pairs and the regularization, the second the number of
// factors, the third the neighbourhood of the best. The fourth puts item neighbours of several kinds and strengths next to
// the best vectors. Each candidate is fitted without some of the ratings, and is judged by how well it ranks those. One fit
// gives a figure after every iteration, and one ranking a figure for every β. So neither are candidates.
//
// Promise: the same data, options and seed give the same trials, bit for bit, with any number of workers, interrupted or not.
// Memory is that of one fit, its scores included. In the fourth round it is the best vectors of all folds, at most 256 MB,
// and one table of neighbours with what it takes to make it.
package search

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/als"
	"recsys/shared/learn/sparse"
)

// Options say how to search.
type Options struct {
	// Seed of the validation: other seeds hold out other ratings. It must not be the seed that the gate judges by.
	Seed uint64
	// Pinned are the options that the search leaves as they are.
	Pinned settings.Pinned
	// Neighbours is the kind of item neighbours that must be chosen if there is any, or "off". Else every kind is tried, and none.
	Neighbours string
	// Folds are splits of the ratings that are made already, by time. Nil: the ratings are held out by the seed.
	Folds []Fold
	// Repeatable is that of evaluation.HoldOut.
	Repeatable bool
	// Memory is what the training may take, in bytes. A model that would need more than a third of it is left out. 0: no bound.
	Memory int64
}

// Fold is one split of the ratings: those that a candidate is fitted to, and those that it is judged by.
type Fold struct{ Train, HeldOut *sparse.Matrix }

// Limits of a search.
const (
	// LeastRatings and LeastCustomers are the least that a search needs. With less, its figures are chance.
	LeastRatings   = 500
	LeastCustomers = 50
	// MostCustomers is the largest number of customers that a candidate is judged by.
	MostCustomers = 5_000
	// MostRatings is the largest number of ratings that a candidate is fitted to. Of a larger shop, customers are sampled.
	MostRatings = 1_000_000
	// MostIterations is how long a candidate is fitted, also if more are pinned: a trial must end within one call of a function.
	MostIterations = 12
	// heldOut is the share of the ratings that candidates are judged by.
	heldOut = 0.2
	// patience is the number of iterations that a candidate may go without a better figure.
	patience = 2
	// foldRatings is the number of ratings that all folds have together, at most.
	foldRatings = 500_000
	mostFolds   = 5
	// mostNumbers bounds the numbers of all vectors together, 256 MB. A fit holds them six times while it notes a checkpoint.
	mostNumbers = 64 << 20
	// cheaper is the share of the best figure that a candidate with fewer numbers may lose and still be chosen.
	cheaper = 0.01
)

// Trial is one candidate and how well it did.
type Trial = lake.Trial

// Apply returns options with a trial's choices in place of their own.
func Apply(t Trial, o als.Options) als.Options {
	o.Factors, o.Iterations = t.Factors, t.Iterations
	o.UnobservedWeight, o.Regularization, o.FrequencyExponent, o.FeatureRidge = t.UnobservedWeight, t.Regularization, t.FrequencyExponent, t.FeatureRidge
	return o
}

// candidate returns a trial without its result.
func candidate(t Trial) Trial {
	t.Iterations, t.NDCG10, t.Failed = 0, 0, ""
	if t.Neighbours != nil {
		model := *t.Neighbours
		model.Beta = 0
		t.Neighbours = &model
	}
	return t
}

// same reports whether two trials try the same options in the same round.
func same(t, u Trial) bool {
	t, u = candidate(t), candidate(u)
	if t.Neighbours != nil && u.Neighbours != nil && *t.Neighbours == *u.Neighbours {
		t.Neighbours = u.Neighbours
	}
	return t == u
}

// sameOptions reports whether two trials try the same options, in any rounds.
func sameOptions(t, u Trial) bool {
	t.Round = u.Round
	return same(t, u)
}

// ErrTooFew says that there are too few customers or ratings for a search.
var ErrTooFew = fmt.Errorf("a search needs %d customers and %d ratings", LeastCustomers, LeastRatings)

// ErrNoneFits says that no candidate ranks any held-out rating high.
var ErrNoneFits = errors.New("no candidate has a figure")

// Run searches. held returns the rule that holds out a share of the ratings by a seed. base has the options that are not
// searched and the first candidate. done are the trials of an interrupted search with the same arguments, nil for none.
// after is called behind each new trial with all trials so far, and an error of it ends the search. Errors: ErrTooFew,
// ErrNoneFits, those of after, and the context's.
func Run(ctx context.Context, data als.Data, held func(seed uint64, share float64) func(row, column int) bool, base als.Options,
	o Options, done []Trial, after func(all []Trial) error) (lake.Search, error) {
	customers := active(data.Ratings)
	s := &search{base: base, Options: o, done: done, after: after}
	if err := s.validate(data, held); err != nil {
		return lake.Search{}, err
	}
	most := min(customers, data.Ratings.Width, mostNumbers/(data.Ratings.Rows()+data.Ratings.Width))
	for round := 1; round <= fitted; round++ {
		for _, c := range candidates(round, s.best(), base, o.Pinned, most) {
			if err := s.try(ctx, c, s.fits); err != nil {
				return lake.Search{}, err
			}
		}
	}
	if err := s.blends(ctx, data.Ratings); err != nil {
		return lake.Search{}, err
	}
	chosen := choose(s.trials, o.Neighbours)
	if chosen < 0 {
		return lake.Search{}, fmt.Errorf("%w of %d, the first because %s", ErrNoneFits, len(s.trials), s.trials[0].Failed)
	}
	s.result.Trials, s.result.Chosen = s.trials, chosen
	return s.result, nil
}

type search struct {
	Options
	base   als.Options
	folds  []fold
	trials []Trial
	done   []Trial
	after  func(all []Trial) error
	result lake.Search

	partner Trial         // whose vectors the last round puts neighbours next to
	vectors []als.Factors // of the partner by fold, as far as they are kept
}

// fold is one split of the ratings.
type fold struct {
	data    als.Data       // without the validation
	heldOut *sparse.Matrix // the validation's ratings of the customers who are judged by
}

// active returns the number of customers with ratings.
func active(ratings *sparse.Matrix) (customers int) {
	for c := range ratings.Rows() {
		if ratings.Start[c] < ratings.Start[c+1] {
			customers++
		}
	}
	return customers
}

// validate splits the ratings. A large shop's customers are sampled first. Errors: ErrTooFew.
func (s *search) validate(data als.Data, held func(uint64, float64) func(int, int) bool) error {
	seed, sample := s.Seed, func(int) bool { return true }
	if share := float64(MostRatings) / float64(len(data.Ratings.Columns)); share < 1 {
		sample = sampled(seed, share)
		data.Ratings = data.Ratings.Thin(sample)
	}
	customers := active(data.Ratings)
	if customers < LeastCustomers || len(data.Ratings.Columns) < LeastRatings {
		return ErrTooFew
	}
	s.result.Customers, s.result.Ratings = customers, len(data.Ratings.Columns)
	judges := sampled(seed+1, float64(MostCustomers)/float64(customers))
	add := func(rest, validation *sparse.Matrix) {
		s.folds = append(s.folds, fold{als.Data{Ratings: rest, Users: data.Users, Items: data.Items}, validation.Thin(judges)})
	}
	for _, f := range s.Folds {
		add(f.Train.Thin(sample), f.HeldOut.Thin(sample))
	}
	for f := 0; s.Folds == nil && f < FoldsOf(len(data.Ratings.Columns)); f++ {
		add(data.Ratings.Split(held(seed+uint64(f), heldOut)))
	}
	s.result.Folds = len(s.folds)
	return nil
}

// FoldsOf returns how often so many ratings are split: more often the fewer there are.
func FoldsOf(ratings int) int { return min(max(foldRatings/max(ratings, 1), 1), mostFolds) }

// TimeShares are the parts of a customer's interactions that the folds of a split by time hold out.
var TimeShares = [mostFolds]float64{heldOut, 0.3, 0.4, 0.15, 0.25}

// sampled returns a rule that keeps about a share of the rows.
func sampled(seed uint64, share float64) func(row int) bool {
	return func(row int) bool { return sparse.DrawOfNumber(seed, int32(row)).HeldOut(share, "sampled") }
}

// blends is the last round. ratings are all that the choice will be fitted to.
func (s *search) blends(ctx context.Context, ratings *sparse.Matrix) error {
	best := s.best()
	if best == nil {
		return nil
	}
	s.partner = *best
	list, leftOut := s.withNeighbours(ratings)
	for _, c := range list {
		if err := s.try(ctx, c, s.blend); err != nil {
			return err
		}
	}
	s.result.LeftOut = leftOut
	return nil
}

// try judges a candidate, unless it is among the trials already or an interrupted search has judged it.
func (s *search) try(ctx context.Context, c Trial, judge func(context.Context, Trial) (Trial, error)) error {
	for _, t := range s.trials {
		if sameOptions(t, c) {
			return nil
		}
	}
	if n := len(s.trials); n < len(s.done) && same(s.done[n], c) {
		s.trials = append(s.trials, s.done[n])
		return nil
	}
	s.done = nil // the later trials were made on other grounds
	t, err := judge(ctx, c)
	if err != nil {
		return fmt.Errorf("candidate %d: %w", len(s.trials)+1, err)
	}
	s.trials = append(s.trials, t)
	return s.after(s.trials)
}

// best returns the trial with the best figure so far, nil before the first.
func (s *search) best() *Trial {
	best := -1
	for i, t := range s.trials {
		if t.Failed == "" && (best < 0 || t.NDCG10 > s.trials[best].NDCG10) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	return &s.trials[best]
}

// stored returns the numbers that a trial's model stores for a product. A neighbour is two, a product and a weight.
func stored(t Trial) int {
	if t.Neighbours == nil {
		return t.Factors
	}
	return t.Factors + 2*t.Neighbours.Kept
}

// choose returns the index of the best trial, or of one with fewer numbers that loses little. Of trials with neighbours of a
// kind, if there are any, it is one. It is -1 if all failed.
func choose(trials []Trial, kind string) int {
	wanted := func(t Trial) bool { return t.Failed == "" && t.Neighbours != nil && t.Neighbours.Kind == kind }
	if !slices.ContainsFunc(trials, wanted) {
		wanted = func(t Trial) bool { return t.Failed == "" }
	}
	best := -1
	for i, t := range trials {
		if wanted(t) && (best < 0 || t.NDCG10 > trials[best].NDCG10) {
			best = i
		}
	}
	chosen := best
	for i, t := range trials {
		if !wanted(t) || t.NDCG10 < trials[best].NDCG10*(1-cheaper) {
			continue
		}
		if less := stored(trials[chosen]) - stored(t); less > 0 || less == 0 && t.NDCG10 > trials[chosen].NDCG10 {
			chosen = i
		}
	}
	return chosen
}
