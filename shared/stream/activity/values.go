package activity

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"recsys/shared/contract/shape"
)

// The functions below read the values of members. Producers spell them in many ways. The package comment lists those
// that are read.

// quantity reads a quantity, see Product.
func quantity(value []byte) int {
	n := number(value)
	if math.IsNaN(n) {
		return 1
	}
	return int(min(max(n, 0), MaxQuantity))
}

// idOf reads an id of a type. It returns "" for null and for an empty string. Any other value that is no id is an error: an
// id that nobody can read would let the answer recommend the very product.
func idOf(value []byte, of shape.Type) (string, error) {
	if of.Whole() {
		return wholeID(value)
	}
	return textID(value)
}

// wholeID reads a whole number, or a string that holds one.
func wholeID(value []byte) (string, error) {
	text := string(value)
	switch value[0] {
	case 'n':
		return "", nil
	case '"':
		if text = strings.TrimSpace(unquote(value)); text == "" {
			return "", nil
		}
	case '{', '[', 't', 'f':
		return "", fmt.Errorf("%s: want a number", kind(value))
	}
	if canonical, whole := canonicalNumber(text); whole {
		return canonical, nil
	}
	if value[0] == '"' {
		return "", errors.New("a string that holds no whole number: want a number")
	}
	return "", errors.New("no whole number of at most 2^53")
}

// textID reads a string, trimmed, or a whole number as its digits.
func textID(value []byte) (string, error) {
	switch value[0] {
	case 'n':
		return "", nil
	case '"':
		return strings.TrimSpace(unquote(value)), nil
	case '{', '[', 't', 'f':
		return "", fmt.Errorf("%s: want a string", kind(value))
	}
	digits, whole := wholeNumber(string(value))
	if !whole {
		return "", errors.New("no whole number of at most 2^53: want a string")
	}
	return digits, nil
}

// canonicalNumber returns a whole number of 64 bits as the tables spell it: without a plus and without leading zeros.
func canonicalNumber(text string) (canonical string, whole bool) {
	digits, whole := wholeNumber(text)
	n, err := strconv.ParseInt(digits, 10, 64)
	if !whole || err != nil {
		return "", false
	}
	return strconv.FormatInt(n, 10), true
}

// featureOf reads the value of a column. A category of whole numbers may be a boolean, because MySQL's BOOL is a number.
func featureOf(column shape.Column, value []byte) Feature {
	feature := Feature{Column: column.Name, Number: math.NaN()}
	switch {
	case column.Role == shape.Number || column.Role == shape.Price:
		feature.Number = number(value)
		feature.Given = !math.IsNaN(feature.Number)
	case column.Type.Whole():
		spelled := strings.TrimSpace(text(value))
		if truth, isBoolean := map[string]string{"true": "1", "false": "0"}[spelled]; isBoolean {
			spelled = truth
		}
		feature.Text, feature.Given = canonicalNumber(spelled)
	default:
		feature.Text, feature.Given = shortText(value), value[0] == '"'
	}
	return feature
}

// wholeNumber returns the digits of a whole number: as they are written, or, of 5003.0 and 1e3 as data frames and some
// serializers write them, those of the integer. A float64 holds integers exactly below 2^53. It reports false for any
// other text.
func wholeNumber(text string) (digits string, whole bool) {
	rest := strings.TrimLeft(text, "0123456789")
	if rest == "" {
		return text, text != ""
	}
	if strings.Trim(rest, "0123456789+-.eE") != "" {
		return "", false // Go's parser would take "0x1p4", "inf" and the like
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return strconv.FormatInt(n, 10), true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
		return "", false
	}
	return strconv.FormatInt(int64(f), 10), true
}

// flags are the spellings of a boolean, as JSON or as the text of a string in lower case.
var flags = map[string]bool{
	"true": true, "t": true, "yes": true, "y": true, "on": true, "1": true, "1.0": true,
	"false": false, "f": false, "no": false, "n": false, "off": false, "0": false, "0.0": false, "null": false, "": false,
}

// flag reads a boolean in one of its spellings.
func flag(value []byte) (bool, error) {
	text := string(value)
	if value[0] == '"' {
		text = strings.ToLower(strings.TrimSpace(unquote(value)))
	}
	is, known := flags[text]
	if !known {
		return false, fmt.Errorf("%s that says neither yes nor no: want true or false", kind(value))
	}
	return is, nil
}

// number reads a finite number, or a string that holds one. Anything else is NaN.
func number(value []byte) float64 {
	text := string(value)
	if value[0] == '"' {
		text = shortText(value)
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(f, 0) {
		return f
	}
	return math.NaN()
}

// shortText reads a string, trimmed. It returns "" for anything else, and for a text that PostgreSQL could not hold
// or compare.
func shortText(value []byte) string {
	if value[0] != '"' {
		return ""
	}
	return storable(strings.TrimSpace(unquote(value)))
}

// storable returns "" for a text that PostgreSQL could not hold or compare.
func storable(text string) string {
	if utf8.RuneCountInString(text) > maxText || strings.IndexByte(text, 0) >= 0 {
		return ""
	}
	return text
}

// text returns a string's text, and any other value as it is written.
func text(value []byte) string {
	if value[0] == '"' {
		return unquote(value)
	}
	return string(value)
}

func meansSomething(value []byte) bool { return !isNull(value) && string(value) != `""` }

func isNull(value []byte) bool { return value[0] == 'n' }

// kind names a valid JSON value's type for people.
func kind(value []byte) string {
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
