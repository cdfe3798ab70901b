package source

import (
	"slices"
	"strings"
)

// Kind is the kind of value that a column's type must carry.
type Kind string

const (
	Whole  Kind = "an integer type, or DECIMAL without decimals"
	Number Kind = "an integer type, DECIMAL, FLOAT or DOUBLE"
	Text   Kind = "CHAR, VARCHAR, a TEXT type, ENUM or an integer type"
)

var (
	integers = []string{"tinyint", "smallint", "mediumint", "int", "bigint"}
	floats   = []string{"float", "double"}
	texts    = []string{"char", "varchar", "varbinary", "tinytext", "text", "mediumtext", "longtext", "enum", "uuid"}
)

// columnType is a full type in lower case, such as "decimal(10,2)" or "bigint(20) unsigned".
type columnType string

func (t columnType) base() string {
	base, _, _ := strings.Cut(string(t), "(")
	base, _, _ = strings.Cut(base, " ")
	return base
}

// whole reports whether all values are whole numbers.
func (t columnType) whole() bool {
	return slices.Contains(integers, t.base()) || t.base() == "decimal" && strings.Contains(string(t), ",0)")
}

func (t columnType) number() bool {
	return t.whole() || t.base() == "decimal" || slices.Contains(floats, t.base())
}

func (k Kind) carries(t columnType) bool {
	switch k {
	case Whole:
		return t.whole()
	case Number:
		return t.number()
	default:
		return t.whole() || slices.Contains(texts, t.base())
	}
}
