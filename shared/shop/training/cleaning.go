package training

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
)

// clean makes the values of a customer's or a product's columns. A text is trimmed. The reason is the first that the
// columns have: of a text that no file can carry, of a missing text, of a missing number, of a value that does not fit.
func clean(columns []shape.Column, raw Raw, bad Reason) ([]parquet.Value, Reason) {
	texts := make([]string, len(columns))
	for i, column := range columns {
		texts[i] = raw[i]
		if texts[i] == "" {
			continue
		}
		if texts[i] = Trimmed(texts[i]); column.Type != shape.Text {
			continue
		}
		if reason := flawIn(texts[i]); reason != "" {
			return nil, reason
		}
	}
	values := make([]parquet.Value, 0, len(columns))
	var missingText, missingNumber, misfit Reason
	for i, column := range columns {
		value, fits := parse(column, texts[i])
		switch {
		case texts[i] == "" && column.Type == shape.Text:
			missingText = cmp.Or(missingText, Reason(column.Missing))
		case texts[i] == "":
			missingNumber = cmp.Or(missingNumber, Reason(column.Missing))
		case !fits:
			misfit = cmp.Or(misfit, Reason(column.Bad), bad)
		}
		values = append(values, value)
	}
	return values, cmp.Or(missingText, missingNumber, misfit)
}

// level gives a value its column in a file.
func level(value parquet.Value, column shape.Column, index int) parquet.Value {
	defined := 0
	if Optional(column) && !value.IsNull() {
		defined = 1
	}
	return value.Level(0, defined, index)
}

// CleanCustomer makes the customer's part of a training row.
func CleanCustomer(shop shape.Shop, raw Raw) ([]parquet.Value, Reason) {
	values, reason := clean(shop.CustomerColumns, raw[1:], BadCustomer)
	for i := range values {
		values[i] = level(values[i], shop.CustomerColumns[i], i)
	}
	return values, reason
}

// Trimmed returns a text without the blanks around it.
func Trimmed(text string) string { return strings.TrimSpace(text) }

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
