package ranking

import "recsys/shared/stream/activity"

// Candidate is an item that may come into a list, with its product line; "" is a line that nobody knows.
type Candidate struct {
	activity.Scored
	Line string
}

// Overfetch is how many times the limit Diverse wants to choose from.
const Overfetch = 4

// Diverse chooses limit of the candidates, which are best first, by maximal marginal relevance: the next item is the one
// with the most of (1-diversity) × relevance - diversity × (1 if its line is in the list, else 0). Relevance is the
// score, brought to 0 for the last candidate and 1 for the first, so that diversity means the same for every metric.
// The best one comes first in any case; diversity 0 is the order of the scores, 1 is one of each line before a second.
//
// Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing
// summaries", SIGIR 1998.
func Diverse(candidates []Candidate, limit int, diversity float64) []activity.Scored {
	list := make([]activity.Scored, 0, min(limit, len(candidates)))
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

func relevance(candidates []Candidate, i int) float64 {
	first, last := candidates[0].Score, candidates[len(candidates)-1].Score
	if first == last {
		return 1
	}
	return (candidates[i].Score - last) / (first - last)
}
