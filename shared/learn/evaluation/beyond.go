package evaluation

import (
	"cmp"
	"slices"
)

// headShare is the number of items that one item of the head stands for.
const headShare = 100

// headOf marks the items with the most ratings, one in a hundred and at least one. Of equal ones it marks those with the
// lower index. counts are the ratings of each item.
func headOf(counts []int) []bool {
	order := make([]int, len(counts))
	for item := range order {
		order[item] = item
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(counts[b], counts[a]) })
	head := make([]bool, len(counts))
	for _, item := range order[:min(max(len(counts)/headShare, 1), len(counts))] {
		head[item] = true
	}
	return head
}

// byHistory returns the mean NDCG@10 by the number of the customers' remaining ratings.
func (e *evaluation) byHistory() [len(Histories)]History {
	groups := Histories
	for i, customer := range e.customers {
		length := int(e.Train.Start[customer+1] - e.Train.Start[customer])
		for g := len(groups) - 1; g >= 0; g-- {
			if length >= groups[g].From {
				groups[g].Customers++
				groups[g].NDCG10 += e.perCustomer[i]
				break
			}
		}
	}
	for g := range groups {
		groups[g].NDCG10 /= float64(max(groups[g].Customers, 1))
	}
	return groups
}

// addAges adds one customer's held-out items to the sums of a block, by age.
func (e *evaluation) addAges(s *sums, r *ranking, hits []int, heldOut []int32) {
	if e.Ages == nil {
		return
	}
	for _, item := range heldOut {
		if g := ageOf(e.Ages[item]); g >= 0 {
			s.byAge[g].heldOut++
		}
	}
	for _, rank := range hits {
		if g := ageOf(e.Ages[r.top[rank-1]]); rank <= 10 && g >= 0 {
			s.byAge[g].found++
		}
	}
}

// ageOf returns the index of an age among Ages, -1 if it is not known.
func ageOf(days int32) int {
	g := len(Ages) - 1
	for g >= 0 && int(days) < Ages[g].From {
		g--
	}
	return g
}

// byAge returns the share of the held-out pairs that are found, by the item's age.
func (e *evaluation) byAge(all *sums) (groups []Age) {
	if e.Ages == nil {
		return nil
	}
	for g, group := range Ages {
		group.HeldOut = all.byAge[g].heldOut
		group.Found = float64(all.byAge[g].found) / float64(max(group.HeldOut, 1))
		groups = append(groups, group)
	}
	return groups
}
