package report

import (
	"fmt"
	"html/template"
	"strings"

	"recsys/shared/learn/evaluation/internal/numerals"
)

// Parts are pieces of a report's page, for a page that shows more than one report.
type Parts struct {
	Verdict, Class string // Class is "passed", "failed" or "reported"
	Lead           string
	Checks         []check
	Charts         []template.HTML // each a figure
	Tried          *Tried          // nil: the options were not searched
}

// Tried is the search of the options.
type Tried struct {
	Choice  string
	Chart   template.HTML
	Columns []string
	Rows    []trialRow
}

// Parts draws the pieces. Their colours and shapes are those of Style.
func (r *Report) Parts() (Parts, error) {
	b := r.bounded()
	parts := Parts{Verdict: b.verdict().Title, Class: b.verdict().Class}
	charts := b.charts()
	if charts != nil {
		parts.Lead = b.lead()
	}
	if len(b.Loss) > 1 {
		charts = append(charts, lossChart(b.Loss))
	}
	for _, c := range b.Decision.Checks {
		parts.Checks = append(parts.Checks, check{c, classOf(c)})
	}
	for _, c := range charts {
		figure, err := c.figure()
		if err != nil {
			return parts, err
		}
		parts.Charts = append(parts.Charts, figure)
	}
	if found := b.search(); found != nil {
		figure, err := found.Chart.figure()
		if err != nil {
			return parts, err
		}
		parts.Tried = &Tried{Choice: found.Choice, Chart: figure, Columns: found.Columns, Rows: found.Rows}
	}
	return parts, nil
}

// figure draws a chart alone.
func (c chart) figure() (template.HTML, error) {
	var text strings.Builder
	if err := pageTemplate.ExecuteTemplate(&text, "chart", c); err != nil {
		return "", fmt.Errorf("drawing %s: %w", c.ID, err)
	}
	return template.HTML(text.String()), nil // the template has escaped it
}

// Style returns the colours and shapes of the charts, as CSS.
func Style() (string, error) {
	var text strings.Builder
	for _, name := range []string{"colours", "shapes"} {
		if err := pageTemplate.ExecuteTemplate(&text, name, nil); err != nil {
			return "", fmt.Errorf("writing the style of the charts: %w", err)
		}
	}
	return text.String(), nil
}

// Columns is a drawing of counts, a column each.
type Columns struct {
	ID, Title, Note, Axis string
	Bars                  []Bar
}

// Bar is one column. Label stands below it.
type Bar struct {
	Label string
	Count int64
}

// mostLabels is how many labels fit below the columns.
const mostLabels = 5

// Figure draws the columns, at least one.
func (c Columns) Figure() (template.HTML, error) {
	drawing := chart{ID: c.ID, Title: c.Title, Note: c.Note}
	high, sum := int64(1), int64(0)
	for _, bar := range c.Bars {
		high, sum = max(high, bar.Count), sum+bar.Count
	}
	y := drawing.frame(0, float64(high), tickTexts)
	width := (frameRight - frameLeft) / float64(max(len(c.Bars), 1))
	every := (len(c.Bars) + mostLabels - 1) / mostLabels
	for i, bar := range c.Bars {
		left := frameLeft + width*float64(i)
		top := y.at(float64(bar.Count))
		drawing.rect("fill candidate", left+width*0.1, top, width*0.8, frameBottom-top, bar.Label+": "+numerals.Count(int(bar.Count)))
		if i%every == 0 {
			drawing.under(left+width/2, bar.Label)
		}
	}
	drawing.axis(c.Axis)
	drawing.Description = fmt.Sprintf("%s in %d columns, at most %s.", numerals.Count(int(sum)), len(c.Bars), numerals.Count(int(high)))
	return drawing.figure()
}

// History draws one figure of versions, oldest first. The active one is in colour.
type History struct {
	ID, Title, Note, Axis string
	Points                []Point
}

// Point is the figure of one version.
type Point struct {
	Label  string
	Value  float64
	Active bool
}

// Figure draws the history, at least one point.
func (h History) Figure() (template.HTML, error) {
	drawing := chart{ID: h.ID, Title: h.Title, Note: h.Note}
	high := 0.0
	for _, p := range h.Points {
		high = max(high, p.Value)
	}
	y := drawing.frame(0, high, tickTexts)
	x := scale{0, float64(max(len(h.Points)-1, 1)), frameLeft + 20, frameRight - 20}
	every := (len(h.Points) + mostLabels - 1) / mostLabels
	var line [][2]float64
	var words []string
	for i, p := range h.Points {
		line = append(line, [2]float64{x.at(float64(i)), y.at(p.Value)})
		words = append(words, p.Label+" "+numerals.Figure(p.Value))
		if i%every == 0 {
			drawing.under(x.at(float64(i)), p.Label)
		}
	}
	drawing.path("stroke thin random", line)
	for i, p := range h.Points {
		class, radius := "dot random", 4.0
		if p.Active {
			class, radius = "dot candidate", 6
		}
		drawing.circle(class, line[i][0], line[i][1], radius, words[i])
	}
	drawing.axis(h.Axis)
	drawing.Description = strings.Join(words, "; ") + "."
	return drawing.figure()
}
