package main

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// printable returns text as one line that a terminal can only show, because strangers write records, object names and
// servers' errors. Control, format and bidirectional characters, line breaks among them, become Go's escapes.
func printable(text string) string {
	var shown strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			shown.WriteString(`\x` + strconv.FormatUint(uint64(text[0]), 16))
		case unicode.IsPrint(r):
			shown.WriteRune(r)
		default:
			shown.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
		text = text[size:]
	}
	return shown.String()
}

// printableLines is printable for text of several lines. Lines after the first are set in, so that none looks like
// one of the console's own.
func printableLines(text, indent string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n"+indent)
}

// maxCell is the width of the widest cell of a table, in columns of the terminal.
const maxCell = 48

// cell returns text for a table, printable and cut to maxCell.
func cell(text string) string {
	text = printable(text)
	if columns(text) <= maxCell {
		return text
	}
	var kept strings.Builder
	used := 0
	for _, r := range text {
		if used += columnsOf(r); used >= maxCell {
			break
		}
		kept.WriteRune(r)
	}
	return kept.String() + "…"
}

// columns returns how many columns of a terminal a text takes.
func columns(text string) (n int) {
	for _, r := range text {
		n += columnsOf(r)
	}
	return n
}

func columnsOf(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// aligned returns rows as lines whose cells stand under each other, two blanks apart.
func aligned(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, text := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(text))
		}
	}
	var lines strings.Builder
	for _, row := range rows {
		line := " "
		for i, text := range row {
			line += " " + text + strings.Repeat(" ", widths[i]-columns(text)+1)
		}
		lines.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return strings.TrimRight(lines.String(), "\n")
}
