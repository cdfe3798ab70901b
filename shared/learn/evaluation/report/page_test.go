package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"recsys/shared/learn/evaluation"
)

// element is the part of a page that the tests look at.
type element struct {
	name       string
	attributes map[string]string
	text       string // of itself and all within, blanks joined
	children   []string
}

// parse reads a page as XML, which it is on purpose, and fails where it is not well-formed.
func parse(t *testing.T, page string) (all []*element) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(page))
	var open []*element
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("the page is not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attributes: map[string]string{}}
			for _, a := range token.Attr {
				e.attributes[a.Name.Local] = a.Value
			}
			if len(open) > 0 {
				open[len(open)-1].children = append(open[len(open)-1].children, e.name)
			}
			open, all = append(open, e), append(all, e)
		case xml.CharData:
			for _, e := range open {
				e.text += string(token)
			}
		case xml.EndElement:
			open[len(open)-1].text = strings.Join(strings.Fields(open[len(open)-1].text), " ")
			open = open[:len(open)-1]
			for _, e := range open {
				e.text += " "
			}
		}
	}
}

func texts(page []*element, name string) (all []string) {
	for _, e := range page {
		if e.name == name {
			all = append(all, e.text)
		}
	}
	return all
}

func TestPageLoadsNothing(t *testing.T) {
	text := asPage(t, example())
	for _, forbidden := range []string{"http:", "https:", "//", "url(", "@import", "@font-face", "javascript"} {
		if strings.Contains(text, forbidden) {
			t.Errorf("the page contains %s", forbidden)
		}
	}
	for _, e := range parse(t, text) {
		if slices.Contains([]string{"script", "link", "img", "iframe", "object", "embed", "image", "use", "base", "form"}, e.name) {
			t.Errorf("the page has an element %s", e.name)
		}
		for name := range e.attributes {
			if name == "src" || name == "href" || strings.HasPrefix(name, "on") {
				t.Errorf("%s has an attribute %s", e.name, name)
			}
		}
	}
}

func TestPageShowsTheDecision(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(r *Report)
		title  string
	}{
		{"passed", func(r *Report) {}, "Passed"},
		{"refused", func(r *Report) { r.Decision.Passed, r.Decision.Promote = false, false }, "Not promoted"},
		{"reported", func(r *Report) { r.Decision.Passed = false }, "Not passed, only reported"},
	} {
		r := example()
		c.change(r)
		page := parse(t, asPage(t, r))
		if got := texts(page, "h1"); len(got) != 1 || got[0] != c.title {
			t.Errorf("%s: title %q, want %q", c.name, got, c.title)
		}
		said := strings.Join(append(texts(page, "li"), texts(page, "p")...), "\n")
		for _, want := range []string{r.Decision.Checks[0].Why, r.Decision.Checks[1].Why, r.Decision.Checks[2].Why, r.Decision.Remarks[0], r.Remarks[0],
			"NDCG@10 is 0.412, 3.35 times that of the most popular items and 1.04 times that of the active version."} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: the page does not say: %s", c.name, want)
			}
		}
	}
}

func TestPageHasAllNumbers(t *testing.T) {
	page := parse(t, asPage(t, example()))
	table := texts(page, "tr")
	want := []string{
		"Figure Candidate Active Item kNN Popular Random",
		"NDCG@5 0.392 0.378 0.367 0.103 0.034", "NDCG@10 0.412 0.398 0.387 0.123 0.054", "NDCG@20 0.432 0.418 0.407 0.143 0.074",
		"Recall@5 0.393 0.381 0.362 0.105 0.027", "Recall@10 0.433 0.421 0.402 0.145 0.067", "Recall@20 0.473 0.461 0.442 0.185 0.107",
		"MRR 0.377 0.361 0.350 0.112 0.045",
		"Coverage@5 55 % 52 % 43 % 7 % 88 %", "Coverage@10 61 % 58 % 49 % 13 % 94 %", "Coverage@20 67 % 64 % 55 % 19 % 100 %",
		"Novelty@5 5.2 5.0 4.5 2.3 6.7", "Novelty@10 5.2 5.1 4.6 2.3 6.8", "Novelty@20 5.3 5.2 4.6 2.4 6.9",
		"Head@5 11 % 11 % 10 % 3.6 % 1.7 %", "Head@10 11 % 11 % 10 % 3.6 % 1.7 %", "Head@20 11 % 11 % 10 % 3.6 % 1.7 %",
		"Products of a customer Customers Candidate Active Item kNN Popular Random",
		"1–4 30 0.206 0.199 0.194 0.061 0.027", "5–19 0 – – – – –", "20+ 70 0.422 0.408 0.397 0.133 0.064",
	}
	if !slices.Equal(table, want) {
		t.Errorf("the table is\n%s\nwant\n%s", strings.Join(table, "\n"), strings.Join(want, "\n"))
	}
	values := strings.Join(texts(page, "dd"), "\n")
	for _, fact := range []string{"nightly-1", "nightly-0", "25 November 2026, 00:02:03 UTC", "version 8, trained", "version 7, handed-over",
		"20 % of the ratings, seed 18446744073709551615", "512 ratings", "2,048 ratings", "1,100", "enforce, margin 10 %, tolerance 15 %", "2,000 samples, seed 1", "32"} {
		if !strings.Contains(values, fact) {
			t.Errorf("the page does not tell %q", fact)
		}
	}
}

func TestDrawingsAreAccessible(t *testing.T) {
	page := parse(t, asPage(t, example()))
	ids := map[string]string{}
	for _, e := range page {
		if id := e.attributes["id"]; id != "" {
			if _, twice := ids[id]; twice {
				t.Errorf("two elements %s", id)
			}
			ids[id] = e.text
		}
	}
	drawings := 0
	for _, e := range page {
		if e.name != "svg" || e.attributes["aria-hidden"] == "true" {
			continue
		}
		drawings++
		if len(e.children) < 3 || e.children[0] != "title" || e.children[1] != "desc" || e.attributes["role"] != "img" {
			t.Errorf("a drawing begins with %v", e.children[:min(len(e.children), 2)])
		}
		for _, id := range strings.Fields(e.attributes["aria-labelledby"]) {
			if ids[id] == "" {
				t.Errorf("a drawing is labelled by %s, which says nothing", id)
			}
		}
	}
	if drawings != 7 {
		t.Errorf("%d drawings, want 7", drawings)
	}
}

func TestPageEscapes(t *testing.T) {
	const evil = `</title></style><script>alert("1")</script>'"&`
	r := example()
	r.Run, r.Snapshot, r.Remarks = evil, evil, []string{evil}
	r.Options = []Option{{evil, evil}}
	r.Decision.Checks[0].Against, r.Decision.Checks[0].Why, r.Candidate.Origin = evil, evil, evil
	page := parse(t, asPage(t, r))
	if n := len(texts(page, "script")); n > 0 {
		t.Errorf("%d scripts", n)
	}
	if said := strings.Join(texts(page, "li"), "\n"); !strings.Contains(said, evil) {
		t.Errorf("the remark is not there as it was written: %s", said)
	}
}

func TestPageOfSparseReports(t *testing.T) {
	for name, c := range map[string]struct {
		report   Report
		drawings int
	}{
		"nothing at all": {Report{}, 0},
		"the first version, without checks or loss": {Report{
			Candidate: evaluation.Contender{Result: figures(0.4, 0.4, 0.4, 3, 0.4, [10]int{4: 100})}, Loss: []float64{7}}, 5},
		"nothing found": {Report{
			Candidate: evaluation.Contender{Result: evaluation.Result{Customers: 50}}, Loss: []float64{0, 0}, Decision: evaluation.Decision{Checks: []evaluation.Check{{Factor: 1}}}}, 7},
	} {
		text := asPage(t, &c.report)
		for _, wrong := range []string{"NaN", "Inf", "%!"} {
			if strings.Contains(text, wrong) {
				t.Errorf("%s: the page contains %s", name, wrong)
			}
		}
		if got := len(texts(parse(t, text), "desc")); got != c.drawings {
			t.Errorf("%s: %d drawings, want %d", name, got, c.drawings)
		}
	}
}

// box is where a text of a drawing is, by a generous guess of its width.
func box(s shape) (left, top, right, bottom float64) {
	size := 11.5
	if strings.HasPrefix(s.Class, "label") || strings.HasPrefix(s.Class, "value") {
		size = 12.5
	}
	width := 0.6 * size * float64(utf8.RuneCountInString(s.Text))
	left = float64(s.X)
	if strings.HasSuffix(s.Class, "end") {
		left -= width
	} else if strings.HasSuffix(s.Class, "middle") || s.Class == "axis" {
		left -= width / 2
	}
	return left, float64(s.Y) - 0.75*size, left + width, float64(s.Y) + 0.2*size
}

// Texts of a drawing stay inside it and do not overlap, for any figures. So do all shapes.
func TestDrawingsHaveRoom(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 1))
	small := func() float64 { return math.Pow(10, -4*chance.Float64()) }
	for range 300 {
		r := example()
		for _, result := range []*evaluation.Result{&r.Candidate.Result, &r.Active.Result, r.Neighbours, &r.Popularity, &r.Random} {
			for i := range result.At {
				result.At[i] = evaluation.Figures{K: evaluation.Cutoffs[i], NDCG: small(), Recall: small(), Coverage: chance.Float64(), Novelty: 25 * chance.Float64()}
			}
			result.Interval = evaluation.Interval{Low: result.NDCG10() * 0.9, High: min(result.NDCG10()*1.1, 1)}
		}
		size := small()
		for i := range r.Decision.Checks {
			low := size * (chance.Float64() - 0.5)
			r.Decision.Checks[i].Interval = evaluation.Interval{Low: low, High: low + 0.2*size}
			r.Decision.Checks[i].Difference = low + 0.1*size
		}
		scale := math.Pow(10, 12*chance.Float64()-2)
		r.Loss = nil
		for range 2 + chance.IntN(200) {
			r.Loss = append(r.Loss, scale*(1+chance.Float64()))
		}
		for _, c := range append(r.charts(), lossChart(r.Loss)) {
			checkRoom(t, c)
		}
	}
}

func checkRoom(t *testing.T, c chart) {
	t.Helper()
	var before []shape
	for _, s := range c.Shapes {
		where := fmt.Sprintf("%s of class %q at %v, %v in %s", s.Kind, s.Class, s.X, s.Y, c.ID)
		if s.X < 0 || s.Y < 0 || s.X > chartWidth || float64(s.Y) > c.Height || math.IsNaN(float64(s.X+s.Y+s.X2+s.Y2)) {
			t.Fatalf("%s: outside", where)
		}
		if s.Kind != "text" {
			continue
		}
		left, top, right, bottom := box(s)
		if left < -6 || right > chartWidth+6 || top < -1 || bottom > c.Height+1 {
			t.Fatalf("%s: %q from %.0f to %.0f is outside", where, s.Text, left, right)
		}
		for _, other := range before {
			l, tp, r, b := box(other)
			if left < r && l < right && top < b && tp < bottom {
				t.Fatalf("%s: %q and %q overlap", where, s.Text, other.Text)
			}
		}
		before = append(before, s)
	}
}

// Values that differ only by rounding, as sums in another order do, are one value: the scale has few ticks.
func TestScaleAroundValuesThatAreEqualButForRounding(t *testing.T) {
	for _, value := range []float64{1.584962500721156, 1e-12, 1e15, -3} {
		s, ticks := around(value, math.Nextafter(value, math.Inf(1)), 0, 100)
		if len(ticks) < 2 || len(ticks) > 12 || !(s.high > s.low) {
			t.Errorf("%v: %v, ticks %v", value, s, ticks)
		}
	}
}
