package als

import (
	"errors"
	"fmt"

	"recsys/shared/contract/option"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/sparse"
)

// Options say how to train. Start from Default, because the zero value is not valid.
type Options struct {
	// Training has the factors, the iterations and the weights, with their defaults and their bounds.
	settings.Training
	// RatingWeights are the weights of a pair with a rating of 1 to 5: the confidence c of Hu, Koren and Volinsky.
	// Over 0. Ratings between two of them weigh in proportion, and those below 1 as 1.
	RatingWeights [5]float64
	// Confidence takes the matrix as confidences instead of ratings. They are the weights themselves.
	Confidence bool
	// Workers solve rows at the same time, 0 is as many as there are cores. Their number changes no bit of the result.
	Workers int
}

// weight returns the weight of a rating in hundredths of a star. Whole stars have exactly their RatingWeights.
func (o Options) weight(rating int) float64 {
	if o.Confidence {
		return float64(rating) / sparse.Star
	}
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

// Default returns the options of the package comment's figures.
func Default() Options {
	return Options{Training: settings.Default[settings.Training](), RatingWeights: [5]float64{0.7, 0.85, 1, 1.15, 1.3}}
}

// maxWeight bounds a rating's weight. Beyond it a float32 no longer tells the small ones from each other.
const maxWeight = 1e6

// Validate reports every option that is out of its bounds, all at once.
func (o Options) Validate() error {
	faults := []error{option.Check(o.Training)}
	for i, w := range o.RatingWeights {
		if !(w > 0 && w <= maxWeight) {
			faults = append(faults, fmt.Errorf("weight of the rating %d is %v: want more than 0, at most %v", i+1, w, maxWeight))
		}
	}
	if o.Workers < 0 || o.Workers > 1024 {
		faults = append(faults, fmt.Errorf("workers is %d: want 0 to 1024", o.Workers))
	}
	return errors.Join(faults...)
}
