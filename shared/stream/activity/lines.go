package activity

import (
	"bytes"
	"encoding/json"
	"iter"
)

// Lines yields the records of a text that holds a JSON object on each line (NDJSON), without its blank lines. Any other text
// is one record, even if it is on several lines or broken.
func Lines(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if !isNDJSON(text) {
			yield(text)
			return
		}
		for line := range trimmedLines(text) {
			if !yield(line) {
				return
			}
		}
	}
}

// isNDJSON reports whether a text of several lines is no JSON as a whole and has a line that is an object by its looks. One
// such line is enough, because a broken line must not take the others with it.
func isNDJSON(text []byte) bool {
	if bytes.IndexByte(bytes.TrimSpace(text), '\n') < 0 || isJSON(text) {
		return false
	}
	for line := range trimmedLines(text) {
		if line[0] == '{' && line[len(line)-1] == '}' {
			return true
		}
	}
	return false
}

func trimmedLines(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for line := range bytes.Lines(text) {
			line = bytes.TrimSpace(bytes.TrimPrefix(line, byteOrderMark))
			if len(line) > 0 && !yield(line) {
				return
			}
		}
	}
}

// isJSON reports whether Parse takes the text for JSON.
func isJSON(text []byte) bool {
	text = bytes.TrimPrefix(text, byteOrderMark)
	return json.Valid(text) || json.Valid(withoutNaN(text))
}
