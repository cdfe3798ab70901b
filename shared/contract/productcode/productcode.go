// Package productcode tells when two product codes are equal without regard to case. The rule is the same for ratings
// (training.Codes) and for the stream, which finds codes by their fold in the vector database.
package productcode

import (
	"strings"
	"unicode"
)

// Fold returns a text that two codes share if and only if they are equal without regard to case, as strings.EqualFold
// defines it.
func Fold(code string) string { return strings.Map(foldRune, code) }

// foldRune returns the smallest of the characters that differ from this one in case only.
func foldRune(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	case r <= unicode.MaxASCII:
		return r
	}
	smallest := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		smallest = min(smallest, next)
	}
	return smallest
}
