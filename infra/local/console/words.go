package console

import (
	"fmt"
	"html/template"
	"strings"
	"time"
)

// functions are for the templates.
var functions = template.FuncMap{
	"count": count[int64], "clock": clock, "took": took, "figure": figure, "percent": percent, "menu": func() []menuEntry { return menu },
	"plural": plural,
}

type menuEntry struct{ Page, Path, Title string }

var menu = []menuEntry{{"now", "/", "Now"}, {"shop", "/shop", "Shop"}, {"models", "/models", "Models"}, {"try", "/try", "Try it"}, {"data", "/data", "Data"}}

// count writes 2532 as 2,532.
func count[N int | int64](n N) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// clock writes a time of the person's own zone, "" for none.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2 Jan 2006, 15:04:05")
}

func took(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}

func figure(x float64) string { return fmt.Sprintf("%.3f", x) }

func percent(x float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", 100*x), ".0") + " %"
}
