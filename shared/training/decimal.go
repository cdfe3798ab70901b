package training

import "fmt"

// limit is the first number of hundredths that DECIMAL(10,2) cannot hold.
const limit = 10_000_000_000

// ParseDecimal reads the text of a number as hundredths. What DECIMAL(10,2) cannot hold exactly is an error;
// zeros after the second decimal are no loss.
func ParseDecimal(text string) (hundredths int64, err error) {
	digits, negative := text, false
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		digits, negative = digits[1:], digits[0] == '-'
	}
	decimals := -1 // none until the point
	seen := 0
	for _, c := range []byte(digits) {
		switch {
		case c == '.' && decimals < 0:
			decimals = 0
		case c < '0' || c > '9':
			return 0, fmt.Errorf("not a decimal number")
		case decimals >= 2 && c != '0':
			return 0, fmt.Errorf("more than two decimals")
		case decimals >= 2:
			seen++
		default:
			hundredths = hundredths*10 + int64(c-'0')
			seen++
			if decimals >= 0 {
				decimals++
			}
			if hundredths >= limit {
				return 0, fmt.Errorf("does not fit DECIMAL(10,2)")
			}
		}
	}
	if seen == 0 {
		return 0, fmt.Errorf("not a decimal number")
	}
	for range 2 - max(0, min(decimals, 2)) {
		hundredths *= 10
	}
	if hundredths >= limit {
		return 0, fmt.Errorf("does not fit DECIMAL(10,2)")
	}
	if negative {
		hundredths = -hundredths
	}
	return hundredths, nil
}
