package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"recsys/shared/failure"
)

// Kind is what a column's type must be able to carry exactly.
type Kind string

const (
	Integer Kind = "an integer type, signed or at most INT UNSIGNED"
	Decimal Kind = "DECIMAL or an integer type (floats are not exact)"
	Text    Kind = "CHAR, VARCHAR or a TEXT type"
)

var (
	integers = []string{"tinyint", "smallint", "mediumint", "int", "bigint"}
	texts    = []string{"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum"}
)

// Column is a column that the extraction reads.
type Column struct {
	Table, Name string
	Kind        Kind
}

// Wanted are the columns that the extraction reads; the source may have more.
var Wanted = []Column{
	{"ratings", "customerNumber", Integer}, {"ratings", "productCode", Text}, {"ratings", "productRating", Integer},
	{"customers", "customerNumber", Integer}, {"customers", "city", Text}, {"customers", "state", Text},
	{"customers", "postalCode", Text}, {"customers", "country", Text}, {"customers", "creditLimit", Decimal},
	{"products", "productCode", Text}, {"products", "productLine", Text}, {"products", "productScale", Text},
	{"products", "quantityInStock", Integer}, {"products", "buyPrice", Decimal}, {"products", "MSRP", Decimal},
}

// CheckSchema compares the source with Wanted; the failure.SchemaMismatch names every table and column that
// is missing or of a type that cannot be read exactly.
func (d *Database) CheckSchema(ctx context.Context) error {
	columns, err := d.columns(ctx)
	if err != nil {
		return err
	}
	var faults []error
	missing := map[string]bool{}
	for _, want := range Wanted {
		table, ok := columns[want.Table]
		if !ok {
			if !missing[want.Table] {
				faults = append(faults, fmt.Errorf("table %s is missing", want.Table))
			}
			missing[want.Table] = true
			continue
		}
		switch found, ok := table[strings.ToLower(want.Name)]; {
		case !ok:
			faults = append(faults, fmt.Errorf("column %s.%s is missing: want %s", want.Table, want.Name, want.Kind))
		case !want.Kind.carries(found):
			faults = append(faults, fmt.Errorf("column %s.%s is %s: want %s", want.Table, want.Name, found, want.Kind))
		}
	}
	if len(faults) > 0 {
		return failure.SchemaMismatch{Err: fmt.Errorf("the source's schema: %w", errors.Join(faults...))}
	}
	return nil
}

// columns are the full types by table and lower-case name: MySQL's column names have no case.
func (d *Database) columns(ctx context.Context) (map[string]map[string]string, error) {
	const doing = "reading the source's schema"
	rows, err := d.pool.QueryContext(ctx, `SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('ratings', 'customers', 'products')`)
	if err != nil {
		return nil, wrap(doing, err)
	}
	defer rows.Close()
	columns := map[string]map[string]string{}
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			return nil, wrap(doing, err)
		}
		if columns[table] == nil {
			columns[table] = map[string]string{}
		}
		columns[table][strings.ToLower(column)] = strings.ToLower(kind)
	}
	if err := rows.Err(); err != nil {
		return nil, wrap(doing, err)
	}
	return columns, nil
}

// carries takes a full type, as "decimal(10,2)" or "bigint(20) unsigned".
func (k Kind) carries(columnType string) bool {
	base, _, _ := strings.Cut(columnType, "(")
	base, _, _ = strings.Cut(base, " ")
	wide := base == "bigint" && strings.Contains(columnType, "unsigned")
	switch k {
	case Integer:
		return slices.Contains(integers, base) && !wide
	case Decimal:
		return slices.Contains(integers, base) || base == "decimal"
	default:
		return slices.Contains(texts, base)
	}
}
