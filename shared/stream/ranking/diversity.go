package ranking

import "recsys/shared/stream/activity"

// Ranked is an item with its score and its product line, "" if the line is unknown.
type Ranked struct {
	activity.Scored
	Line string
}

// Overfetch is how many times the limit Diverse chooses from.
const Overfetch = 4

// Diverse chooses limit of the candidates, which come best first, by maximal marginal relevance. The next item has the most
// of (1-diversity) × relevance - diversity × (1 if its line is in the list, else 0). Relevance is the score, brought to 0 for
// the last candidate and 1 for the first, so that diversity means the same for every metric. The best candidate always comes
// first. Diversity 0 keeps the order of the scores. Diversity 1 takes one item of each line before a second one.
//
// Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing
// summaries", SIGIR 1998.
func Diverse(candidates []Ranked, limit int, diversity float64) []activity.Scored {
	list := make([]activity.Scored, 0, min(limit, len(candidates)))
	if diversity == 0 {
		for _, c := range candidates[:cap(list)] {
			list = append(list, c.Scored)
		}
		return list
	}
	taken, lines := make([]bool, len(candidates)), map[string]bool{}
	for len(list) < cap(list) {
		best, most := -1, 0.0
		for i, c := range candidates {
			if taken[i] {
				continue
			}
			value := (1 - diversity) * relevance(candidates, i)
			if c.Line != "" && lines[c.Line] {
				value -= diversity
			}
			if best < 0 || value > most {
				best, most = i, value
			}
		}
		taken[best], lines[candidates[best].Line] = true, true
		list = append(list, candidates[best].Scored)
	}
	return list
}

func relevance(candidates []Ranked, i int) float64 {
	first, last := candidates[0].Score, candidates[len(candidates)-1].Score
	if first == last {
		return 1
	}
	return (candidates[i].Score - last) / (first - last)
}
