package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed picture.gosvg
var pictureText string

// pictureTemplate shares colours and shapes with the page.
var pictureTemplate = template.Must(template.Must(pageTemplate.Clone()).New("picture").Parse(pictureText))

// The lengths of a picture, in units of a chart that is 360 wide.
const (
	panelWidth  = chartWidth + 32
	panelsTop   = 72
	panelHeader = 58
	gap         = 16
	legendStep  = 76 // fits the longest name of a contender
)

// picture holds charts side by side.
type picture struct {
	Title, Lead   string
	Width, Height length
	Panels        []panel
}

// panel is one chart of a picture.
type panel struct {
	X, Y, Width, Height length
	Chart               chart
	Legend              []legendEntry
}

type legendEntry struct {
	contender
	X, TextX length
}

// WriteSVG writes the report's main figures as one SVG image that loads nothing, for documents: NDCG@10 with its intervals
// and NDCG by length of the list. It names neither run nor time, so the same figures give the same bytes.
// A report without customers to measure by has nothing to draw and is an error.
func (r *Report) WriteSVG(w io.Writer) error {
	b := r.bounded()
	charts := b.charts()
	if charts == nil {
		return fmt.Errorf("drawing the report of run %s: it has no customer to measure by", b.Run)
	}
	p := picture{Title: fmt.Sprintf("Evaluation of version %d: %s", b.Candidate.Version, b.verdict().Title), Lead: b.lead()}
	for _, chart := range charts {
		if chart.ID == "ndcg10" || chart.ID == "ndcg" {
			p.add(chart)
		}
	}
	if err := pictureTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("drawing the report: %w", err)
	}
	return nil
}

// add puts a chart to the right of the others.
func (p *picture) add(c chart) {
	next := panel{X: length(gap + len(p.Panels)*(panelWidth+gap)), Y: panelsTop, Width: panelWidth, Chart: c}
	for i, contender := range c.Legend {
		x := length(20 + i*legendStep)
		next.Legend = append(next.Legend, legendEntry{contender, x, x + 9})
	}
	height := length(c.Height) + panelHeader + 8
	for _, other := range p.Panels {
		height = max(height, other.Height)
	}
	p.Panels = append(p.Panels, next)
	for i := range p.Panels {
		p.Panels[i].Height = height
	}
	p.Width, p.Height = next.X+panelWidth+gap, panelsTop+height+gap
}
