package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/evaluation/internal/numerals"
)

// cutoffChart draws a figure over k.
func cutoffChart(id, title string, contenders []contender, of func(evaluation.Figures) float64) chart {
	c := chart{ID: id, Title: title, Legend: contenders}
	high := 0.0
	for _, contender := range contenders {
		for _, f := range contender.At {
			high = max(high, of(f))
		}
	}
	y := c.frame(0, high, tickTexts)
	x := scale{0, float64(len(evaluation.Cutoffs) - 1), frameLeft + 30, frameRight - 30}
	for at, k := range evaluation.Cutoffs {
		c.under(x.at(float64(at)), fmt.Sprint(k))
	}
	c.axis("k, the length of the list")
	var words []string
	for _, contender := range contenders {
		var points [][2]float64
		var values []string
		for at, f := range contender.At {
			points = append(points, [2]float64{x.at(float64(at)), y.at(of(f))})
			values = append(values, numerals.Figure(of(f)))
		}
		c.path("stroke "+contender.Class, points)
		for at, p := range points {
			c.circle("dot "+contender.Class, p[0], p[1], 3.5, fmt.Sprintf("%s, k = %d: %s", contender.Name, evaluation.Cutoffs[at], values[at]))
		}
		words = append(words, contender.Name+" "+strings.Join(values, ", "))
	}
	c.Description = "At 5, 10 and 20: " + strings.Join(words, "; ") + "."
	return c
}

// histogramChart compares the candidate with the better baseline.
func histogramChart(contenders []contender) chart {
	baseline := contenders[len(contenders)-2]
	if random := contenders[len(contenders)-1]; random.NDCG10() > baseline.NDCG10() {
		baseline = random
	}
	both := []contender{contenders[0], baseline}
	c := chart{ID: "histogram", Title: "Customers by their NDCG@10", Note: "How many customers are served how well.", Legend: both}
	share := func(x contender, bin int) float64 { return float64(x.Histogram[bin]) / float64(max(x.Customers, 1)) }
	high := 0.0
	for bin := range contenders[0].Histogram {
		high = max(high, share(both[0], bin), share(both[1], bin))
	}
	y := c.frame(0, high, numerals.Percents)
	x := scale{0, 10, frameLeft, frameRight}
	var words []string
	for i, contender := range both {
		for bin, customers := range contender.Histogram {
			left := x.at(float64(bin)) + 2 + float64(i)*13.5
			span := fmt.Sprintf("%.1f to %.1f", float64(bin)/10, float64(bin+1)/10)
			tip := fmt.Sprintf("%s, NDCG@10 %s: %s customers, %s", contender.Name, span, numerals.Count(customers), numerals.Percent(share(contender, bin)))
			c.rect("fill "+contender.Class, left, y.at(share(contender, bin)), 12.5, frameBottom-y.at(share(contender, bin)), tip)
		}
		words = append(words, fmt.Sprintf("%s: %s below 0.1, %s from 0.9", contender.Name, numerals.Percent(share(contender, 0)), numerals.Percent(share(contender, 9))))
	}
	for tick := 0; tick <= 10; tick += 2 {
		c.under(x.at(float64(tick)), fmt.Sprintf("%.1f", float64(tick)/10))
	}
	c.axis("NDCG@10 of a customer")
	c.Description = strings.Join(words, "; ") + "."
	return c
}

// varietyChart shows how much of the catalogue is recommended, and how little known.
func varietyChart(contenders []contender) chart {
	c := chart{ID: "variety", Title: "Coverage and novelty", Note: "Bits of novelty over the share of the catalogue; a dot for k = 5 (small), 10 and 20.", Legend: contenders}
	low, high := math.Inf(1), math.Inf(-1)
	for _, contender := range contenders {
		for _, f := range contender.At {
			low, high = min(low, f.Novelty), max(high, f.Novelty)
		}
	}
	y := c.frame(low, high, tickTexts)
	x := scale{0, 1, frameLeft + 8, frameRight - 12}
	for tick := 0.0; tick <= 1; tick += 0.25 {
		c.under(x.at(tick), numerals.Percent(tick))
	}
	c.axis("coverage of the catalogue")
	var words []string
	for _, contender := range slices.Backward(contenders) { // the candidate is drawn last, on top
		var points [][2]float64
		for _, f := range contender.At {
			points = append(points, [2]float64{x.at(f.Coverage), y.at(f.Novelty)})
		}
		c.path("stroke thin "+contender.Class, points)
		for at, f := range contender.At {
			text := fmt.Sprintf("%s, k = %d: coverage %s, novelty %.1f bits", contender.Name, f.K, numerals.Percent(f.Coverage), f.Novelty)
			c.circle("clear dot "+contender.Class, points[at][0], points[at][1], 2.5+1.25*float64(at), text)
			if f.K == 10 {
				words = append(words, text)
			}
		}
	}
	c.Description = strings.Join(words, "; ") + "."
	return c
}

// lossChart draws two losses or more.
func lossChart(losses []float64) chart {
	c := chart{ID: "loss", Title: "Loss by iteration", Note: "The training's objective after each iteration, lower is better."}
	low, high := losses[0], losses[0]
	for _, loss := range losses {
		low, high = min(low, loss), max(high, loss)
	}
	y := c.frame(low, high, tickTexts)
	x := scale{1, float64(len(losses)), frameLeft + 10, frameRight - 12}
	var points [][2]float64
	for i, loss := range losses {
		points = append(points, [2]float64{x.at(float64(i + 1)), y.at(loss)})
	}
	c.path("stroke candidate", points)
	for i, p := range points {
		if len(points) <= 60 {
			c.circle("dot candidate", p[0], p[1], 3, fmt.Sprintf("iteration %d: %.6g", i+1, losses[i]))
		}
	}
	step := (len(losses) + 5) / 6
	for i := 0; i < len(losses); i += max(step, 1) {
		c.under(x.at(float64(i+1)), fmt.Sprint(i+1))
	}
	c.axis("iteration")
	c.Description = fmt.Sprintf("%.6g after iteration 1, %.6g after iteration %d.", losses[0], losses[len(losses)-1], len(losses))
	return c
}
