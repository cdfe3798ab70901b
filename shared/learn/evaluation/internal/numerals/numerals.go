// Package numerals writes numbers as the sentences and the pages of an evaluation show them.
package numerals

import (
	"math"
	"strconv"
	"strings"
)

// Figure writes a figure with three decimals, below 0.01 two digits, and never more than six decimals.
func Figure(x float64) string {
	decimals := 3
	for bound := 0.00995; decimals < 6 && x != 0 && math.Abs(x) < bound; bound /= 10 {
		decimals++
	}
	text := strconv.FormatFloat(math.Abs(x), 'f', decimals, 64)
	if x < 0 && strings.Trim(text, "0.") != "" {
		return "−" + text
	}
	return text
}

// Signed is Figure with a plus before positive numbers.
func Signed(x float64) string {
	text := Figure(x)
	if x > 0 && strings.Trim(text, "0.") != "" {
		return "+" + text
	}
	return text
}

// Percent writes a share as a percentage with no decimals, below 10 % two digits, and never more than three decimals or zeros at the end of them.
func Percent(share float64) string {
	x, decimals := share*100, 0
	for bound := 9.95; decimals < 3 && x != 0 && math.Abs(x) < bound; bound /= 10 {
		decimals++
	}
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if decimals > 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text + " %"
}

// Percents writes shares as percentages.
func Percents(shares []float64) (texts []string) {
	for _, share := range shares {
		texts = append(texts, Percent(share))
	}
	return texts
}

// Count writes a number with its digits in groups of three.
func Count(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
