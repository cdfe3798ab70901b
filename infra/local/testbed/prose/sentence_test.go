package prose

import (
	"regexp"
	"slices"
	"strings"
)

// text is a piece of prose: paragraphs that are separated by blank lines.
type text struct{ place, content string }

// sentence is one sentence of a text with its counts.
type sentence struct {
	place, text                  string
	words, semicolons, relatives int
}

// weight is higher for sentences that are harder to read.
func (s sentence) weight() int { return s.words + 12*s.semicolons + 8*s.relatives }

var (
	paragraphs    = regexp.MustCompile(`\n\s*\n`)
	inCode        = regexp.MustCompile("`[^`]*`")
	links         = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	abbreviations = regexp.MustCompile(`\b(?:e\.g|i\.e|etc|vs)\.`)
	ends          = regexp.MustCompile(`[.!?:]\s+[A-Z0-9"(*]`)
	wordPattern   = regexp.MustCompile(`[\w'’-]+`)
	realWord      = regexp.MustCompile(`[A-Za-z]{2,}`)
)

// sentences splits texts. A fragment of fewer than three real words is no sentence.
func sentences(texts []text) (all []sentence) {
	for _, t := range texts {
		plain := abbreviations.ReplaceAllString(links.ReplaceAllString(inCode.ReplaceAllString(t.content, "X"), "$1"), "X")
		for _, paragraph := range paragraphs.Split(plain, -1) {
			for _, s := range split(strings.Join(strings.Fields(paragraph), " ")) {
				if len(realWord.FindAllString(s, -1)) < 3 {
					continue
				}
				all = append(all, sentence{
					place: t.place, text: s, words: len(wordPattern.FindAllString(s, -1)),
					semicolons: strings.Count(s, ";"), relatives: freeRelatives(s),
				})
			}
		}
	}
	return all
}

// split cuts a paragraph behind each mark that ends a sentence.
func split(paragraph string) (parts []string) {
	for {
		end := ends.FindStringIndex(paragraph)
		if end == nil {
			return append(parts, paragraph)
		}
		parts = append(parts, paragraph[:end[0]+1])
		paragraph = paragraph[end[1]-1:]
	}
}

// beforeRelative are words that are no noun for a relative pronoun.
var beforeRelative = strings.Fields("of to for by on in with from and or but is are was say says tell tells know knows see sees ask asks than as not only that")

// freeRelatives counts the clauses that stand for a noun: the object of such a sentence as "He knows what was read".
// "Customers who read" is no such clause, and a question is none either.
func freeRelatives(s string) (n int) {
	if strings.HasSuffix(s, "?") {
		return 0
	}
	before := ","
	for token := range strings.FieldsSeq(strings.ToLower(s)) {
		word := strings.Trim(token, `.,;:()"'’*“”`)
		switch word {
		case "what", "whatever", "whoever":
			n++
		case "who", "whose", "whom":
			if strings.ContainsAny(before[len(before)-1:], ",;:(") || strings.HasPrefix(token, "(") || slices.Contains(beforeRelative, before) {
				n++
			}
		}
		before = token
	}
	return n
}
