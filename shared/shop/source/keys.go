package source

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/workflow"
)

// comparison says how MySQL compares the keys of customers. All queries of a shop have the same.
//
// The bounds of ranges are values that MySQL returned, or their first letters. Every constant cuts the keys in two, as
// long as all queries compare them alike.
type comparison struct {
	family family // wholes, words or octets
	// bytewise compares texts by their bytes, because the queries' columns differ in collation. No index helps then.
	bytewise bool
	// letters is the number of letters of a key that may leave the database.
	letters int
}

const (
	// boundLetters keeps a plan of long keys small.
	boundLetters = 40
	// hashedLetters are too few to recognise an e-mail address by.
	hashedLetters = 3
)

var wholeNumber = regexp.MustCompile(`^-?[0-9]{1,65}$`)

// of returns the expression that compares a key's column.
func (c comparison) of(column string) string {
	if c.bytewise {
		return "CONVERT(" + column + " USING utf8mb4) COLLATE utf8mb4_bin"
	}
	return column
}

// bound returns the expression of a bound for a key that the expression gives.
func (c comparison) bound(key string) string {
	switch c.family {
	case words:
		return fmt.Sprintf("LEFT(%s, %d)", key, c.letters)
	case octets:
		return "CONCAT('0x', HEX(" + key + "))"
	}
	return key
}

// literal returns a bound as SQL. It is the only text from outside that a statement takes, so it is digits alone.
func (c comparison) literal(bound string) (string, error) {
	switch c.family {
	case words:
		return "_utf8mb4 X'" + hex.EncodeToString([]byte(bound)) + "'", nil
	case octets:
		digits, marked := strings.CutPrefix(bound, "0x")
		if _, err := hex.DecodeString(digits); err == nil && marked {
			return "X'" + digits + "'", nil
		}
	default:
		if wholeNumber.MatchString(bound) {
			return bound, nil
		}
	}
	return "", failure.Invalidf("the bound %.40q of a range does not fit the customers' keys: start a new run", bound)
}

// within returns the condition of a range on a key's column. Rows without a key belong to the first range, so that none
// is lost.
func (c comparison) within(column string, span workflow.Range) (string, error) {
	var conditions []string
	if span.After != nil {
		literal, err := c.literal(*span.After)
		if err != nil {
			return "", err
		}
		conditions = append(conditions, c.of(column)+" > "+literal)
	}
	if span.UpTo != nil {
		literal, err := c.literal(*span.UpTo)
		if err != nil {
			return "", err
		}
		conditions = append(conditions, c.of(column)+" <= "+literal)
	}
	switch {
	case len(conditions) == 0:
		return "TRUE", nil
	case span.After == nil:
		return "(" + conditions[0] + " OR " + column + " IS NULL)", nil
	default:
		return "(" + strings.Join(conditions, " AND ") + ")", nil
	}
}
