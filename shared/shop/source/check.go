package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/shape"
)

// Names and types of the columns of interactions that a shop file's queries may have, in the order of raw rows.
var interactionColumns = []struct {
	column shape.Column
	want   string
	fits   func(field) bool
}{
	{shape.Column{Name: "type", Role: shape.Kind, Type: shape.Text}, "a text", func(f field) bool { return f.family == words }},
	{shape.Column{Name: "at", Role: shape.Time, Type: shape.Timestamp},
		"DATETIME, TIMESTAMP, DATE, or an integer of seconds since 1970: CAST(… AS DATETIME)", isTime},
	{shape.Column{Name: "quantity", Role: shape.Quantity, Type: "decimal(12,4)"}, wantNumber, field.number},
	{shape.Column{Name: "value", Role: shape.Value, Type: "decimal(18,4)"}, wantNumber, field.number},
	{shape.Column{Name: "rating", Role: shape.Stars, Type: Fractional}, wantNumber, field.number},
}

const wantNumber = "a number: CAST(… AS DECIMAL(12,4))"

func isTime(f field) bool {
	return f.family == dates || f.family == datetimes || f.family == instants || f.family == wholes
}

// check compares the results of a shop file's queries with the file, and returns the shop with all types. The
// failure.SchemaMismatch names every fault with its line, query and column.
func check(shop shape.Shop, q queries) (shape.Shop, error) {
	c := checker{}
	c.ids(&shop.Customer, q.ranged())
	c.ids(&shop.Product, q.with(q.products))
	shop.InteractionColumns = c.interactions(shop, q.interactions)
	if shop.HasCustomers() {
		shop.CustomerColumns = c.declared(shop.CustomerColumns, q.customers, shop.Customer.Name, rangeKey)
	}
	if shop.HasProducts() {
		shop.ProductColumns = c.declared(shop.ProductColumns, q.products, shop.Product.Name)
	}
	c.keys(shop.Customer.Name, q.ranged())
	if len(c.faults) > 0 {
		return shop, failure.SchemaMismatch.Wrap(errors.Join(c.faults...))
	}
	return shop, nil
}

// checker gathers faults.
type checker struct{ faults []error }

func (c *checker) faultf(p prepared, format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("%s: %w", p.place, fmt.Errorf(format, args...)))
}

// ids finds the type of an id, which is the widest that a query has, if the file does not declare it.
func (c *checker) ids(id *shape.ID, queries []prepared) {
	declared, first, before := id.Type, field{}, prepared{}
	for _, p := range queries {
		f, ok := p.field(id.Name)
		switch found := f.id(); {
		case !ok:
			c.faultf(p, "column %s is missing: name the id with AS %[1]s", id.Name)
		case found == "":
			c.faultf(p, "column %s is %s: want an integer, a text or BINARY(16) as the id", id.Name, f.server)
		case first.family != others && f.family != first.family:
			c.faultf(p, "column %s is %s, and %s in %s: CAST it to one type in both", id.Name, f.server, first.server, before.place)
		case declared.Whole() && !found.Whole():
			c.faultf(p, "column %s is %s, but its id is declared as %s: declare text, or CAST it", id.Name, f.server, declared)
		default:
			first, before = f, p
			if declared == "" && (id.Type == "" || found == shape.BigInt) {
				id.Type = found
			}
		}
	}
}

// interactions returns the columns that at least one query has. A type is always one of them.
func (c *checker) interactions(shop shape.Shop, queries []prepared) (columns []shape.Column) {
	allowed := []string{shop.Customer.Name, shop.Product.Name, rangeKey}
	for _, known := range interactionColumns {
		allowed = append(allowed, known.column.Name)
		found := known.column.Role == shape.Kind
		for _, p := range queries {
			f, ok := p.field(known.column.Name)
			found = found || ok
			if ok && !known.fits(f) {
				c.faultf(p, "column %s is %s: want %s", known.column.Name, f.server, known.want)
			}
		}
		if found {
			columns = append(columns, known.column)
		}
	}
	for _, p := range queries {
		_, typed := p.field(string(shape.Kind))
		switch {
		case !typed && p.Type == "":
			c.faultf(p, "no type: give the query a type, as `type: purchase`, or select a column type")
		case typed && p.Type != "":
			c.faultf(p, "column type, and the type %s of the query: leave one of them out", p.Type)
		}
		c.unknown(p, allowed)
	}
	return columns
}

// declared returns the columns with their types.
func (c *checker) declared(columns []shape.Column, p prepared, also ...string) []shape.Column {
	columns = slices.Clone(columns)
	allowed := also
	for i, column := range columns {
		allowed = append(allowed, column.Name)
		f, ok := p.field(column.Name)
		if !ok {
			c.faultf(p, "column %s is missing: select it, with AS %[1]s if its name is another, or do not declare it", column.Name)
			continue
		}
		found, want := typeFor(column.Role, f)
		if found == "" {
			c.faultf(p, "column %s is %s, and has the role %s: want %s", column.Name, f.server, column.Role, want)
		}
		columns[i].Type = found
	}
	c.unknown(p, allowed)
	return columns
}

// typeFor returns the type of a column with a role, or "" and the types that could have it.
func typeFor(role shape.Role, f field) (t shape.Type, want string) {
	switch role {
	case shape.Category, shape.Remark, shape.Name:
		if f.family != octets && f.family != others {
			return shape.Text, ""
		}
		return "", "a text: CONVERT(… USING utf8mb4), or HEX(…)"
	case shape.Stock, shape.Availability:
		if f.number() {
			return shape.Int, ""
		}
		return "", "a number: CAST(… AS SIGNED), or a comparison as … = 'yes'"
	default:
		if f.number() {
			return f.numeric(), ""
		}
		if isTime(f) {
			return "", "a number: YEAR(…), or DATEDIFF(…, '2020-01-01')"
		}
		return "", "a number: CAST(… AS DECIMAL(12,4)), or another role such as category"
	}
}

// unknown finds columns that nothing reads: mistyped names, or data that should not leave the database.
func (c *checker) unknown(p prepared, allowed []string) {
	for _, f := range p.fields {
		if !slices.ContainsFunc(allowed, func(name string) bool { return strings.EqualFold(name, f.name) }) {
			c.faultf(p, "column %s is none of %s: rename it with AS, declare it, or leave it out", f.name, strings.Join(allowed, ", "))
		}
	}
}

// unordered are texts whose order is not that of their comparison with a text.
var unordered = []string{"ENUM", "SET", "JSON"}

// keys checks that MySQL compares the keys of all queries alike.
func (c *checker) keys(customer string, queries []prepared) {
	first, before := field{}, prepared{}
	for _, p := range queries {
		f, ok := p.field(p.keyColumn(customer))
		switch {
		case !ok: // is a fault already
		case f.family != wholes && f.family != words && f.family != octets, slices.Contains(unordered, f.server):
			c.faultf(p, "column %s is %s: want an integer, a text or BINARY as the key of ranges", f.name, f.server)
		case before.place != "" && f.family != first.family:
			c.faultf(p, "the key of ranges is %s, and %s in %s: select one type AS range_key in both", f.server, first.server, before.place)
		default:
			first, before = f, p
		}
	}
}
