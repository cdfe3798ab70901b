package evaluation

import (
	"math/rand/v2"
)

// Popularity ranks the items by a count of each, such as its number of ratings that are not held out, the same for
// everyone. Equal ones are ranked by their index.
func Popularity(counts []float64) Scorer {
	scores := make(popularity, len(counts))
	for item, n := range counts {
		scores[item] = float32(n) // exact up to 16 million ratings an item
	}
	return scores
}

type popularity []float32

func (p popularity) Score(dst []float32, customers []int32) {
	for i := range customers {
		copy(dst[i*len(p):], p)
	}
}

// Random ranks the items by chance, anew for every customer. A score depends on seed, customer and item only.
func Random(seed uint64) Scorer { return random(seed) }

type random uint64

func (r random) Score(dst []float32, customers []int32) {
	items := len(dst) / max(len(customers), 1)
	for i, customer := range customers {
		chance := rand.NewPCG(uint64(r), uint64(customer))
		row := dst[i*items : (i+1)*items]
		var bits uint64
		for item := range row {
			if item%2 == 0 {
				bits = chance.Uint64() // is enough for two scores of 24 bits
			}
			row[item] = float32(bits>>40) * 0x1p-24
			bits <<= 32
		}
	}
}
