package sparse

// HeldOut is the hold-out rule: whether a customer's rating of an item is kept back from training, to judge by. It
// holds for about fraction (0 to 1) of all ratings. It depends on the rating alone, so a rating that was held out
// stays held out when others are added. Versions of different nights have therefore trained without the same ratings.
// The same seed and fraction give the same answer on every machine. A larger fraction holds out all that a smaller
// one does, and more. item is the code as the snapshot spells it.
func HeldOut(seed uint64, fraction float64, customer int32, item string) bool {
	hash := mix(seed ^ mix(uint64(uint32(customer))))
	for i := range len(item) {
		hash = (hash ^ uint64(item[i])) * 0x100000001b3 // FNV-1a
	}
	return float64(mix(hash)>>11)*0x1p-53 < fraction
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014):
// each bit of the input moves each bit of the output.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
