package evaluation

import (
	"math"
	"slices"

	"recsys/shared/learn/sparse"
)

// referencePopularity is the evaluation of the popularity ranking as one would write it down: everything is
// sorted, nothing is shared, float64 throughout.
func referencePopularity(train, heldOut *sparse.Matrix) (r Result) {
	byItem := train.Transpose()
	raters := 0
	for c := range train.Rows() {
		if known, _ := train.Row(c); len(known) > 0 {
			raters++
		}
	}
	count := func(item int32) int { customers, _ := byItem.Row(int(item)); return len(customers) }
	var popular []int32 // all items, the best-known first
	for item := range int32(train.Width) {
		popular = append(popular, item)
	}
	slices.SortStableFunc(popular, func(a, b int32) int { return count(b) - count(a) })
	var seen [3]map[int32]bool
	var listed [3]float64
	for c := range train.Rows() {
		known, _ := train.Row(c)
		held, _ := heldOut.Row(c)
		if len(known) == 0 || len(held) == 0 {
			continue
		}
		var candidates []int32
		for item := range int32(train.Width) {
			if !slices.Contains(known, item) {
				candidates = append(candidates, item)
			}
		}
		slices.SortStableFunc(candidates, func(a, b int32) int { return count(b) - count(a) })
		r.Customers++
		r.HeldOut += len(held)
		r.MRR += 1 / float64(1+slices.IndexFunc(candidates, func(item int32) bool { return slices.Contains(held, item) }))
		for at, k := range []int{5, 10, 20} {
			if seen[at] == nil {
				seen[at] = map[int32]bool{}
			}
			hits, gain, best := 0.0, 0.0, 0.0
			for place, item := range candidates[:min(k, len(candidates))] {
				seen[at][item] = true
				listed[at]++
				if slices.IndexFunc(popular, func(other int32) bool { return other == item }) < max(train.Width/100, 1) {
					r.At[at].Head++
				}
				r.At[at].Novelty -= math.Log2(float64(count(item)+1) / float64(raters+1))
				if slices.Contains(held, item) {
					hits++
					gain += 1 / math.Log2(float64(place)+2)
				}
				if place < len(held) {
					best += 1 / math.Log2(float64(place)+2)
				}
			}
			r.At[at].Recall += hits / math.Min(float64(k), float64(len(held)))
			r.At[at].NDCG += gain / best
			if k == 10 {
				r.Histogram[min(int(gain/best*10), 9)]++
				group := 0
				if len(known) >= 20 {
					group = 2
				} else if len(known) >= 5 {
					group = 1
				}
				r.ByHistory[group].Customers++
				r.ByHistory[group].NDCG10 += gain / best
			}
		}
	}
	r.MRR /= float64(r.Customers)
	for at := range r.At {
		r.At[at].Recall /= float64(r.Customers)
		r.At[at].NDCG /= float64(r.Customers)
		r.At[at].Coverage = float64(len(seen[at])) / float64(train.Width)
		r.At[at].Novelty /= listed[at]
		r.At[at].Head /= listed[at]
	}
	for i := range r.ByHistory {
		r.ByHistory[i].NDCG10 /= math.Max(float64(r.ByHistory[i].Customers), 1)
	}
	return r
}
