package ranking

import "recsys/shared/stream/activity"

// Rung is the items of one strategy: distinct, best first, and without negative scores below the first rung.
type Rung struct {
	Strategy activity.Strategy
	Items    []activity.Scored
}

// Ladder takes items from the rungs, in their order, until there are limit different ones. It returns them with the strategy
// of the first. The list holds limit items, or all that the rungs hold. A list without items is activity.None.
//
// Scores of different rungs do not compare. Those of a rung below the first are brought into the 1 under the lowest score
// above them, in proportion. So scores fall along the list.
func Ladder(limit int, rungs ...Rung) ([]activity.Scored, activity.Strategy) {
	list, strategy := make([]activity.Scored, 0, limit), activity.None
	taken := make(map[string]bool, limit)
	floor := 0.0
	for _, rung := range rungs {
		filling, above := len(list) > 0, floor
		for _, item := range rung.Items {
			if len(list) == limit {
				return list, strategy
			}
			if taken[item.ID] {
				continue
			}
			if len(list) == 0 {
				strategy, floor = rung.Strategy, item.Score
			}
			if filling {
				item.Score = above - 1 + item.Score/(rung.Items[0].Score+1)
			}
			floor = min(floor, item.Score)
			item.Strategy, taken[item.ID] = rung.Strategy, true
			list = append(list, item)
		}
	}
	return list, strategy
}
