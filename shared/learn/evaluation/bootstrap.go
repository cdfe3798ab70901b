package evaluation

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

const defaultResamples = 2000

// Interval is the span that a mean lies in with 95 % confidence.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// meanInterval is the 95 % percentile bootstrap interval of the mean of values, one a customer (Efron, Tibshirani: An
// Introduction to the Bootstrap, 1993, chapter 13). Customers are drawn with replacement, as many as there are,
// resamples times. The interval's ends are the 2.5 % and the 97.5 % quantile of the means. A seed gives the same
// interval on any number of processors. No values: the zero interval.
func meanInterval(values []float64, resamples int, seed uint64) Interval {
	if len(values) == 0 {
		return Interval{}
	}
	means := make([]float64, resamples)
	var workers sync.WaitGroup
	stride := runtime.GOMAXPROCS(0)
	for first := range stride {
		workers.Go(func() {
			for r := first; r < resamples; r += stride {
				means[r] = resampledMean(values, rand.NewPCG(seed, uint64(r)))
			}
		})
	}
	workers.Wait()
	slices.Sort(means)
	return Interval{quantile(means, 0.025), quantile(means, 0.975)}
}

func resampledMean(values []float64, chance *rand.PCG) float64 {
	sum, n := 0.0, uint64(len(values))
	for range values {
		at, _ := bits.Mul64(chance.Uint64(), n) // uniform but for n/2^64
		sum += values[at]
	}
	return sum / float64(n)
}

// quantile is linear between the two nearest of the sorted values.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := math.Floor(at)
	low, high := sorted[int(below)], sorted[min(int(below)+1, len(sorted)-1)]
	return low + float64((at-below)*(high-low)) // rounded in between, so that all processors give the same
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(len(values), 1))
}
