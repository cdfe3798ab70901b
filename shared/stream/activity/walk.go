package activity

import (
	"bytes"
	"encoding/json"
	"iter"
)

// The functions below walk JSON that json.Valid has passed, so they need not check it again. They exist
// because a record goes out with the very bytes it came with, which encoding/json cannot give back.

// member is one member of an object: text runs from the key's quote to the end of the value.
type member struct {
	key         string
	value, text []byte
}

// members yields the members of an object in their order.
func members(object []byte) iter.Seq[member] {
	return func(yield func(member) bool) {
		for at := next(object, 1); object[at] != '}'; {
			start := at
			at = end(object, at)
			key := unquote(object[start:at])
			at = next(object, at) // the colon
			at = next(object, at+1)
			value := at
			at = end(object, at)
			if !yield(member{key, object[value:at], object[start:at]}) {
				return
			}
			if at = next(object, at); object[at] == ',' {
				at = next(object, at+1)
			}
		}
	}
}

// elements yields the elements of a list in their order.
func elements(list []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for at := next(list, 1); list[at] != ']'; {
			start := at
			at = end(list, at)
			if !yield(list[start:at]) {
				return
			}
			if at = next(list, at); list[at] == ',' {
				at = next(list, at+1)
			}
		}
	}
}

// next is the place of the first token at or after this one.
func next(text []byte, at int) int {
	for text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r' {
		at++
	}
	return at
}

// end is the place behind the value that starts here.
func end(text []byte, at int) int {
	switch text[at] {
	case '"':
		return endOfString(text, at)
	case '{', '[':
		level := 0
		for ; ; at++ {
			switch text[at] {
			case '"':
				at = endOfString(text, at) - 1
			case '{', '[':
				level++
			case '}', ']':
				if level--; level == 0 {
					return at + 1
				}
			}
		}
	}
	for at++; at < len(text); at++ { // a number or a word
		switch text[at] {
		case ',', '}', ']', ' ', '\t', '\r', '\n':
			return at
		}
	}
	return at
}

func endOfString(text []byte, at int) int {
	for at++; text[at] != '"'; at++ {
		if text[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// depth is how deep objects and lists nest.
func depth(text []byte) (deepest int) {
	level := 0
	for at := 0; at < len(text); at++ {
		switch text[at] {
		case '"':
			at = endOfString(text, at) - 1
		case '{', '[':
			level++
			deepest = max(deepest, level)
		case '}', ']':
			level--
		}
	}
	return deepest
}

// unquote decodes a string. Most hold no escapes.
func unquote(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return "" // not to be reached: the text is valid
	}
	return text
}

// withoutNaN returns a copy of the text with null in place of NaN, Infinity and -Infinity, strings aside. The text need not
// be JSON.
func withoutNaN(text []byte) []byte {
	finite := make([]byte, 0, len(text))
	for at := 0; at < len(text); {
		if text[at] == '"' {
			start := at
			for at++; at < len(text) && text[at] != '"'; at++ {
				if text[at] == '\\' {
					at++
				}
			}
			at = min(at+1, len(text))
			finite = append(finite, text[start:at]...)
			continue
		}
		if word := notFinite(text[at:]); word > 0 {
			finite = append(finite, "null"...)
			at += word
			continue
		}
		finite = append(finite, text[at])
		at++
	}
	return finite
}

// notFinite returns the length of the word for a number that is not finite, at the start of text, or 0.
func notFinite(text []byte) int {
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(text, []byte(word)) {
			return len(word)
		}
	}
	return 0
}
