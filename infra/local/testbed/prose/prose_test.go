package prose

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var worst = flag.Int("worst", 0, "print the `N` worst sentences of each group")

// limits are the most that a group of texts may have.
type limits struct {
	words      float64 // a sentence
	semicolons float64 // per 1,000 words
	relatives  float64 // free relatives per 100 sentences
}

// groups are all texts that people read.
var groups = []struct {
	name   string
	read   func(*testing.T) []text
	limits limits
}{
	{"README", readme, limits{15, 3, 2}},
	{"documents", documents, limits{15, 3, 2}},
	{"comments", comments, limits{15, 3, 2}},
	{"errors", errorTexts, limits{15, 3, 2}},
	{"logs", logTexts, limits{15, 3, 2}},
	{"options and alarms", optionsAndAlarms, limits{15, 3, 2}},
	{"test names", testNames, limits{15, 3, 2}},
}

func TestTextsReadPlainly(t *testing.T) {
	t.Logf("%-18s %9s %9s %7s %17s", "", "sentences", "words each", ";/1000", "free relatives/100")
	for _, group := range groups {
		all := sentences(group.read(t))
		if len(all) == 0 {
			t.Errorf("%s: no sentence was found", group.name)
			continue
		}
		got := measure(all)
		t.Logf("%-18s %9d %9.1f %7.1f %17.1f", group.name, len(all), got.words, got.semicolons, got.relatives)
		show := *worst
		if got.words > group.limits.words || got.semicolons > group.limits.semicolons || got.relatives > group.limits.relatives {
			t.Errorf("%s: %.1f words a sentence, %.1f semicolons per 1,000 words, %.1f free relatives per 100 sentences; at most %v, %v and %v. See CONTRIBUTING.md",
				group.name, got.words, got.semicolons, got.relatives, group.limits.words, group.limits.semicolons, group.limits.relatives)
			show = max(show, 10)
		}
		t.Log(listed(all, show))
	}
}

// measure counts over all sentences.
func measure(all []sentence) (m limits) {
	for _, s := range all {
		m.words += float64(s.words)
		m.semicolons += float64(s.semicolons)
		m.relatives += float64(min(s.relatives, 1))
	}
	m.semicolons *= 1000 / m.words
	m.words /= float64(len(all))
	m.relatives *= 100 / float64(len(all))
	return m
}

// listed returns the n sentences that are hardest to read.
func listed(all []sentence, n int) string {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b sentence) int { return b.weight() - a.weight() })
	var lines strings.Builder
	for _, s := range all[:min(n, len(all))] {
		fmt.Fprintf(&lines, "\n  %s: %s", s.place, s.text)
	}
	return lines.String()
}

func TestMeasure(t *testing.T) {
	for _, test := range []struct {
		text string
		want []sentence
	}{
		{"The first ends. The second; it goes on.", []sentence{{words: 3}, {words: 5, semicolons: 1}}},
		{"Reads what is there.", []sentence{{words: 4, relatives: 1}}},
		{"What is read here?", []sentence{{words: 4}}},
		{"Customers who rated are kept.", []sentence{{words: 5}}},
		{"It says who rated, and for whom.", []sentence{{words: 7, relatives: 2}}},
		{"The option `a; what b` is one word.", []sentence{{words: 6}}},
		{"A [link](what.md) is its text.", []sentence{{words: 5}}},
		{"Two words", nil},
		{"It takes 2.5 seconds, e.g. Here too it goes on.", []sentence{{words: 11}}},
	} {
		got := sentences([]text{{content: test.text}})
		for i := range got {
			got[i].text = ""
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q: got %+v, want %+v", test.text, got, test.want)
		}
	}
}
