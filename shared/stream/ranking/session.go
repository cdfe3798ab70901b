// Package ranking turns candidates into an answer: filter, score, order, diversity and the ladder of strategies. It also
// weighs the products of a session.
//
// Promise: the functions are pure. The same input gives the same output, and no input is changed. Candidates are retrieved
// by package answers. Strategies and scores are package activity's. Spec: docs/stream.md, "The ladder".
package ranking

import (
	"cmp"
	"slices"

	"recsys/shared/stream/activity"
)

const (
	// cartWeight is the weight of a product in the cart relative to one that was looked at.
	cartWeight = 3
	// mostQuantity bounds the quantity that counts.
	mostQuantity = 3
	// MostTelling is how many products of a session make its mean. More would hardly move it.
	MostTelling = 100
)

// ByTelling returns the products of a session, the most telling first: those in the cart before the others, then by
// quantity, then the latest first.
func ByTelling(products []activity.Product) []activity.Product {
	ordered := slices.Clone(products)
	slices.Reverse(ordered)
	slices.SortStableFunc(ordered, func(a, b activity.Product) int {
		if a.InCart != b.InCart {
			if a.InCart {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Quantity, a.Quantity)
	})
	return ordered
}

// Weight returns how often a product counts in the mean of its session: 1 to mostQuantity by quantity, and cartWeight times
// that if it is in the cart.
func Weight(p activity.Product) int {
	weight := min(max(p.Quantity, 1), mostQuantity)
	if p.InCart {
		weight *= cartWeight
	}
	return weight
}
