package evaluation

import "math"

// Cutoffs are the lengths of the lists that the figures are given for: k.
var Cutoffs = [...]int{5, 10, 20}

// longest is the last of Cutoffs: how much of a ranking must be known.
const longest = 20

// discounts are the gains of a hit at each place: 1/log2(rank+1), rank 1 first. ideal sums them up: ideal[n] is the
// gain of n hits at the first n places.
var discounts, ideal = func() (discount [longest]float64, sum [longest + 1]float64) {
	for place := range discount {
		discount[place] = 1 / math.Log2(float64(place+2))
		sum[place+1] = sum[place] + discount[place]
	}
	return discount, sum
}()

// recall is recall@k: the hits among the first k places over the most that there can be, min(k, held out). Over the
// number of held-out ratings alone, a customer with more than k of them could not reach 1. This form is the one of
// Liang et al., Variational Autoencoders for Collaborative Filtering (2018). Papers that compare themselves with it
// use the same, as Rendle et al. (2021) among them. hits are the ranks of the hits, 1 and up, ascending.
func recall(k int, hits []int, heldOut int) float64 {
	found := 0
	for _, rank := range hits {
		if rank <= k {
			found++
		}
	}
	return float64(found) / float64(min(k, heldOut))
}

// ndcg is NDCG@k with binary relevance. It is the sum of 1/log2(rank+1) over the hits among the first k places, over
// the same sum with min(k, held out) hits first (Järvelin, Kekäläinen: Cumulated gain-based evaluation of IR
// techniques, 2002. Here every place is discounted, also the first).
func ndcg(k int, hits []int, heldOut int) float64 {
	gain := 0.0
	for _, rank := range hits {
		if rank <= k {
			gain += discounts[rank-1]
		}
	}
	return gain / ideal[min(k, heldOut)]
}

// selfInformation is how much an item surprises, in bits: -log2 of the share of customers who have it, (n+1)/(N+1) of n
// of N customers (Zhou et al.: Solving the apparent diversity-accuracy dilemma of recommender systems, 2010). The
// one more keeps it finite for an item that nobody has, log2(N+1), and 0 for one that all have.
func selfInformation(having, customers int) float64 {
	return math.Log2(float64(customers+1)) - math.Log2(float64(having+1))
}
