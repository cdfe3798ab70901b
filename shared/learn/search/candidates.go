package search

import (
	"recsys/shared/contract/settings"
	"recsys/shared/learn/als"
)

const rounds = 3

// The design. A number of the table is tried unless its option is pinned.
var (
	firstFactors      = 64
	unobservedWeights = []float64{0.003, 0.01, 0.03, 0.1, 0.3, 1}
	regularizations   = []struct{ weight, exponent float64 }{{0.1, 0.75}, {0.4, 0.5}, {1.5, 0.5}}
	factorCounts      = []int{16, 32, 128, 256}
	steps             = []struct{ unobservedWeight, regularization, ridge float64 }{
		{0.5, 1, 1}, {2, 1, 1}, {1, 0.5, 1}, {1, 2, 1}, {1, 1, 0.2}, {1, 1, 5},
	}
)

// candidates returns those of a round, in their order. best is nil if no candidate of an earlier round could be fitted.
// most bounds the factors. With more than there are customers or products, a model would learn each of them by heart. And
// the vectors of a large shop must fit into memory.
func candidates(round int, best *Trial, base als.Options, pinned settings.Pinned, most int) (list []Trial) {
	from := Trial{
		Factors: base.Factors, UnobservedWeight: base.UnobservedWeight,
		Regularization: base.Regularization, FrequencyExponent: base.FrequencyExponent, FeatureRidge: base.FeatureRidge,
	}
	if best != nil {
		from = candidate(*best)
	}
	from.Round = round
	add := func(t Trial) {
		if pinned.UnobservedWeight {
			t.UnobservedWeight = base.UnobservedWeight
		}
		if pinned.Regularization {
			t.Regularization = base.Regularization
		}
		if pinned.FrequencyExponent {
			t.FrequencyExponent = base.FrequencyExponent
		}
		if pinned.FeatureRidge {
			t.FeatureRidge = base.FeatureRidge
		}
		if pinned.Factors {
			t.Factors = base.Factors
		}
		list = append(list, t)
	}
	switch round {
	case 1:
		add(from)
		from.Factors = firstFactors
		for from.Factors > most && from.Factors > factorCounts[0] {
			from.Factors /= 2
		}
		for _, r := range regularizations {
			for _, weight := range unobservedWeights {
				from.UnobservedWeight, from.Regularization, from.FrequencyExponent = weight, r.weight, r.exponent
				add(from)
			}
		}
	case 2:
		for _, factors := range factorCounts {
			if from.Factors = factors; factors <= most {
				add(from)
			}
		}
	case 3:
		for _, step := range steps {
			t := from
			t.UnobservedWeight *= step.unobservedWeight
			t.Regularization *= step.regularization
			t.FeatureRidge *= step.ridge
			add(t)
		}
	}
	return list
}
