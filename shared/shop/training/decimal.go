package training

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

var (
	errNoNumber = errors.New("not a decimal number")
	errTooLarge = errors.New("too large")
)

// ParseHundredths reads the text of a number as hundredths, see parseUnits. More than DECIMAL(10,2) holds is an error.
func ParseHundredths(text string) (hundredths int64, exact bool, err error) {
	return parseUnits(text, 10, 2)
}

// parseUnits reads the text of a number, as MySQL writes DECIMAL, FLOAT and DOUBLE, as units of 10^-scale. It rounds
// halves away from zero, as MySQL's ROUND does. Exact reports that nothing was rounded off. More digits than the precision
// (at most 18) are an error.
func parseUnits(text string, precision, scale int) (units int64, exact bool, err error) {
	units, rest, negative, err := scaled(text, scale)
	if err != nil {
		return 0, false, err
	}
	if rest != "" && rest[0] >= '5' {
		units++
	}
	if units >= int64(math.Pow10(precision)) {
		return 0, false, errTooLarge
	}
	if negative {
		units = -units
	}
	return units, isZero(rest), nil
}

// parseQuantity reads the text of a number as a whole number of int32. It rounds up, so that a part of a piece is in stock.
func parseQuantity(text string) (int32, error) {
	quantity, rest, negative, err := scaled(text, 0)
	switch {
	case err != nil:
		return 0, err
	case negative:
		quantity = -quantity
	case !isZero(rest):
		quantity++
	}
	if quantity < math.MinInt32 || quantity > math.MaxInt32 {
		return 0, errTooLarge
	}
	return int32(quantity), nil
}

// maxDigits is how many digits scaled takes: an int64 holds them.
const maxDigits = 18

// scaled reads the text of a number as units of 10^-decimals, without the sign. Rest is the digits after that, which the
// caller rounds by.
func scaled(text string, decimals int) (units int64, rest string, negative bool, err error) {
	negative, digits, exponent, err := split(text)
	if err != nil || digits == "" {
		return 0, "", false, err
	}
	switch length := len(digits) + exponent + decimals; {
	case length > maxDigits:
		return 0, "", negative, errTooLarge
	case length < 0:
		return 0, "0" + digits, negative, nil
	case length <= len(digits):
		digits, rest = digits[:length], digits[length:]
	default:
		digits += strings.Repeat("0", length-len(digits))
	}
	for _, digit := range []byte(digits) {
		units = units*10 + int64(digit-'0')
	}
	return units, rest, negative, nil
}

// split parts a number into its sign, its digits without leading zeros, and the power of ten that they are multiplied by.
func split(text string) (negative bool, digits string, exponent int, err error) {
	text, negative = strings.CutPrefix(text, "-")
	if !negative {
		text = strings.TrimPrefix(text, "+")
	}
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		if exponent, err = strconv.Atoi(text[at+1:]); err != nil || exponent < -1000 || exponent > 1000 {
			return false, "", 0, errNoNumber
		}
		text = text[:at]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	digits = whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return false, "", 0, errNoNumber
	}
	return negative, strings.TrimLeft(digits, "0"), exponent - len(fraction), nil
}

func isZero(digits string) bool { return strings.Trim(digits, "0") == "" }
