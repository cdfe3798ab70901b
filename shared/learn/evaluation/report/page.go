package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/evaluation/internal/numerals"
)

//go:embed page.gohtml
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page holds the parts of a report that the template shows.
type page struct {
	*Report
	Verdict     verdict
	Lead        string
	Tiles       []keyFigure
	Contenders  []contender
	Rows        []row
	Histories   []row // NDCG@10 by length of history, nil if the report has none
	Ages        []row // by age of the product, nil if the report has none
	Charts      []chart
	Checks      []check
	Loss        *chart // nil: fewer than two losses are known
	Tried       *tried // nil: the options were not searched
	AllRemarks  []string
	Facts       []Option
	Definitions []Option
}

// check is one of the decision's, with its class.
type check struct {
	evaluation.Check
	Class string
}

type verdict struct{ Title, Class string }

// keyFigure is one figure in large type, and the figures to compare it with.
type keyFigure struct {
	Name, Value string
	Beside      []string
}

// row is one figure of all contenders.
type row struct {
	Name   string
	Values []string
	First  bool // of a group
}

// WriteHTML writes the report as one page that loads nothing and runs nothing: style and drawings are in it.
func (r *Report) WriteHTML(w io.Writer) error {
	b := r.bounded()
	p := page{
		Report: b, Verdict: b.verdict(), Lead: b.lead(), Tiles: b.tiles(), Contenders: b.contenders(), Rows: b.rows(), Histories: b.histories(), Ages: b.ages(),
		Charts: b.charts(), AllRemarks: append(append([]string(nil), b.Decision.Remarks...), b.Remarks...),
		Facts: b.facts(), Definitions: definitions, Tried: b.search(),
	}
	for _, c := range b.Decision.Checks {
		p.Checks = append(p.Checks, check{c, classOf(c)})
	}
	if len(b.Loss) > 1 {
		loss := lossChart(b.Loss)
		p.Loss = &loss
	}
	if err := pageTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("writing the report's page: %w", err)
	}
	return nil
}

func (r *Report) verdict() verdict {
	switch d := r.Decision; {
	case d.Passed:
		return verdict{"Passed", "passed"}
	case d.Promote:
		return verdict{"Not passed, only reported", "reported"}
	}
	return verdict{"Not promoted", "failed"}
}

// lead is the first sentence: the candidate's NDCG@10 beside the others'.
func (r *Report) lead() string {
	all := r.contenders()
	best := all[len(all)-2]
	name := "the most popular items"
	if r.Random.NDCG10() > r.Popularity.NDCG10() {
		best, name = all[len(all)-1], "random items"
	}
	lead := fmt.Sprintf("NDCG@10 is %s, %s %s", numerals.Figure(all[0].NDCG10()), times(all[0], best), name)
	if r.Active != nil {
		lead += fmt.Sprintf(" and %s the active version", times(all[0], all[1]))
	}
	return lead + "."
}

func times(a, b contender) string {
	if b.NDCG10() <= 0 {
		return "against " + numerals.Figure(0) + " of"
	}
	return strconv.FormatFloat(a.NDCG10()/b.NDCG10(), 'f', 2, 64) + " times that of"
}

func (r *Report) tiles() []keyFigure {
	all := r.contenders()
	others := func(of func(*evaluation.Result) string) (beside []string) {
		for _, c := range all[1:] {
			beside = append(beside, strings.ToLower(c.Name[:1])+c.Name[1:]+" "+of(c.Result))
		}
		return beside
	}
	show := func(name string, of func(*evaluation.Result) string) keyFigure {
		return keyFigure{name, of(&r.Candidate.Result), others(of)}
	}
	return []keyFigure{
		show("NDCG@10", func(r *evaluation.Result) string { return numerals.Figure(r.NDCG10()) }),
		show("Recall@10", func(r *evaluation.Result) string { return numerals.Figure(r.At[1].Recall) }),
		show("MRR", func(r *evaluation.Result) string { return numerals.Figure(r.MRR) }),
		show("Coverage@10", func(r *evaluation.Result) string { return numerals.Percent(r.At[1].Coverage) }),
	}
}

// rows are the table of all figures.
func (r *Report) rows() (rows []row) {
	add := func(name string, first bool, text func(*evaluation.Result) string) {
		of := row{Name: name, First: first}
		for _, c := range r.contenders() {
			of.Values = append(of.Values, text(c.Result))
		}
		rows = append(rows, of)
	}
	byCutoff := func(name string, text func(evaluation.Figures) string) {
		for at, k := range evaluation.Cutoffs {
			add(fmt.Sprintf("%s@%d", name, k), at == 0, func(r *evaluation.Result) string { return text(r.At[at]) })
		}
	}
	byCutoff("NDCG", func(f evaluation.Figures) string { return numerals.Figure(f.NDCG) })
	byCutoff("Recall", func(f evaluation.Figures) string { return numerals.Figure(f.Recall) })
	add("MRR", true, func(r *evaluation.Result) string { return numerals.Figure(r.MRR) })
	byCutoff("Coverage", func(f evaluation.Figures) string { return numerals.Percent(f.Coverage) })
	byCutoff("Novelty", func(f evaluation.Figures) string { return strconv.FormatFloat(f.Novelty, 'f', 1, 64) })
	byCutoff("Head", func(f evaluation.Figures) string { return numerals.Percent(f.Head) })
	return rows
}

// histories are the table of NDCG@10 by length of history. The first value is the number of customers.
func (r *Report) histories() (rows []row) {
	for i, history := range r.Candidate.Result.ByHistory {
		if history.From == 0 { // the report of an earlier release
			return nil
		}
		of := row{Name: history.String(), Values: []string{numerals.Count(history.Customers)}}
		for _, c := range r.contenders() {
			figure := "–"
			if c.ByHistory[i].Customers > 0 {
				figure = numerals.Figure(c.ByHistory[i].NDCG10)
			}
			of.Values = append(of.Values, figure)
		}
		rows = append(rows, of)
	}
	return rows
}

// ages are the table of the pairs that were found, by the age of the product. The first value is the number of pairs.
func (r *Report) ages() (rows []row) {
	for i, age := range r.Candidate.Result.ByAge {
		of := row{Name: age.String(), Values: []string{numerals.Count(age.HeldOut)}}
		for _, c := range r.contenders() {
			figure := "–"
			if i < len(c.ByAge) && c.ByAge[i].HeldOut > 0 {
				figure = numerals.Figure(c.ByAge[i].Found)
			}
			of.Values = append(of.Values, figure)
		}
		rows = append(rows, of)
	}
	return rows
}

// described names a contender in words.
func described(c *evaluation.Contender) string {
	switch {
	case c == nil:
		return "none"
	case c.Version == 0:
		return string(c.Origin)
	}
	return fmt.Sprintf("version %d, %s", c.Version, c.Origin)
}

// facts are how it was judged.
func (r *Report) facts() []Option {
	c, gate := r.Candidate.Result, r.Decision.Gate
	facts := []Option{{"Run", r.Run}, {"Snapshot", r.Snapshot}}
	if r.Shop.Customers > 0 {
		facts = append(facts, Option{"Shop", fmt.Sprintf("%s customers, %s products", numerals.Count(r.Shop.Customers), numerals.Count(r.Shop.Products))})
	}
	unit := " " + r.Shop.Unit()
	if len(r.Shop.Interactions) > 0 {
		facts = append(facts, Option{"Interactions", byType(r.Shop.Interactions)})
	}
	return append(facts, []Option{
		{"Evaluated", r.EvaluatedAt.Format("2 January 2006, 15:04:05 MST")},
		{"Candidate", described(&r.Candidate)},
		{"Active", described(r.Active)},
		{"Hold-out", r.HoldOut.String()},
		{"Held out", numerals.Count(c.HeldOut) + unit},
		{"Remaining", numerals.Count(r.HoldOut.Remaining) + unit},
		{"Customers judged by", numerals.Count(c.Customers)},
		{"Items ranked", numerals.Count(c.Items)},
		{"Gate", fmt.Sprintf("%s, margin %s, tolerance %s", gate.Mode, numerals.Percent(gate.Margin), numerals.Percent(gate.Tolerance))},
		{"Bootstrap", fmt.Sprintf("%s samples, seed %d", numerals.Count(gate.Resamples), gate.Seed)},
	}...)
}

// String returns the rule in words.
func (h HoldOut) String() string {
	if h.By == lake.ByTime {
		return fmt.Sprintf("by time: about the last %s of each customer's interactions, of those until %s", numerals.Percent(h.Fraction), h.Until.Format("2 January 2006"))
	}
	return fmt.Sprintf("%s of the ratings, seed %d", numerals.Percent(h.Fraction), h.Seed)
}

// byType lists the interactions by type.
func byType(interactions map[string]int64) string {
	var list []string
	for _, name := range byCount(interactions) {
		list = append(list, numerals.Count(int(interactions[name]))+" "+name)
	}
	return strings.Join(list, ", ")
}

// definitions explain the figures to readers. metrics.go has the exact ones.
var definitions = []Option{
	{"Item kNN", "A product ranks by the customers that it has in common with the customer's own products. Its settings are the same for every shop."},
	{"Full ranking", "For each customer all items are ranked but those that the customer is known to have. What was held out should come first."},
	{"Recall@k", "The share of a customer's held-out items that is among the first k, of the k there can be at most."},
	{"NDCG@k", "Recall in which a place counts less the later it is, by 1 / log2(rank + 1); 1 is the best ranking possible."},
	{"MRR", "1 over the rank of the first held-out item, in the mean over customers."},
	{"Coverage@k", "The share of the catalogue that is among the first k of anyone."},
	{"Novelty@k", "How little known the recommended items are: the mean of −log2 of the share of customers who have the item, in bits."},
	{"Head@k", "The share of the recommended items that belongs to the best-known 1 % of the catalogue, at least one item."},
	{"History", "A customer's products that were not held out."},
	{"Age", "The days from a product's first interaction to the newest one of the shop. Found is the share of the held-out pairs whose product is among the customer's first ten."},
	{"95 % interval", "Bootstrap over customers: where the mean would lie with other customers of this kind."},
}
