package evaluation

import (
	"math"
	"strconv"
	"strings"
)

// How numbers are written in sentences and on the page.

// figure has three decimals, below 0.01 two digits, and never more than six decimals.
func figure(x float64) string {
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

// signed is figure with a plus before positive numbers.
func signed(x float64) string {
	text := figure(x)
	if x > 0 && strings.Trim(text, "0.") != "" {
		return "+" + text
	}
	return text
}

// percent has no decimals, below 10 % two digits, and never more than three decimals or zeros at the end of them.
func percent(share float64) string {
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

func percents(shares []float64) (texts []string) {
	for _, share := range shares {
		texts = append(texts, percent(share))
	}
	return texts
}

// count has its digits in groups of three.
func count(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
