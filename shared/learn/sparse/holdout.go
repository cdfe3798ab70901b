package sparse

import "strconv"

// HeldOut is the hold-out rule: whether a customer's rating of an item is kept back from training, to judge by. It
// holds for about fraction (0 to 1) of all ratings. It depends on the rating alone, so a rating that was held out
// stays held out when others are added. Versions of different nights have therefore trained without the same ratings.
// The same seed and fraction give the same answer on every machine. A larger fraction holds out all that a smaller
// one does, and more. customer and item are the ids as the snapshot spells them.
func HeldOut(seed uint64, fraction float64, customer, item string) bool {
	return DrawOf(seed, customer).HeldOut(fraction, item)
}

// Draw is a customer's part of the hold-out rule. Many items of one customer cost one Draw.
type Draw uint64

// DrawOf returns the draw of a customer. An id that is a whole number of 32 bits is drawn as that number, because the
// ratings that the first releases held out must stay so.
func DrawOf(seed uint64, customer string) Draw {
	if number, err := strconv.ParseInt(customer, 10, 32); err == nil {
		return DrawOfNumber(seed, int32(number))
	}
	return Draw(mix(seed ^ mix(hash(offset, customer))))
}

// DrawOfNumber is DrawOf for an id that is a whole number, or for a row.
func DrawOfNumber(seed uint64, customer int32) Draw {
	return Draw(mix(seed ^ mix(uint64(uint32(customer)))))
}

// HeldOut is the hold-out rule for the customer's rating of an item.
func (d Draw) HeldOut(fraction float64, item string) bool {
	return float64(mix(hash(uint64(d), item))>>11)*0x1p-53 < fraction
}

// FNV-1a of 64 bits.
const (
	offset = 0xcbf29ce484222325
	prime  = 0x100000001b3
)

func hash(of uint64, text string) uint64 {
	for i := range len(text) {
		of = (of ^ uint64(text[i])) * prime
	}
	return of
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014):
// each bit of the input moves each bit of the output.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
