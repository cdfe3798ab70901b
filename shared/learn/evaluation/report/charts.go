package report

import (
	"fmt"
	"slices"
	"strings"

	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/evaluation/internal/numerals"
)

// contender is a result on the page: its name, and the class that gives its colour.
type contender struct {
	Name, Class string
	*evaluation.Result
}

// contenders are all that was evaluated, the candidate first.
func (r *Report) contenders() []contender {
	all := []contender{{"Candidate", "candidate", &r.Candidate.Result}}
	if r.Active != nil {
		all = append(all, contender{"Active", "active", &r.Active.Result})
	}
	if r.Neighbours != nil {
		all = append(all, contender{"Item kNN", "neighbours", r.Neighbours})
	}
	return append(all, contender{"Popular", "popularity", &r.Popularity}, contender{"Random", "random", &r.Random})
}

// charts are the drawings that there are data for.
func (r *Report) charts() (all []chart) {
	if r.Candidate.Result.Customers == 0 {
		return nil
	}
	contenders := r.contenders()
	all = append(all, ndcgChart(contenders))
	if len(r.Decision.Checks) > 0 {
		all = append(all, checksChart(r.Decision.Checks))
	}
	return append(all,
		cutoffChart("ndcg", "NDCG by length of the list", contenders, func(f evaluation.Figures) float64 { return f.NDCG }),
		cutoffChart("recall", "Recall by length of the list", contenders, func(f evaluation.Figures) float64 { return f.Recall }),
		histogramChart(contenders), varietyChart(contenders))
}

func ndcgChart(contenders []contender) chart {
	const row = 40.0
	c := chart{ID: "ndcg10", Title: "NDCG@10", Note: "Bars are means over customers, whiskers their 95 % intervals.", Height: row*float64(len(contenders)) + 4}
	high := 0.0
	for _, x := range contenders {
		high = max(high, x.NDCG10(), x.Interval.High)
	}
	x := scale{0, max(high, 1e-9), 2, chartWidth - 8}
	var words []string
	for i, contender := range contenders {
		top := float64(i) * row
		interval := fmt.Sprintf("%s to %s", numerals.Figure(contender.Interval.Low), numerals.Figure(contender.Interval.High))
		c.text("label", 2, top+15, contender.Name)
		c.text("value end", chartWidth-8, top+15, numerals.Figure(contender.NDCG10()))
		c.rect("track", 2, top+22, chartWidth-10, 12, "")
		c.rect("fill "+contender.Class, 2, top+22, x.at(contender.NDCG10())-2, 12, contender.Name+": "+numerals.Figure(contender.NDCG10())+", 95 % interval "+interval)
		c.whisker(x, contender.Interval, top+28, 4)
		words = append(words, fmt.Sprintf("%s %s (%s)", contender.Name, numerals.Figure(contender.NDCG10()), interval))
	}
	c.Description = strings.Join(words, "; ") + "."
	return c
}

// whisker draws an interval.
func (c *chart) whisker(x scale, i evaluation.Interval, y, half float64) {
	c.line("whisker", x.at(i.Low), y, x.at(i.High), y)
	c.line("whisker", x.at(i.Low), y-half, x.at(i.Low), y+half)
	c.line("whisker", x.at(i.High), y-half, x.at(i.High), y+half)
}

func checksChart(checks []evaluation.Check) chart {
	const row = 46.0
	checks = slices.DeleteFunc(slices.Clone(checks), func(c evaluation.Check) bool { return c.Name == "coverage" }) // it is no NDCG
	c := chart{ID: "checks", Title: "What the gate compares", Note: "The candidate's NDCG@10, less the reference's; mean over customers with its 95 % interval. All of it right of zero passes.", Height: row*float64(len(checks)) + 26}
	low, high := 0.0, 0.0
	for _, check := range checks {
		low, high = min(low, check.Interval.Low), max(high, check.Interval.High)
	}
	x, ticks := around(low, high, 28, chartWidth-28)
	texts := tickTexts(ticks)
	zero := slices.Index(texts, "0")
	for i, tick := range ticks {
		if len(ticks) < 6 || (i-zero)%2 == 0 { // more would not fit
			c.text("tick middle", x.at(tick), row*float64(len(checks))+16, texts[i])
		}
	}
	var words []string
	for i, check := range checks {
		top := float64(i) * row
		name := fmt.Sprintf("less %.4g × %s", check.Factor, check.Against)
		if check.Factor == 1 {
			name = "less " + check.Against
		}
		if !check.Decides {
			name += ", not deciding"
		}
		text := fmt.Sprintf("%s, %s to %s", numerals.Signed(check.Difference), numerals.Signed(check.Interval.Low), numerals.Signed(check.Interval.High))
		for _, tick := range ticks {
			c.line("grid", x.at(tick), top+24, x.at(tick), top+row-4)
		}
		c.line("zero", x.at(0), top+24, x.at(0), top+row-4)
		c.text("label", 2, top+15, name)
		c.text("value end", chartWidth-8, top+15, numerals.Signed(check.Difference))
		c.whisker(x, check.Interval, top+33, 5)
		c.circle("dot "+classOf(check), x.at(check.Difference), top+33, 5, text)
		words = append(words, name+": "+text)
	}
	c.Description = strings.Join(words, "; ") + "."
	return c
}

// classOf returns the class that gives a check its colour and its sign.
func classOf(c evaluation.Check) string {
	switch {
	case c.Passed:
		return "passed"
	case c.Decides:
		return "failed"
	}
	return "reported"
}
