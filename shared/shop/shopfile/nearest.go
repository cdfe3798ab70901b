package shopfile

import (
	"fmt"
	"strings"
)

// choice names the choices, and first the one that the text is likely to mean.
func choice(text string, choices []string) string {
	best, distance := "", 1+len([]rune(text))/2
	for _, name := range choices {
		if d := edits(strings.ToLower(text), strings.ToLower(name)); d < distance {
			best, distance = name, d
		}
	}
	if len(choices) == 1 {
		return choices[0]
	}
	all := "one of " + strings.Join(choices, ", ")
	if best != "" {
		return fmt.Sprintf("%s (or %s)", best, all)
	}
	return all
}

// edits returns Levenshtein's distance of two words: the letters to insert, delete or replace.
func edits(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j := range to {
			replaced := diagonal
			if from[i] != to[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
