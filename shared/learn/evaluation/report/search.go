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
	Choice  string
	Chart   chart
	Columns []string
	Wide    bool       // the table is too wide to stand next to the chart
	Rows    []trialRow // the best first
}

// trialRow is one candidate of the search.
type trialRow struct {
	Chosen bool
	Values []string // under tried.Columns
}

// trialColumns head the table of trials. The last two are left out if no trial has neighbours.
var trialColumns = []string{"NDCG@10", "Factors", "Iterations", "Unobserved", "Regularization", "Ridge", "Neighbours", "β"}

// mostTrials bounds the trials of a report.
const mostTrials = 200

// search returns the tried options, or nil without a search that chose some.
func (r *Report) search() *tried {
	s := r.Search
	if s == nil || s.Chosen < 0 || s.Chosen >= len(s.Trials) {
		return nil
	}
	columns, wide := trialColumns, triesNeighbours(s)
	if !wide {
		columns = columns[:len(columns)-2]
	}
	return &tried{choice(s), searchChart(s), columns, wide, trialRows(s, len(columns))}
}

func triesNeighbours(s *lake.Search) bool {
	return slices.ContainsFunc(s.Trials, func(t lake.Trial) bool { return t.Neighbours != nil })
}

// neighboursText names an item-item model with its settings: kNN 0.3, 0.5.
func neighboursText(n *lake.Neighbours) string {
	switch {
	case n == nil:
		return "–"
	case n.Kind == lake.EASE:
		return fmt.Sprintf("EASE %.4g", n.Ridge)
	}
	return fmt.Sprintf("kNN %.4g, %.4g", n.TargetExponent, n.SourceExponent)
}

// betaText returns the share of the neighbours in the score.
func betaText(n *lake.Neighbours) string {
	if n == nil {
		return "–"
	}
	return fmt.Sprintf("%.4g", n.Beta)
}

// modelText names the parts of a candidate's model.
func modelText(t lake.Trial) string {
	if t.Neighbours == nil {
		return fmt.Sprintf("%d factors", t.Factors)
	}
	return fmt.Sprintf("%d factors and item neighbours (%s, β %s)", t.Factors, neighboursText(t.Neighbours), betaText(t.Neighbours))
}

// stored returns the numbers that a candidate stores for a product: its factors, and two for each neighbour.
func stored(t lake.Trial) int {
	if t.Neighbours == nil {
		return t.Factors
	}
	return t.Factors + 2*t.Neighbours.Kept
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
	words += fmt.Sprintf("The chosen one has %s, and its NDCG@10 on the validation is %s. ", modelText(chosen), numerals.Figure(chosen.NDCG10))
	if best != chosen {
		words += fmt.Sprintf("The best one has %s and reaches %s, which is not 1 %% more. ", modelText(best), numerals.Figure(best.NDCG10))
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
	axis := "factors"
	if triesNeighbours(s) {
		c.Note = "A dot for each candidate, the chosen one larger. A factor is one number stored for a product, a neighbour is two."
		c.Legend = []contender{{Name: "Vectors alone", Class: "random"}, {Name: "With item neighbours", Class: "neighbours"}, {Name: "Chosen", Class: "candidate"}}
		axis = "numbers stored for a product"
	}
	low, high, fewest, most := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, t := range s.Trials {
		if t.Failed == "" {
			low, high = min(low, t.NDCG10), max(high, t.NDCG10)
			fewest, most = min(fewest, math.Log2(float64(stored(t)))), max(most, math.Log2(float64(stored(t))))
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
	c.axis(axis)
	for i, t := range s.Trials {
		if t.Failed == "" && i != s.Chosen {
			class := "clear dot random"
			if t.Neighbours != nil {
				class = "clear dot neighbours"
			}
			c.circle(class, x.at(math.Log2(float64(stored(t)))), y.at(t.NDCG10), 4, trialText(t))
		}
	}
	chosen := s.Trials[s.Chosen]
	c.circle("dot candidate", x.at(math.Log2(float64(stored(chosen)))), y.at(chosen.NDCG10), 5.5, "chosen: "+trialText(chosen))
	c.Description = "Chosen: " + trialText(chosen) + "."
	return c
}

func trialText(t lake.Trial) string {
	return fmt.Sprintf("%s, unobserved weight %.4g, regularization %.4g: NDCG@10 %s", modelText(t), t.UnobservedWeight, t.Regularization, numerals.Figure(t.NDCG10))
}

// trialRows lists the candidates by their figure, those that failed last, with so many columns.
func trialRows(s *lake.Search, columns int) (rows []trialRow) {
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
		values := []string{figure, fmt.Sprint(t.Factors), fmt.Sprint(t.Iterations), fmt.Sprintf("%.4g", t.UnobservedWeight),
			fmt.Sprintf("%.4g·n^%.4g", t.Regularization, t.FrequencyExponent), fmt.Sprintf("%.4g", t.FeatureRidge),
			neighboursText(t.Neighbours), betaText(t.Neighbours)}
		rows = append(rows, trialRow{i == s.Chosen, values[:columns]})
	}
	return rows
}
