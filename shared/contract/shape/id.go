package shape

import (
	"bytes"
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxText is the length limit of a text of the training data, in characters. Such a text fits an index row of
// PostgreSQL, because 255 characters of four bytes are under the 2,704 bytes of a btree's row.
const MaxText = 255

// Compare orders two ids of the type: whole numbers by their value, texts by their bytes. It returns -1, 0 or 1.
func (t Type) Compare(a, b string) int {
	if t.Whole() {
		x, errX := strconv.ParseInt(a, 10, 64)
		y, errY := strconv.ParseInt(b, 10, 64)
		if errX == nil && errY == nil {
			return cmp.Compare(x, y)
		}
	}
	return strings.Compare(a, b)
}

// Valid reports whether a text is an id of the type in the one form that the pipeline writes. Whole numbers are canonical
// decimal, such as -4 and 103.
func (t Type) Valid(id string) bool {
	canonical, flaw := t.ParseID([]byte(id))
	return flaw == "" && canonical == id
}

// ParseID returns an id as the pipeline writes it, or its flaw. It takes whole numbers with leading zeros and a plus.
func (t Type) ParseID(text []byte) (id, flaw string) {
	switch t {
	case Int:
		return parseWhole(text, 32)
	case BigInt:
		return parseWhole(text, 64)
	}
	switch {
	case len(text) == 0:
		return "", "no id"
	case !utf8.Valid(text):
		return "", "the id is not UTF-8"
	case utf8.RuneCount(text) > MaxText:
		return "", fmt.Sprintf("the id is longer than %d characters", MaxText)
	case len(bytes.TrimSpace(text)) != len(text):
		return "", "the id has blanks at its ends"
	case bytes.IndexByte(text, 0) >= 0:
		return "", "the id holds a NUL character"
	}
	return string(text), ""
}

func parseWhole(text []byte, bits int) (id, flaw string) {
	number, err := strconv.ParseInt(string(text), 10, bits)
	if err != nil {
		return "", fmt.Sprintf("the id is no whole number of %d bits", bits)
	}
	return strconv.FormatInt(number, 10), ""
}

// Value returns an id as a database takes it: an int32, an int64 or a string. Error: the id is not Valid.
func (t Type) Value(id string) (any, error) {
	switch t {
	case Int:
		number, err := strconv.ParseInt(id, 10, 32)
		return int32(number), err
	case BigInt:
		return strconv.ParseInt(id, 10, 64)
	}
	return id, nil
}
