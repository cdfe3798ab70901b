package source

import (
	"database/sql"
	"encoding/hex"
	"time"

	"recsys/shared/contract/shape"
)

// cell returns the text of a value in a raw row. NULL is "".
type cell func(value sql.RawBytes) string

// plain returns the text as the server sends it.
func plain(value sql.RawBytes) string { return string(value) }

func constant(text string) cell { return func(sql.RawBytes) string { return text } }

// interned is a cell whose texts repeat: equal ones are one string.
func interned(of func(sql.RawBytes) []byte) cell {
	texts := interner{}
	return func(value sql.RawBytes) string { return texts.text(of(value)) }
}

// repeated is a cell whose rows come sorted: a text that equals the one before is the same string.
func repeated(of func(sql.RawBytes) []byte) cell {
	last := ""
	return func(value sql.RawBytes) string {
		if bytes := of(value); string(bytes) != last {
			last = string(bytes)
		}
		return last
	}
}

// idText returns the function that makes ids texts. A whole number has no zeros before it. Bytes become hexadecimal digits,
// with the hyphens of a UUID if there are sixteen.
func idText(f field) func(sql.RawBytes) []byte {
	switch f.family {
	case wholes:
		return func(value sql.RawBytes) []byte { return digits(value) }
	case octets:
		var text [36]byte
		return func(value sql.RawBytes) []byte { return hexadecimal(text[:0], value) }
	default:
		return func(value sql.RawBytes) []byte { return value }
	}
}

// hexadecimal appends bytes as an id's text. Source of the hyphens' places: https://www.rfc-editor.org/rfc/rfc9562#section-4
func hexadecimal(text, value []byte) []byte {
	if len(value) != 16 {
		return hex.AppendEncode(text, value)
	}
	for i, end := range []int{4, 6, 8, 10, 16} {
		if i > 0 {
			text = append(text, '-')
		}
		start := []int{0, 4, 6, 8, 10}[i]
		text = hex.AppendEncode(text, value[start:end])
	}
	return text
}

// valueText returns the cell of a column with a role.
func valueText(f field, role shape.Role, zone *time.Location) cell {
	switch {
	case role == shape.Time:
		return moment(f, zone)
	case role == shape.Category, role == shape.Kind:
		return interned(func(value sql.RawBytes) []byte { return value })
	case f.number() && role != shape.Remark && role != shape.Name:
		return func(value sql.RawBytes) string { return string(digits(value)) }
	default:
		return plain
	}
}

// digits returns a number without the zeros that ZEROFILL puts before it.
func digits(text []byte) []byte {
	for len(text) > 1 && text[0] == '0' && text[1] != '.' {
		text = text[1:]
	}
	return text
}

// interner gives equal texts one string: a range has many interactions of few products.
type interner map[string]string

const maxInterned = 100_000

func (in interner) text(bytes []byte) string {
	if text, ok := in[string(bytes)]; ok {
		return text
	}
	if len(in) == maxInterned {
		clear(in)
	}
	text := string(bytes)
	in[text] = text
	return text
}
