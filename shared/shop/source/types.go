package source

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"recsys/shared/contract/shape"
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

// family groups the types that a query's result may have by the text that the server sends.
type family int

const (
	others    family = iota // as TIME and GEOMETRY
	wholes                  // an integer type, YEAR, or DECIMAL without decimals
	bits                    // BIT comes as bytes
	decimals                // DECIMAL
	doubles                 // FLOAT or DOUBLE
	words                   // a text type, ENUM, SET or JSON
	octets                  // BINARY, VARBINARY or a BLOB type. A bare NULL is one too
	dates                   // DATE
	datetimes               // DATETIME carries no time zone
	instants                // TIMESTAMP comes in the session's time zone, which is UTC
)

var families = map[string]family{
	"TINYINT": wholes, "SMALLINT": wholes, "MEDIUMINT": wholes, "INT": wholes, "BIGINT": wholes, "YEAR": wholes,
	"BIT": bits, "DECIMAL": decimals, "FLOAT": doubles, "DOUBLE": doubles,
	"CHAR": words, "VARCHAR": words, "TINYTEXT": words, "TEXT": words, "MEDIUMTEXT": words, "LONGTEXT": words,
	"ENUM": words, "SET": words, "JSON": words,
	"BINARY": octets, "VARBINARY": octets, "TINYBLOB": octets, "BLOB": octets, "MEDIUMBLOB": octets, "LONGBLOB": octets, "NULL": octets,
	"DATE": dates, "DATETIME": datetimes, "TIMESTAMP": instants,
}

// field is a column of a query's result.
type field struct {
	name   string
	server string // the server's type, as "UNSIGNED BIGINT"
	family family
	// digits and scale are those of DECIMAL.
	digits, scale int64
}

func fieldOf(t *sql.ColumnType) field {
	f := field{name: t.Name(), server: t.DatabaseTypeName()}
	f.family = families[strings.TrimPrefix(f.server, "UNSIGNED ")]
	if f.family == decimals {
		f.digits, f.scale, _ = t.DecimalSize()
		if f.scale == 0 {
			f.family = wholes
		}
	}
	return f
}

func (f field) number() bool {
	return f.family == wholes || f.family == bits || f.family == decimals || f.family == doubles
}

// int32 reports whether int32 holds all values.
func (f field) int32() bool {
	switch f.server {
	case "UNSIGNED INT", "BIGINT", "UNSIGNED BIGINT", "BIT":
		return false
	case "DECIMAL":
		return f.digits < 10
	}
	return f.family == wholes
}

// maxDigits is the number of decimal digits that int64 holds.
const maxDigits = 18

// numeric returns the type of a feature that is a number. DECIMAL of many digits, as SUM returns it, keeps its decimals.
func (f field) numeric() shape.Type {
	switch {
	case f.family == doubles, f.family == decimals && f.scale > maxDigits/2 && f.digits > maxDigits:
		return shape.Double
	case f.family == decimals:
		return shape.Type(fmt.Sprintf("decimal(%d,%d)", min(f.digits, maxDigits), f.scale))
	case f.int32():
		return shape.Int
	default:
		return shape.BigInt
	}
}

// id returns the type of ids in such a column, or "" if none can be.
func (f field) id() shape.Type {
	switch {
	case f.family == wholes && f.int32():
		return shape.Int
	case f.family == wholes:
		return shape.BigInt
	case f.family == words, f.family == octets && f.server != "NULL":
		return shape.Text
	}
	return ""
}
