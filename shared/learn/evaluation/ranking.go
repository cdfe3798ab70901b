package evaluation

import (
	"math"
	"slices"
)

// ranking is the part of one customer's ranking that the figures need.
type ranking struct {
	top      [longest]int32 // the first items
	scores   [longest]float32
	length   int // how many of top there are
	firstHit int // the rank of the best held-out item among all candidates, 1 and up. 0: none has a rank
}

// rank ranks the items by their scores, descending, those of equal score by their index, ascending. The items of known
// (ascending) are no candidates. An item with the score NaN or -Inf cannot be recommended: it has no rank. row is
// changed: it ends with NaN for the known items.
func rank(row []float32, known, heldOut []int32) (r ranking) {
	for _, item := range known {
		row[item] = float32(math.NaN())
	}
	best, bestScore := int32(-1), float32(math.Inf(-1))
	for _, item := range heldOut {
		if row[item] > bestScore {
			best, bestScore = item, row[item]
		}
	}
	if best >= 0 {
		r.firstHit = 1 + ahead(row, best)
	}
	bar := float32(math.Inf(-1)) // a score must exceed it to be among the first
	for i, score := range row {
		if score > bar {
			r.insert(int32(i), score)
			if r.length == longest {
				bar = r.scores[longest-1]
			}
		}
	}
	return r
}

// ahead counts the items that rank before an item.
func ahead(row []float32, item int32) (n int) {
	of := row[item]
	for _, score := range row[:item] {
		if score >= of {
			n++
		}
	}
	for _, score := range row[item:] {
		if score > of {
			n++
		}
	}
	return n
}

// insert puts an item at its place among the first, behind those of equal score: items come in ascending order.
func (r *ranking) insert(item int32, score float32) {
	place := min(r.length, longest-1)
	for ; place > 0 && r.scores[place-1] < score; place-- {
		r.top[place], r.scores[place] = r.top[place-1], r.scores[place-1]
	}
	r.top[place], r.scores[place] = item, score
	r.length = min(r.length+1, longest)
}

// hits appends the ranks of the held-out items (ascending) among the first ones.
func (r *ranking) hits(dst []int, heldOut []int32) []int {
	for place, item := range r.top[:r.length] {
		if _, found := slices.BinarySearch(heldOut, item); found {
			dst = append(dst, place+1)
		}
	}
	return dst
}
