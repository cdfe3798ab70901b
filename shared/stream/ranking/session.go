// Package ranking is the part of a recommendation that needs no database: what a session says, how the rungs of the
// ladder make one list, and how a list gets more product lines.
//
// Promise: pure functions; the same input gives the same output, and no input is changed. What may not be recommended
// at all is left out by whoever finds the candidates, since only there can the list still be filled
// (functions/recommend). Strategies and scores: package activity. Spec: docs/stream.md, "The ladder".
package ranking

import (
	"cmp"
	"slices"

	"recsys/shared/stream/activity"
)

const (
	// cartWeight is how much more a product in the cart says than one that was looked at.
	cartWeight = 3
	// mostQuantity is the quantity from which on a larger one says no more.
	mostQuantity = 3
	// MostTelling is how many products of a session, the most telling ones, make its mean: the others are drowned anyway.
	MostTelling = 100
)

// ByTelling orders the products of a session by what they say of its purpose: those in the cart first, then by
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

// Weight is how often a product counts in the mean of its session: 1 to mostQuantity by quantity, cartWeight times that
// in the cart.
func Weight(p activity.Product) int {
	weight := min(max(p.Quantity, 1), mostQuantity)
	if p.InCart {
		weight *= cartWeight
	}
	return weight
}
