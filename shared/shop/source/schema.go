package source

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/shape"
)

// Column is a column that the extraction reads.
type Column struct {
	Table, Name string
	Kind        Kind
}

// The lab's tables.
const (
	ratingTable   = "ratings"
	customerTable = "customers"
	productTable  = "products"
)

// Wanted returns the columns that the extraction reads of the lab's three tables. The source may have more.
func Wanted() []Column {
	lab := shape.Lab
	wanted := []Column{{ratingTable, lab.Customer.Name, Whole}, {ratingTable, lab.Product.Name, Text}}
	wanted = append(wanted, columnsOf(ratingTable, lab.InteractionColumns)...)
	wanted = append(append(wanted, Column{customerTable, lab.Customer.Name, Whole}), columnsOf(customerTable, lab.CustomerColumns)...)
	return append(append(wanted, Column{productTable, lab.Product.Name, Text}), columnsOf(productTable, lab.ProductColumns)...)
}

func columnsOf(table string, columns []shape.Column) []Column {
	var wanted []Column
	for _, column := range columns {
		kind := Number
		if column.Type == shape.Text {
			kind = Text
		}
		wanted = append(wanted, Column{table, column.Name, kind})
	}
	return wanted
}

// labTable is a table or a view as the server spells and types it.
type labTable struct {
	name    string
	columns map[string]columnType // by lower-case name: MySQL's column names have no case
	// unique reports that no two rows have the same customerNumber and productCode. Of a view nothing is known.
	unique bool
}

// schema holds the wanted tables by the names that Wanted has.
type schema map[string]labTable

// stars returns the type of productRating.
func (s schema) stars() shape.Type {
	if s[ratingTable].columns["productrating"].whole() {
		return shape.Int
	}
	return Fractional
}

// Fractional is the type of ratings with decimals. Half a star is the least that shops have.
const Fractional shape.Type = "decimal(3,2)"

// from returns a table's name for a statement.
func (s schema) from(table string) string {
	return quote(s[table].name)
}

// readSchema reads the schema and compares it with Wanted. The failure.SchemaMismatch names every table and column that
// is missing or of a type that cannot be read exactly.
func readSchema(ctx context.Context, connection *sql.Conn) (schema, error) {
	names, err := tableNames(ctx, connection)
	if err != nil {
		return nil, err
	}
	found, faults := schema{}, []error{}
	for _, want := range Wanted() {
		if _, seen := found[want.Table]; !seen {
			of, err := findTable(ctx, connection, names, want.Table)
			if err != nil && !errors.As(err, new(missing)) {
				return nil, err
			}
			if err != nil {
				faults = append(faults, err)
			}
			found[want.Table] = of
		}
		if err := want.check(found[want.Table]); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return nil, failure.SchemaMismatch.Errorf("the source's schema: %w", errors.Join(faults...))
	}
	return found, nil
}

// check returns the fault of the column in its table. A table that is missing is reported elsewhere.
func (c Column) check(in labTable) error {
	kind, ok := in.columns[strings.ToLower(c.Name)]
	switch {
	case in.columns == nil:
		return nil
	case !ok:
		return fmt.Errorf("column %s.%s is missing: want %s", in.name, c.Name, c.Kind)
	case !c.Kind.carries(kind):
		return fmt.Errorf("column %s.%s is %s: want %s", in.name, c.Name, kind, c.Kind)
	}
	return nil
}

// missing is a table that is not there, or not clearly.
type missing struct{ reason string }

func (m missing) Error() string { return m.reason }

// findTable finds a table exactly first, else the only one that differs in case: on Linux MySQL tells table names apart
// by case, and shops spell them in capitals.
func findTable(ctx context.Context, connection *sql.Conn, names []string, want string) (labTable, error) {
	var alike []string
	for _, name := range names {
		if name == want {
			alike = []string{name}
			break
		}
		if strings.EqualFold(name, want) {
			alike = append(alike, name)
		}
	}
	switch len(alike) {
	case 0:
		return labTable{}, missing{fmt.Sprintf("table %s is missing", want)}
	case 1:
		return readTable(ctx, connection, alike[0])
	default:
		return labTable{}, missing{fmt.Sprintf("table %s could be any of %s: rename all but one", want, strings.Join(alike, ", "))}
	}
}

func tableNames(ctx context.Context, connection *sql.Conn) (names []string, err error) {
	err = query(ctx, connection, func(row []sql.RawBytes) error {
		names = append(names, string(row[0]))
		return nil
	}, "reading the names of the source's tables", "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
	return names, err
}

// readTable reads a table's columns and whether its key is unique. A view that is broken has no columns, and the server
// says why when it is read.
func readTable(ctx context.Context, connection *sql.Conn, name string) (labTable, error) {
	const doing = "reading the source's schema"
	found := labTable{name: name, columns: map[string]columnType{}}
	err := query(ctx, connection, func(row []sql.RawBytes) error {
		if string(row[0]) == name { // the comparison in SQL ignores case
			found.columns[strings.ToLower(string(row[1]))] = columnType(strings.ToLower(string(row[2])))
		}
		return nil
	}, doing, "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS "+
		"WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?", name)
	if err != nil {
		return found, err
	}
	if len(found.columns) == 0 {
		nothing := func([]sql.RawBytes) error { return nil }
		return found, query(ctx, connection, nothing, "reading "+name, "SELECT 1 FROM "+schema{name: found}.from(name)+" LIMIT 0")
	}
	indexes := map[string]map[string]bool{}
	err = query(ctx, connection, func(row []sql.RawBytes) error {
		if string(row[0]) == name {
			index := string(row[1])
			if indexes[index] == nil {
				indexes[index] = map[string]bool{}
			}
			indexes[index][strings.ToLower(string(row[2]))] = true
		}
		return nil
	}, doing, "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS "+
		"WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND NON_UNIQUE = 0", name)
	for _, index := range indexes {
		found.unique = found.unique || len(index) == 2 && index["customernumber"] && index["productcode"]
	}
	return found, err
}
