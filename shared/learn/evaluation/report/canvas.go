package report

import (
	"math"
	"strconv"
	"strings"
)

// chart is one drawing of the page: a title, a note below it, and shapes, which the page writes as SVG. Lengths are
// in units of a drawing that is 360 wide. The page stretches it.
type chart struct {
	ID, Title, Note string
	Description     string // the drawing in words, for people who do not see it
	Legend          []contender
	Height          float64
	Shapes          []shape
}

const chartWidth = 360

// shape is an element of a chart. Kind decides which fields count. Tip is shown where the pointer rests.
type shape struct {
	Kind         string // rect, line, path, circle or text
	Class        string
	X, Y, X2, Y2 length // of rect: X2 and Y2 are width and height. Of circle: X2 is the radius
	D            string // of path
	Text, Tip    string
}

// length is written with one decimal.
type length float64

func (l length) String() string {
	return strconv.FormatFloat(math.Round(float64(l)*10)/10, 'f', -1, 64)
}

func (c *chart) rect(class string, x, y, width, height float64, tip string) {
	c.Shapes = append(c.Shapes, shape{Kind: "rect", Class: class, X: length(x), Y: length(y), X2: length(max(width, 0)), Y2: length(max(height, 0)), Tip: tip})
}

func (c *chart) line(class string, x, y, x2, y2 float64) {
	c.Shapes = append(c.Shapes, shape{Kind: "line", Class: class, X: length(x), Y: length(y), X2: length(x2), Y2: length(y2)})
}

func (c *chart) circle(class string, x, y, radius float64, tip string) {
	c.Shapes = append(c.Shapes, shape{Kind: "circle", Class: class, X: length(x), Y: length(y), X2: length(radius), Tip: tip})
}

func (c *chart) text(class string, x, y float64, text string) {
	c.Shapes = append(c.Shapes, shape{Kind: "text", Class: class, X: length(x), Y: length(y), Text: text})
}

// path joins points by straight lines.
func (c *chart) path(class string, points [][2]float64) {
	var d strings.Builder
	command := "M"
	for _, p := range points {
		d.WriteString(command + length(p[0]).String() + " " + length(p[1]).String())
		command = "L"
	}
	c.Shapes = append(c.Shapes, shape{Kind: "path", Class: class, D: d.String()})
}

// scale maps values from low to high onto the drawing, from start to end.
type scale struct{ low, high, start, end float64 }

func (s scale) at(value float64) float64 {
	return s.start + (value-s.low)/(s.high-s.low)*(s.end-s.start)
}

// around returns a scale over round numbers that holds all values. ticks are these numbers, three to eight.
func around(low, high, start, end float64) (s scale, ticks []float64) {
	if !(high-low > 1e-9*max(math.Abs(low), math.Abs(high))) { // equal but for rounding
		room := math.Abs(low) * 0.1
		if room == 0 {
			room = 0.1
		}
		low, high = low-room, high+room
	}
	step := math.Pow(10, math.Floor(math.Log10((high-low)/3)))
	for _, times := range []float64{5, 2} {
		if (high-low)/(step*times) >= 2 {
			step *= times
			break
		}
	}
	first, last := math.Floor(low/step+1e-9), math.Ceil(high/step-1e-9)
	for i := range int(last-first) + 1 {
		ticks = append(ticks, (first+float64(i))*step)
	}
	return scale{first * step, last * step, start, end}, ticks
}

// tickTexts writes ticks in the unit of the largest, with as many decimals as their distance takes: 0.25, 1500, 12k, 3.4M.
func tickTexts(ticks []float64) []string {
	step, unit, name := ticks[1]-ticks[0], 1.0, ""
	largest := max(math.Abs(ticks[0]), math.Abs(ticks[len(ticks)-1]))
	switch {
	case largest >= 1e9:
		unit, name = 1e9, "G"
	case largest >= 1e6:
		unit, name = 1e6, "M"
	case largest >= 1e4:
		unit, name = 1e3, "k"
	}
	decimals := max(0, int(math.Ceil(-math.Log10(step/unit)-1e-9)))
	texts := make([]string, len(ticks))
	for i, tick := range ticks {
		if math.Abs(tick) >= step/2 { // else it is zero
			texts[i] = strings.Replace(strconv.FormatFloat(tick/unit, 'f', decimals, 64), "-", "−", 1) + name
			continue
		}
		texts[i] = "0"
	}
	return texts
}

// The frame of a chart with axes.
const (
	frameLeft, frameRight = 44.0, chartWidth - 10.0
	frameTop              = 10.0
	frameHeight           = 150.0
	frameBottom           = frameTop + frameHeight
)

// frame begins a chart with a vertical axis. write turns its ticks into texts.
func (c *chart) frame(low, high float64, write func([]float64) []string) scale {
	if low == 0 && high == 0 {
		high = 1
	}
	y, ticks := around(low, high, frameBottom, frameTop)
	c.Height = frameBottom + 38
	for i, text := range write(ticks) {
		c.line("grid", frameLeft, y.at(ticks[i]), frameRight, y.at(ticks[i]))
		c.text("tick end", frameLeft-6, y.at(ticks[i])+4, text)
	}
	return y
}

// axis writes the name below the frame.
func (c *chart) axis(name string) { c.text("axis", (frameLeft+frameRight)/2, frameBottom+33, name) }

func (c *chart) under(x float64, text string) { c.text("tick middle", x, frameBottom+17, text) }
