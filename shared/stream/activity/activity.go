// Package activity is one record of the user activity stream: the record as it came in, and the same record enriched.
//
// Parse is strict about the members that an answer hangs on and lenient about the rest, because the records come from
// many producers. Strict: a record is one JSON object in UTF-8, at most MaxBytes long and maxDepth deep. A history,
// if there is one, is a list of objects. The record names a session or a customer, because nobody could use an answer
// to neither ("{}" is rejected). Lenient: a feature that is missing or unreadable, such as the city, only takes the model
// away from the record. Products may be repeated, unknown, unnamed or absent. A quantity is a
// number or a string that holds one, and anything else is 1. Fields that are not read may hold anything.
//
// The names of customer, product and features depend on the shop, see FormOf. An answer hangs on these values, so each has a
// set of spellings, and any other spelling is rejected:
//
//	ids of whole numbers, as the lab's customer_number
//	                  a whole number, or a string that holds one: 103, 103.0, "103"; null and "" are no id
//	ids of text, as the lab's product_code
//	                  a string, or a whole number, which is its digits: "S10_1678", 5003, 5003.0; null and "" are no id
//	in_shopping_cart  true, 1 and "true", "t", "yes", "y", "on", "1"; false, 0, null and "false", "f", "no", "n", "off", "0", ""
//
// Strings are trimmed, and the words of in_shopping_cart may be in capitals. NaN, Infinity and -Infinity are not
// JSON, but pandas and Python's json.dumps write them. They are read as null and go out as null. A byte order mark is
// dropped.
//
// Append gives the record back as it came, byte for byte and on one line, with three members after its own, or four:
//
//	"recommended_items":[{"id","score"}]                             best first, a higher score is better
//	"similar_items":{"product_code","similar_items":[{"id","distance"}]}   nearest first; null and [] without a known product
//	"trending_items":[{"id","score"}]                                only where it is asked for: Answer.Trending
//	"recommendation":{"event_id","model_version","strategy","generated_at"}
//
// A record that has members of these names already gets them replaced. Spec: docs/stream.md.
package activity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"recsys/shared/contract/lake"
)

const (
	// MaxBytes is the largest record that is read: the largest that Kinesis can be configured to take.
	MaxBytes = 10 << 20
	// MaxProducts is how many different products of a history count: the latest.
	MaxProducts = 1000
	// MaxQuantity is the largest quantity that is told from larger ones.
	MaxQuantity = 1_000_000

	maxDepth = 32           // of nesting, the record itself being 1
	maxText  = lake.MaxText // of a product code, city or country that could be known
)

// Object is the JSON object of a record. Every shop's form can read it.
type Object []byte

// Parse reads one record of a shop: Open and Form.Read.
func Parse(data []byte, form *Form) (Record, error) {
	object, err := Open(data)
	if err != nil {
		return Record{}, err
	}
	return form.Read(object)
}

// Open checks that the data is the object of a record. The text of an error is the reason for rejecting it and quotes nothing
// of it.
func Open(data []byte) (Object, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("longer than %d bytes", MaxBytes)
	}
	data = bytes.TrimPrefix(data, byteOrderMark)
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	if !json.Valid(data) {
		finite := withoutNaN(data)
		if !json.Valid(finite) {
			return nil, errors.New("not JSON" + syntax(data))
		}
		data = finite
	}
	text := bytes.TrimSpace(data)
	if text[0] != '{' {
		return nil, fmt.Errorf("%s: want an object", kind(text))
	}
	if depth(text) > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	return text, nil
}

// byteOrderMark begins a text that some editors and .NET write.
var byteOrderMark = []byte("\uFEFF")

// syntax returns the offset of the first syntax error.
func syntax(data []byte) string {
	var fault *json.SyntaxError
	if errors.As(json.Unmarshal(data, &json.RawMessage{}), &fault) {
		return " at byte " + strconv.FormatInt(fault.Offset, 10)
	}
	return ""
}

// body is the object on one line, without its closing brace. Valid JSON holds line breaks between tokens
// only, never inside a string, so blanks in their place change no value.
func body(text []byte, replaced bool) []byte {
	body := bytes.TrimRight(text[:len(text)-1], " \t\r\n")
	if replaced {
		body = withoutOurs(text)
	}
	if bytes.ContainsAny(body, "\r\n") {
		body = bytes.Map(func(r rune) rune {
			if r == '\r' || r == '\n' {
				return ' '
			}
			return r
		}, body)
	}
	return body
}

func withoutOurs(text []byte) []byte {
	kept := []byte{'{'}
	for member := range members(text) {
		switch member.key {
		case recommendedKey, similarKey, trendingKey, recommendationKey:
			continue
		}
		if len(kept) > 1 {
			kept = append(kept, ',', ' ')
		}
		kept = append(kept, member.text...)
	}
	return kept
}
