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
