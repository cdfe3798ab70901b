package search

import (
	"fmt"
	"math"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/als"
	"recsys/shared/learn/neighbours"
	"recsys/shared/learn/sparse"
)

// fitted is the number of rounds that fit vectors. The round behind them, blended, puts neighbours next to the best.
const (
	fitted  = 3
	blended = fitted + 1
)

// The design. A number of the table is tried unless its option is pinned.
var (
	firstFactors      = 64
	unobservedWeights = []float64{0.003, 0.01, 0.03, 0.1, 0.3, 1}
	regularizations   = []struct{ weight, exponent float64 }{{0.1, 0.75}, {0.4, 0.5}, {1.5, 0.5}}
	factorCounts      = []int{16, 32, 128, 256}
	steps             = []struct{ unobservedWeight, regularization, ridge float64 }{
		{0.5, 1, 1}, {2, 1, 1}, {1, 0.5, 1}, {1, 2, 1}, {1, 1, 0.2}, {1, 1, 5},
	}
	exponents = []struct{ target, source float64 }{{0.3, 0.3}, {0.5, 0.5}, {0.3, 0.6}, {0.6, 0.3}}
	ridges    = []float64{3, 10, 30, 100, 300, 1000}
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

// withNeighbours returns the candidates of the last round: item neighbours next to the partner's vectors. It leaves a kind out
// for which the shop is too large, and says so. ratings are all of the shop's, because the choice is fitted to them.
func (s *search) withNeighbours(ratings *sparse.Matrix) (list []Trial, leftOut []string) {
	if s.Neighbours == "off" {
		return nil, nil
	}
	products := ratings.Width
	kept := min(lake.DefaultKept, neighbours.MostEntries/max(products, 1))
	if kept < leastKept {
		return nil, []string{fmt.Sprintf("Item neighbours are not tried: %d products are too many, of at most %d.", products, neighbours.MostEntries/leastKept)}
	}
	trial := candidate(s.partner)
	trial.Round = blended
	add := func(n lake.Neighbours) {
		n.Kept, trial.Neighbours = kept, &n
		list = append(list, trial)
	}
	switch steps := neighbours.Steps(ratings); {
	case s.Neighbours == lake.EASE:
	case steps > mostSteps:
		leftOut = append(leftOut, fmt.Sprintf("Item kNN is not tried: some customers have very many products, which makes %d steps of at most %d.", steps, int(mostSteps)))
	default:
		for _, e := range exponents {
			add(lake.Neighbours{Kind: lake.KNN, TargetExponent: e.target, SourceExponent: e.source})
		}
	}
	switch most := mostForEASE(len(s.folds), s.Memory); {
	case s.Neighbours == lake.KNN:
	case products > most:
		leftOut = append(leftOut, fmt.Sprintf("EASE is not tried: %d products are more than %d, for which time and memory suffice.", products, most))
	default:
		for _, ridge := range ridges {
			add(lake.Neighbours{Kind: lake.EASE, Ridge: ridge})
		}
	}
	return list, leftOut
}

const (
	// leastKept is the least number of neighbours that a product of a very large shop keeps.
	leastKept = 20
	// mostSteps leaves room for the fit on all ratings, which has those that are held out, too.
	mostSteps = neighbours.MostSteps / 2
	// mostWork bounds the multiplications of a candidate by EASE. A core makes some ten billion in a second.
	mostWork = 1e12
)

// mostForEASE returns the number of products up to which EASE is tried: products³ multiplications a fold, and 8 bytes a pair.
func mostForEASE(folds int, memory int64) int {
	most := min(neighbours.MaxEASE, int(math.Cbrt(mostWork/float64(max(folds, 1)))))
	if memory > 0 {
		most = min(most, int(math.Sqrt(float64(memory)/3/8)))
	}
	return most
}
