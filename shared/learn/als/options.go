package als

import (
	"errors"
	"fmt"

	"recsys/shared/learn/sparse"
)

// Options say how to train. Start from Default; the zero value is not valid.
type Options struct {
	// Factors is the dimension of the learned vectors, 1 to MaxFactors.
	Factors int
	// Iterations is how often both sides are solved, 1 to 1,000.
	Iterations int
	// UnobservedWeight is what a pair without a rating weighs, against RatingWeights: over 0. It is α₀ of Rendle et al.
	UnobservedWeight float64
	// RatingWeights is what a pair with a rating of 1 to 5 weighs: the confidence c of Hu, Koren and Volinsky. Over 0.
	// Ratings between two of them weigh in proportion, and those below 1 as 1.
	RatingWeights [5]float64
	// Regularization is λ, over 0: a row with n ratings is regularised by λ·n^FrequencyExponent.
	Regularization float64
	// FrequencyExponent is ν, 0 to 1: 0 regularises all rows alike, 1 in proportion to what is known of them.
	FrequencyExponent float64
	// FeatureRidge regularises the maps from features, over 0. Its unit is the average row: a feature counts as if it had
	// been seen on so many more rows with vectors that it says nothing of.
	FeatureRidge float64
	// Seed of the start. Any value.
	Seed uint64
	// Workers solve rows at the same time, 0 is as many as there are cores. Their number changes no bit of the result.
	Workers int
}

// weight returns the weight of a rating in hundredths of a star. Whole stars have exactly their RatingWeights.
func (o Options) weight(rating int) float64 {
	star, part := rating/sparse.Star, rating%sparse.Star
	switch {
	case star < 1:
		return o.RatingWeights[0]
	case part == 0:
		return o.RatingWeights[star-1]
	}
	below, above := o.RatingWeights[star-1], o.RatingWeights[star]
	return below + float64((above-below)*float64(part)/sparse.Star)
}

// MaxFactors bounds Options.Factors.
const MaxFactors = 512

// Default is what the package comment's figures were measured with.
func Default() Options {
	return Options{
		Factors: 32, Iterations: 10, UnobservedWeight: 0.5, RatingWeights: [5]float64{0.7, 0.85, 1, 1.15, 1.3},
		Regularization: 0.45, FrequencyExponent: 0.75, FeatureRidge: 5, Seed: 1,
	}
}

// Validate reports every option that is out of its bounds, all at once.
func (o Options) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	const most = 1e6 // of a weight: beyond it float32 no longer tells the small ones
	check(o.Factors >= 1 && o.Factors <= MaxFactors, "factors %d: want 1 to %d", o.Factors, MaxFactors)
	check(o.Iterations >= 1 && o.Iterations <= 1000, "iterations %d: want 1 to 1000", o.Iterations)
	check(o.UnobservedWeight > 0 && o.UnobservedWeight <= most, "weight of unobserved pairs %v: want over 0 to %v", o.UnobservedWeight, most)
	for i, w := range o.RatingWeights {
		check(w > 0 && w <= most, "weight of the rating %d, %v: want over 0 to %v", i+1, w, most)
	}
	check(o.Regularization > 0 && o.Regularization <= most, "regularization %v: want over 0 to %v", o.Regularization, most)
	check(o.FrequencyExponent >= 0 && o.FrequencyExponent <= 1, "frequency exponent %v: want 0 to 1", o.FrequencyExponent)
	check(o.FeatureRidge > 0 && o.FeatureRidge <= most, "ridge of the features %v: want over 0 to %v", o.FeatureRidge, most)
	check(o.Workers >= 0 && o.Workers <= 1024, "workers %d: want 0 to 1024", o.Workers)
	return errors.Join(faults...)
}
