package evaluation

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

// Of nine customers with 0 and one with 1, the mean of a resample is a tenth of a binomial count of 10 draws at 0.1:
// 0 with 0.349, at most 0.2 with 0.930, at most 0.3 with 0.987. So the 2.5 % quantile is 0 and the 97.5 % one 0.3.
// Of the values 0 and 1: 0, ½ and 1 with ¼, ½ and ¼.
func TestIntervalExactly(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Interval
	}{
		{[]float64{0, 0, 0, 0, 1, 0, 0, 0, 0, 0}, Interval{0, 0.3}},
		{[]float64{0, 1}, Interval{0, 1}},
		{[]float64{0.25, 0.25, 0.25}, Interval{0.25, 0.25}},
		{[]float64{-0.5}, Interval{-0.5, -0.5}},
		{nil, Interval{}},
	} {
		got := meanInterval(c.values, 4000, 1)
		near(t, "the lower end", got.Low, c.want.Low, 1e-12)
		near(t, "the upper end", got.High, c.want.High, 1e-12)
	}
}

// Of many customers the means are normal: the interval is the mean ± 1.96 standard errors.
func TestIntervalNearNormal(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 1))
	values := make([]float64, 5000)
	for i := range values {
		values[i] = chance.ExpFloat64() - 0.3
	}
	m, squares := mean(values), 0.0
	for _, v := range values {
		squares += (v - m) * (v - m)
	}
	deviation := math.Sqrt(squares/float64(len(values))) / math.Sqrt(float64(len(values)))
	got := meanInterval(values, 4000, 2)
	// A quantile of 4,000 means has itself a standard error of about 0.042 deviations.
	near(t, "the lower end", got.Low, m-1.96*deviation, 0.17*deviation)
	near(t, "the upper end", got.High, m+1.96*deviation, 0.17*deviation)
}

func TestIntervalIsDeterministic(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 1))
	values := make([]float64, 100)
	for i := range values {
		values[i] = chance.Float64()
	}
	want := meanInterval(values, 500, 7)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if got := meanInterval(values, 500, 7); got != want {
		t.Errorf("on one processor %v, on all %v", got, want)
	}
	if got := meanInterval(values, 500, 8); got == want {
		t.Error("another seed, the same interval")
	}
}

func TestQuantile(t *testing.T) {
	sorted := []float64{0, 10, 20, 40}
	for q, want := range map[float64]float64{0: 0, 1: 40, 0.5: 15, 0.9: 34} {
		near(t, "a quantile", quantile(sorted, q), want, 1e-9)
	}
}
