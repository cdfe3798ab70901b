package model

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// normal lower-cases and trims as Python's str.strip and str.lower do. It uses Unicode's full mapping: the capital
// dotted I becomes two characters, and a final sigma its own form.
func normal(s string) string { return string(appendNormal(nil, s)) }

// appendNormal is normal into a buffer: it allocates for text beyond ASCII only.
func appendNormal(buf []byte, s string) []byte {
	s = strings.TrimFunc(s, isSpace)
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			return append(buf[:0], cases.Lower(language.Und).String(s)...)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf = append(buf, c)
	}
	return buf
}

// isSpace adds the four separators that Python strips and Go does not.
func isSpace(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f }

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
