// Package activity is one record of the user activity stream: the record as it came in, and the same record enriched.
//
// Parse is strict about the members that an answer hangs on and lenient about the rest, because the records come from
// many producers. Strict: a record is one JSON object in UTF-8, at most MaxBytes long and maxDepth deep. A history,
// if there is one, is a list of objects. The record names a session or a customer, because nobody could use an answer
// to neither ("{}" is rejected). Lenient: a city, a country or a credit limit that is missing, unknown or unreadable
// only takes the model away from the record. Products may be repeated, unknown, unnamed or absent. A quantity is a
// number or a string that holds one, and anything else is 1. Fields that are not read may hold anything.
//
// An answer hangs on these values, so each has a set of spellings, and any other spelling is rejected:
//
//	customer_number   a whole number, or a string that holds one: 103, 103.0, "103"; null and "" are no customer
//	product_code      a string, or a whole number, which is its digits: "S10_1678", 5003, 5003.0; null and "" are no product
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
	"math"
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

// Record is an activity record, read. It refers to the bytes that it was parsed from.
type Record struct {
	body        []byte // the record on one line without its closing brace and without members of our names
	hasFeatures struct{ city, country bool }

	// Session tells the records of one visit from others: by the session's id, or by the customer if there is none.
	Session string
	// CustomerNumber is nil if the visitor is not known. 0 is a customer like any other.
	CustomerNumber *int64
	// City and Country are "" where they are missing or say nothing.
	City, Country string
	// CreditLimit is NaN where it is missing or no finite number.
	CreditLimit float64
	// Products are the different products of the session, in the order in which each was last seen. At most
	// MaxProducts, the latest. Codes that no database could hold are left out.
	Products []Product
}

// Product is one product of a session. Of one that is in the history more than once, the cart counts if any entry is in
// it, and the largest quantity.
type Product struct {
	Code   string
	InCart bool
	// Quantity is 0 to MaxQuantity, rounded down. It is 1 if there is none that can be read.
	Quantity int
}

// HasFeatures says whether the record holds all that the model looks at: a number, and two strings, which
// may be empty or unknown to it.
func (r *Record) HasFeatures() bool {
	return r.hasFeatures.city && r.hasFeatures.country && !math.IsNaN(r.CreditLimit)
}

// Parse reads one record. The text of an error is the reason for rejecting it and quotes nothing of it.
func Parse(data []byte) (Record, error) {
	record := Record{CreditLimit: math.NaN()}
	object, err := validObject(data)
	if err != nil {
		return record, err
	}
	replaced := false
	for member := range members(object) {
		switch member.key {
		case "session_id":
			if meansSomething(member.value) {
				record.Session = "session " + text(member.value)
			}
		case "customer_number":
			if record.CustomerNumber, err = customerNumber(member.value); err != nil {
				return record, fmt.Errorf("customer_number: %w", err)
			}
		case "city":
			record.City, record.hasFeatures.city = shortText(member.value), member.value[0] == '"'
		case "country":
			record.Country, record.hasFeatures.country = shortText(member.value), member.value[0] == '"'
		case "credit_limit":
			record.CreditLimit = number(member.value)
		case "browse_history":
			if record.Products, err = products(member.value); err != nil {
				return record, fmt.Errorf("browse_history: %w", err)
			}
		case recommendedKey, similarKey, trendingKey, recommendationKey:
			replaced = true
		}
	}
	if record.Session == "" && record.CustomerNumber != nil {
		record.Session = "customer " + strconv.FormatInt(*record.CustomerNumber, 10)
	}
	if record.Session == "" {
		return record, errors.New("neither session_id nor customer_number: nobody could use the answer")
	}
	record.body = body(object, replaced)
	return record, nil
}

func validObject(data []byte) ([]byte, error) {
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

// products picks the products of a history. See Record.Products.
func products(history []byte) (_ []Product, err error) {
	if history[0] != '[' {
		if isNull(history) {
			return nil, nil
		}
		return nil, fmt.Errorf("%s: want a list", kind(history))
	}
	var seen []Product // as they come, repeats among them
	for entry := range elements(history) {
		if entry[0] != '{' {
			return nil, fmt.Errorf("an entry is %s: want an object", kind(entry))
		}
		product := Product{Quantity: 1}
		for member := range members(entry) {
			switch member.key {
			case "product_code":
				product.Code, err = productCode(member.value)
			case "in_shopping_cart":
				product.InCart, err = flag(member.value)
			case "quantity":
				product.Quantity = quantity(member.value)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", member.key, err)
			}
		}
		if product.Code != "" {
			seen = append(seen, product)
		}
	}
	return distinct(seen), nil
}

// distinct keeps the last place of each product, with the facts of its other places.
func distinct(seen []Product) []Product {
	place := make(map[string]int, min(len(seen), MaxProducts))
	kept := len(seen) // seen[kept:] is kept, from behind
	for i := len(seen) - 1; i >= 0; i-- {
		product := seen[i]
		at, repeated := place[product.Code]
		if !repeated {
			if len(place) == MaxProducts {
				continue
			}
			kept--
			seen[kept], place[product.Code] = product, kept
			continue
		}
		seen[at].InCart = seen[at].InCart || product.InCart
		seen[at].Quantity = max(seen[at].Quantity, product.Quantity)
	}
	return seen[kept:]
}
