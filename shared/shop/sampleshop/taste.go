package sampleshop

import "math"

// Factors is the number of planted factors: the rank of the matrix of affinities.
const Factors = 4

// taste is a customer's or a product's factors, of length 1. The affinity of a customer and a product is the
// dot product of the two, -1 to 1.
//
// A customer's factors are a sum of parts for the country, the city and the credit limit, and a smaller part of their
// own. A product's are a sum of parts for the line, the scale and the price, and a part of its own. So matrix
// factorization can learn them from the ratings, and a two-tower model from the features.
type taste [Factors]float64

// How much each part weighs before the sum is brought to length 1.
const (
	weightCountry  = 0.9
	weightCity     = 0.4
	weightCredit   = 0.5
	weightCustomer = 0.35

	weightLine    = 0.9
	weightScale   = 0.3
	weightPrice   = 0.5
	weightProduct = 0.35
)

// How affinity, popularity and noise make the decision to buy, and affinity and noise the rating.
const (
	choiceAffinity   = 2.5 // times TasteStrength, against noise of deviation 1
	choicePopularity = 0.5

	ratingMean     = 3.1
	ratingAffinity = 1.3 // times TasteStrength
	ratingNoise    = 0.8
)

// part draws the direction that belongs to one thing, such as a country.
func (c *chance) part(kind, number int) taste {
	c.of(kind, number)
	var t taste
	for k := range t {
		t[k] = c.bell()
	}
	return t.unit()
}

func (t taste) plus(weight float64, other taste) taste {
	for k := range t {
		t[k] += float64(weight * other[k])
	}
	return t
}

func (t taste) unit() taste {
	length := math.Sqrt(t.affinity(t))
	if length == 0 {
		t[0], length = 1, 1
	}
	for k := range t {
		t[k] /= length
	}
	return t
}

func (t taste) affinity(other taste) float64 {
	sum := 0.0
	for k := range t {
		sum += float64(t[k] * other[k])
	}
	return sum
}

// rate is the rating that a customer gives to a purchase: 1 to 5.
func (c *chance) rate(strength, affinity float64) int {
	value := ratingMean + float64(float64(ratingAffinity*strength)*affinity) + float64(ratingNoise*c.bell())
	return min(max(int(math.Floor(value+0.5)), 1), 5)
}
