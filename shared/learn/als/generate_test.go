package als

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"recsys/shared/learn/coldstart"
	"recsys/shared/learn/sparse"
)

// movieLens1M is made once for all tests, which must not change it.
var movieLens1M = sync.OnceValue(func() Data { return generate(1, 6_040, 3_706, 1_000_000) })

const planted = 4 // factors behind generated ratings

// generate makes about n ratings in the shape of MovieLens. Customers have skewed activity (log-normal), and items
// skewed popularity (rank^-0.8). Planted factors decide, together with popularity, which items a customer rates and
// how. The features are a noisy look at the factors. The same seed gives the same ratings.
func generate(seed uint64, customers, items, n int) Data {
	r := rand.New(rand.NewPCG(seed, 7))
	tastes, kinds := normals(r, customers*planted), normals(r, items*planted)
	popular := popularItems(r, items)
	activity, total := make([]float64, customers), 0.0
	for c := range activity {
		activity[c] = math.Exp(r.NormFloat64())
		total += activity[c]
	}
	m := &sparse.Matrix{Width: items, Start: make([]int64, 1, customers+1)}
	seen := make([]int, items) // the last customer
	for c := range customers {
		affinity := func(item int32) (sum float64) {
			for k := range planted {
				sum += tastes[c*planted+k] * kinds[int(item)*planted+k]
			}
			return sum / 4
		}
		want := min(max(1, int(activity[c]/total*float64(n)+r.Float64())), items/4)
		first := len(m.Columns)
		for tries := 0; len(m.Columns)-first < want && tries < 20*want; tries++ {
			item := popular[r.IntN(len(popular))]
			if seen[item] == c+1 || r.Float64() > 1/(1+math.Exp(-3*affinity(item))) {
				continue
			}
			seen[item] = c + 1
			m.Columns = append(m.Columns, item)
		}
		slices.Sort(m.Columns[first:])
		for _, item := range m.Columns[first:] {
			m.Ratings = append(m.Ratings, uint16(100*min(max(math.Floor(3.5+affinity(item)+0.8*r.NormFloat64()), 1), 5)))
		}
		m.Start = append(m.Start, int64(len(m.Columns)))
	}
	return Data{m, look(r, tastes), look(r, kinds)}
}

func normals(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}

// popularItems lists each item as often as it is popular.
func popularItems(r *rand.Rand, items int) (popular []int32) {
	for rank, item := range r.Perm(items) {
		often := 1000 * math.Pow(float64(rank+10), -0.8)
		popular = append(popular, slices.Repeat([]int32{int32(item)}, 1+int(often))...)
	}
	return popular
}

// look sees of each row's factors one number, with noise, and which of the others is the largest.
func look(r *rand.Rand, factors []float64) *coldstart.Features {
	f := &coldstart.Features{Width: planted, Start: []int64{0}}
	for at := 0; at < len(factors); at += planted {
		category := 1
		for k := 2; k < planted; k++ {
			if factors[at+k] > factors[at+category] {
				category = k
			}
		}
		f.Columns = append(f.Columns, 0, int32(category))
		f.Values = append(f.Values, float32(factors[at]+r.NormFloat64()/2), 1)
		f.Start = append(f.Start, int64(len(f.Columns)))
	}
	return f
}
