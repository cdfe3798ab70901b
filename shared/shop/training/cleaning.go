package training

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/lake"
)

// Reason names the part of the training row's contract that a row broke. "" is none.
type Reason string

const (
	NoCustomerNumber      Reason = "no-customer-number"             // NULL
	CustomerOutOfRange    Reason = "customer-number-out-of-range"   // beyond int32
	NoProductCode         Reason = "no-product-code"                // NULL or blank
	NoRating              Reason = "no-rating"                      // NULL
	RatingOutOfRange      Reason = "rating-out-of-range"            // not 1 to 5, or not 0.5 to 5 if ratings are fractional
	RatingTooPrecise      Reason = "rating-too-precise"             // more than two decimals
	DuplicateRating       Reason = "duplicate-rating"               // the customer has rated the product already
	UnknownCustomer       Reason = "unknown-customer"               // not in customers
	UnknownProduct        Reason = "unknown-product"                // not in products
	AmbiguousProduct      Reason = "ambiguous-product"              // several products have its code but for case, none has it exactly
	TextTooLong           Reason = "text-too-long"                  // over 255 characters
	TextWithNUL           Reason = "text-with-nul"                  // a NUL character
	TextNotUTF8           Reason = "text-not-utf-8"                 // bytes that are no UTF-8
	DuplicateProduct      Reason = "duplicate-product"              // several products have its code, but for blanks around it
	IncompleteAddress     Reason = "incomplete-address"             // the customer's city or country is missing
	CreditLimitOutOfRange Reason = "credit-limit-out-of-range"      // does not fit DECIMAL(10,2)
	IncompleteProduct     Reason = "incomplete-product"             // the product's line or scale is missing
	NoQuantity            Reason = "no-quantity-in-stock"           // NULL
	QuantityOutOfRange    Reason = "quantity-in-stock-out-of-range" // beyond int32
	NoPrice               Reason = "no-price"                       // a price is NULL
	PriceOutOfRange       Reason = "price-out-of-range"             // does not fit DECIMAL(10,2)
)

// clean makes the values of a training row from a raw row of customers or products. A text is trimmed. The reason is the
// first that the columns have: of a text that no file can carry, of a missing text, of a missing number, of a bad number.
func (s Shop) clean(table TableName, raw Raw) ([]parquet.Value, Reason) {
	values := make([]parquet.Value, 0, len(s))
	columns, first := s.Of(table), len(raw)-len(s.Of(table))
	texts := make([]string, len(columns))
	var missingText, missingNumber, bad Reason
	for i, column := range columns {
		texts[i] = raw[first+i]
		if column.Type == Text {
			texts[i] = trimmed(texts[i])
			if reason := flawIn(texts[i]); reason != "" {
				return nil, reason
			}
		}
	}
	for i, column := range columns {
		value, fits := column.value(texts[i])
		switch {
		case texts[i] == "" && column.Type == Text:
			missingText = cmp.Or(missingText, column.Missing)
		case texts[i] == "":
			missingNumber = cmp.Or(missingNumber, column.Missing)
		case !fits:
			bad = cmp.Or(bad, column.Bad)
		}
		defined := 0
		if column.Missing == "" && texts[i] != "" {
			defined = 1
		}
		values = append(values, value.Level(0, defined, s.index(column)))
	}
	return values, cmp.Or(missingText, missingNumber, bad)
}

// value parses a text. It returns false for a number that does not fit the type.
func (c Column) value(text string) (parquet.Value, bool) {
	switch {
	case text == "":
		return parquet.NullValue(), true
	case c.Type == Money:
		hundredths, _, err := ParseHundredths(text)
		return parquet.Int64Value(hundredths), err == nil
	case c.Type == Stock:
		pieces, err := parseQuantity(text)
		return parquet.Int32Value(pieces), err == nil
	default:
		return parquet.ValueOf(text), true
	}
}

// index returns the place of a column in a training row.
func (s Shop) index(column Column) int {
	return slices.IndexFunc(s, func(c Column) bool { return c.Name == column.Name })
}

// CleanCustomer makes the customer's part of a training row.
func (s Shop) CleanCustomer(raw Raw) ([]parquet.Value, Reason) { return s.clean(CustomerTable, raw) }

// CleanedRating is a rating by itself, without its customer and product.
type CleanedRating struct {
	CustomerNumber int32
	ProductCode    string // trimmed
	Rating         int32  // in the unit of its RatingType
}

// CleanRating checks a rating by itself.
func CleanRating(raw *RawRating, of RatingType) (CleanedRating, Reason) {
	rating := CleanedRating{ProductCode: trimmed(raw.ProductCode)}
	customer, err := strconv.ParseInt(raw.CustomerNumber, 10, 32)
	switch {
	case raw.CustomerNumber == "":
		return rating, NoCustomerNumber
	case err != nil:
		return rating, CustomerOutOfRange
	case rating.ProductCode == "":
		return rating, NoProductCode
	}
	if reason := flawIn(rating.ProductCode); reason != "" {
		return rating, reason
	}
	if raw.ProductRating == "" {
		return rating, NoRating
	}
	hundredths, exact, err := ParseHundredths(raw.ProductRating)
	switch {
	case err != nil || hundredths < of.lowest() || hundredths > highest:
		return rating, RatingOutOfRange
	case !exact || int32(hundredths)%of.Hundredths() != 0:
		return rating, RatingTooPrecise
	}
	rating.CustomerNumber, rating.Rating = int32(customer), int32(hundredths)/of.Hundredths()
	return rating, ""
}

// AppendRest appends the part of a training row after the customer's and the product's: the rating and the customer's
// number.
func (s Shop) AppendRest(row []parquet.Value, rating, customer int32) []parquet.Value {
	return append(row, parquet.Int32Value(rating).Level(0, 0, len(s)), parquet.Int32Value(customer).Level(0, 0, len(s)+1))
}

func trimmed(text string) string { return strings.TrimSpace(text) }

// flawIn returns why Parquet, PostgreSQL or JSON cannot carry one of the texts, or "". Neither of the first two takes
// bytes that are no UTF-8, and PostgreSQL takes no NUL.
func flawIn(texts ...string) Reason {
	for _, text := range texts {
		switch {
		case !utf8.ValidString(text):
			return TextNotUTF8
		case strings.IndexByte(text, 0) >= 0:
			return TextWithNUL
		case utf8.RuneCountInString(text) > lake.MaxText:
			return TextTooLong
		}
	}
	return ""
}
