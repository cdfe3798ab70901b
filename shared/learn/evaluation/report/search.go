package report

import (
	"fmt"
	"math"
	"slices"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/evaluation/internal/numerals"
)

// tried is the search for the training's options, as the page shows it.
type tried struct {
	Choice string
	Chart  chart
	Rows   []trialRow // the best first
}

// trialRow is one candidate of the search.
type trialRow struct {
	Chosen bool
	Values []string // under trialColumns
}

// trialColumns heads the table of trials.
var trialColumns = []string{"NDCG@10", "Factors", "Iterations", "Unobserved", "Regularization", "Ridge"}

// mostTrials bounds the trials of a report.
const mostTrials = 200

// search returns the tried options, or nil without a search that chose some.
func (r *Report) search() *tried {
	s := r.Search
	if s == nil || s.Chosen < 0 || s.Chosen >= len(s.Trials) {
		return nil
	}
	return &tried{choice(s), searchChart(s), trialRows(s)}
}

// choice says in words which options were chosen, and from which.
func choice(s *lake.Search) string {
	chosen, best := s.Trials[s.Chosen], s.Trials[s.Chosen]
	for _, t := range s.Trials {
		if t.Failed == "" && t.NDCG10 > best.NDCG10 {
			best = t
		}
	}
	words := fmt.Sprintf("%s candidates were judged on %s ratings of %s customers, split %s. ", numerals.Count(len(s.Trials)),
		numerals.Count(s.Ratings), numerals.Count(s.Customers), often(s.Folds))
	words += fmt.Sprintf("The chosen one has %d factors, and its NDCG@10 on the validation is %s. ", chosen.Factors, numerals.Figure(chosen.NDCG10))
	if best != chosen {
		words += fmt.Sprintf("The best one has %d factors and %s, which is not 1 %% more. ", best.Factors, numerals.Figure(best.NDCG10))
	}
	return words + fmt.Sprintf("The options that were given reach %s.", numerals.Figure(s.Trials[0].NDCG10))
}

func often(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// searchChart draws the quality of each candidate over the numbers that it stores for a product.
func searchChart(s *lake.Search) chart {
	c := chart{ID: "search", Title: "Quality over cost", Note: "A dot for each candidate, the chosen one in colour. Each factor is a number stored for every product and customer."}
	low, high, fewest, most := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, t := range s.Trials {
		if t.Failed == "" {
			low, high = min(low, t.NDCG10), max(high, t.NDCG10)
			fewest, most = min(fewest, math.Log2(float64(t.Factors))), max(most, math.Log2(float64(t.Factors)))
		}
	}
	if fewest == most {
		fewest, most = fewest-1, most+1
	}
	y := c.frame(low, high, tickTexts)
	x := scale{fewest, most, frameLeft + 16, frameRight - 16}
	for factors := math.Ceil(fewest); factors <= most; factors++ {
		c.under(x.at(factors), fmt.Sprint(math.Exp2(factors)))
	}
	c.axis("factors")
	for i, t := range s.Trials {
		if t.Failed == "" && i != s.Chosen {
			c.circle("clear dot random", x.at(math.Log2(float64(t.Factors))), y.at(t.NDCG10), 4, trialText(t))
		}
	}
	chosen := s.Trials[s.Chosen]
	c.circle("dot candidate", x.at(math.Log2(float64(chosen.Factors))), y.at(chosen.NDCG10), 5.5, "chosen: "+trialText(chosen))
	c.Description = "Chosen: " + trialText(chosen) + "."
	return c
}

func trialText(t lake.Trial) string {
	return fmt.Sprintf("%d factors, unobserved weight %.4g, regularization %.4g: NDCG@10 %s", t.Factors, t.UnobservedWeight, t.Regularization, numerals.Figure(t.NDCG10))
}

// trialRows lists the candidates by their figure, those that failed last.
func trialRows(s *lake.Search) (rows []trialRow) {
	order := make([]int, len(s.Trials))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := s.Trials[a].NDCG10, s.Trials[b].NDCG10
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	for _, i := range order {
		t := s.Trials[i]
		figure := numerals.Figure(t.NDCG10)
		if t.Failed != "" {
			figure = clip(t.Failed, longestName)
		}
		rows = append(rows, trialRow{i == s.Chosen, []string{figure, fmt.Sprint(t.Factors), fmt.Sprint(t.Iterations),
			fmt.Sprintf("%.4g", t.UnobservedWeight), fmt.Sprintf("%.4g·n^%.4g", t.Regularization, t.FrequencyExponent), fmt.Sprintf("%.4g", t.FeatureRidge)}})
	}
	return rows
}
