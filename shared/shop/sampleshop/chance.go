package sampleshop

import "math/rand/v2"

// Each drawn thing (a customer, a product, a basket) has a sequence of its own, found by its kind and number. It can
// be made again at any time, independent of all others.
const (
	kindProduct = iota + 1
	kindLine
	kindScale
	kindPrice
	kindCountry
	kindCity
	kindCredit
	kindCustomer
	kindBuyer
	kindBasket
	kindSession
	kindStaff
	kindWeight
	kindView
)

// chance is a reseedable sequence of random numbers.
//
// Only sums, products, quotients and square roots of float64 are made from them. Each is rounded by itself, because
// the conversions below forbid a fused multiply-add. So the bytes are the same on every processor.
type chance struct {
	pcg  rand.PCG
	seed uint64
}

func newChance(seed uint64) *chance { return &chance{seed: seed} }

// of starts the sequence of the number-th thing of a kind.
func (c *chance) of(kind, number int) *chance {
	start := scramble(c.seed + scramble(uint64(kind)<<48+uint64(number)))
	c.pcg.Seed(start, scramble(start))
	return c
}

// scramble is the finalizer of SplitMix64 (Steele, Lea, Flood 2014): neighbours in, strangers out.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below is uniform in [0, n), n > 0.
func (c *chance) below(n int) int { return int(c.pcg.Uint64() >> 11 % uint64(n)) }

// between is uniform in [low, high].
func (c *chance) between(low, high int) int { return low + c.below(high-low+1) }

// oneIn is true once in n times.
func (c *chance) oneIn(n int) bool { return c.below(n) == 0 }

// pick draws one of the choices.
func pick[T any](c *chance, choices []T) T { return choices[c.below(len(choices))] }

// bell is about normal with mean 0 and variance 1, within ±3.47: the sum of four uniform numbers of 16 bits,
// scaled. Taken instead of the true normal distribution because it needs no logarithm.
func (c *chance) bell() float64 {
	bits := c.pcg.Uint64()
	sum := bits&0xffff + bits>>16&0xffff + bits>>32&0xffff + bits>>48
	const deviation = 37837.2 // of the sum: 65536 * sqrt(4/12)
	return (float64(sum) - 2*65535) / deviation
}
