package training

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/shape"
)

// parse reads the text of a value as the column's type. It returns false for a text that does not fit. "" is NULL. A text
// comes trimmed.
func parse(c shape.Column, text string) (parquet.Value, bool) {
	if text == "" {
		return parquet.NullValue(), true
	}
	switch c.Type {
	case shape.Int, shape.BigInt:
		return parseWhole(c, text)
	case shape.Double:
		number, err := strconv.ParseFloat(text, 64)
		return parquet.DoubleValue(number), err == nil && !math.IsNaN(number) && !math.IsInf(number, 0)
	case shape.Timestamp:
		at, err := ParseTime(text)
		return parquet.Int64Value(at.UnixMilli()), err == nil
	}
	if precision, scale, decimal := digitsOf(c.Type); decimal {
		return parseDecimal(text, precision, scale)
	}
	return parquet.ValueOf(text), true
}

// parseWhole reads a whole number. A stock is rounded up. Availability may be a truth value.
func parseWhole(c shape.Column, text string) (parquet.Value, bool) {
	if c.Role == shape.Availability {
		switch strings.ToLower(text) {
		case "true", "yes", "t", "y":
			text = "1"
		case "false", "no", "f", "n":
			text = "0"
		}
	}
	if c.Role == shape.Stock {
		pieces, err := parseQuantity(text)
		if c.Type == shape.BigInt {
			return parquet.Int64Value(int64(pieces)), err == nil
		}
		return parquet.Int32Value(pieces), err == nil
	}
	number, rest, negative, err := scaled(text, 0)
	if negative {
		number = -number
	}
	fits := err == nil && isZero(rest)
	if c.Type == shape.BigInt {
		if number, err := strconv.ParseInt(text, 10, 64); err == nil {
			return parquet.Int64Value(number), true
		}
		return parquet.Int64Value(number), fits
	}
	return parquet.Int32Value(int32(number)), fits && number >= math.MinInt32 && number <= math.MaxInt32
}

// parseDecimal reads a decimal. It rounds halves away from zero, as MySQL's ROUND does.
func parseDecimal(text string, precision, scale int) (parquet.Value, bool) {
	if precision > 18 {
		return parseWide(text, precision, scale)
	}
	units, _, err := parseUnits(text, precision, scale)
	if precision <= 9 {
		return parquet.Int32Value(int32(units)), err == nil
	}
	return parquet.Int64Value(units), err == nil
}

// parseWide reads a decimal of more than 18 digits: a big-endian number in two's complement.
func parseWide(text string, precision, scale int) (parquet.Value, bool) {
	negative, digits, exponent, err := split(text)
	if err != nil || len(digits)+exponent+scale > precision {
		return parquet.NullValue(), false
	}
	units, _ := new(big.Int).SetString("0"+digits, 10)
	ten, shift := big.NewInt(10), exponent+scale
	switch {
	case shift >= 0:
		units.Mul(units, new(big.Int).Exp(ten, big.NewInt(int64(shift)), nil))
	default:
		divisor := new(big.Int).Exp(ten, big.NewInt(int64(-shift)), nil)
		units.Add(units, new(big.Int).Rsh(divisor, 1)).Quo(units, divisor)
	}
	if units.Cmp(new(big.Int).Exp(ten, big.NewInt(int64(precision)), nil)) >= 0 {
		return parquet.NullValue(), false
	}
	if negative && units.Sign() != 0 {
		units.Neg(units).Add(units, new(big.Int).Lsh(big.NewInt(1), 8*wideDecimal))
	}
	return parquet.FixedLenByteArrayValue(units.FillBytes(make([]byte, wideDecimal))), true
}

// ParseTime reads a time as raw files have it: UTC, to the microsecond.
func ParseTime(text string) (time.Time, error) { return time.Parse("2006-01-02 15:04:05.999999", text) }
