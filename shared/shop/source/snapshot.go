package source

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
)

// Snapshot is the database at one moment, unaffected by later writes.
type Snapshot struct {
	connection *sql.Conn
	schema     schema
	shop       shape.Shop
}

// Snapshot opens a consistent, read-only snapshot for the time of read, and checks its schema against the shop.
func (d *Database) Snapshot(ctx context.Context, shop shape.Shop, read func(*Snapshot) error) error {
	connection, err := d.pool.Conn(ctx)
	if err != nil {
		return wrap("connecting to the source", err)
	}
	defer connection.Close()
	for _, statement := range []string{
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		// How long the server waits for us to take rows: its default of 60 s is short for a machine that swaps.
		"SET SESSION net_write_timeout = 600",
		"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
	} {
		if _, err := connection.ExecContext(ctx, statement); err != nil {
			return wrap("opening a snapshot of the source", err)
		}
	}
	found, err := readSchema(ctx, connection)
	if err == nil {
		err = read(&Snapshot{connection, found, resolved(shop, found)})
	}
	if err != nil {
		// Hanging up ends the transaction too. To keep the connection, one would have to ask whether it still works.
		_ = connection.Raw(func(any) error { return driver.ErrBadConn })
		return err
	}
	if _, err := connection.ExecContext(ctx, "COMMIT"); err != nil {
		return wrap("closing the snapshot of the source", err)
	}
	return nil
}

// Shop returns the shop with the types that the source has.
func (s *Snapshot) Shop() shape.Shop { return s.shop }

// resolved returns the shop with the type of its ratings.
func resolved(shop shape.Shop, found schema) shape.Shop {
	shop.InteractionColumns = slices.Clone(shop.InteractionColumns)
	for i, column := range shop.InteractionColumns {
		if column.Role == shape.Stars {
			shop.InteractionColumns[i].Type = found.stars()
		}
	}
	return shop
}

// Ratings streams the range's ratings in the order of the primary key, NULLs first. Where no key makes them unique, the
// highest of several ratings of one product comes first, so that every attempt reads them in the same order.
//
// It is one cursor in key order, not pages. A page's "after this key" would skip NULLs and cut through equal keys of
// a table without its primary key, and those have to reach the quarantine.
func (s *Snapshot) Ratings(ctx context.Context, span workflow.Range, visit func(training.Raw) error) error {
	texts, code := interner{}, codeText(s.schema.numericCode("ratings"))
	order := "customerNumber, productCode"
	if !s.schema["ratings"].unique {
		order += ", productRating DESC"
	}
	where, err := within(span)
	if err != nil {
		return err
	}
	return s.stream(ctx, "ratings", "customerNumber, productCode, productRating", where, order, func(row []sql.RawBytes) error {
		return visit(training.Raw{texts.text(digits(row[0])), texts.text(code(row[1])), texts.text(digits(row[2]))})
	})
}

// Customers streams the range's customers, with or without ratings, by ascending number.
func (s *Snapshot) Customers(ctx context.Context, span workflow.Range, visit func(training.Raw) error) error {
	where, err := within(span)
	if err != nil {
		return err
	}
	return s.streamRaw(ctx, customerTable, s.shop.Customer.Name, s.shop.CustomerColumns, where, digits, visit)
}

// Products streams all products by ascending code.
func (s *Snapshot) Products(ctx context.Context, visit func(training.Raw) error) error {
	return s.streamRaw(ctx, productTable, s.shop.Product.Name, s.shop.ProductColumns, "TRUE", codeText(s.schema.numericCode(productTable)), visit)
}

// streamRaw streams rows of customers or products by their key, which becomes text by the function key.
func (s *Snapshot) streamRaw(ctx context.Context, table, id string, columns []shape.Column, where string, key func([]byte) []byte, visit func(training.Raw) error) error {
	names := []string{id}
	for _, column := range columns {
		name := column.Name
		if column.Type == shape.Text {
			name = s.text(table, name)
		}
		names = append(names, name)
	}
	return s.stream(ctx, table, strings.Join(names, ", "), where, id, func(row []sql.RawBytes) error {
		raw := make(training.Raw, len(row))
		raw[0] = string(key(row[0]))
		for i, value := range row[1:] {
			raw[i+1] = string(value)
		}
		return visit(raw)
	})
}

// text is a column whose values are texts. A number becomes one on the server, which knows how the shop shows it.
func (s *Snapshot) text(table, column string) string {
	if s.schema[table].columns[strings.ToLower(column)].whole() {
		return "CAST(" + column + " AS CHAR)"
	}
	return column
}

// stream hands each row's bytes to visit. They are valid during the call.
func (s *Snapshot) stream(ctx context.Context, table, columns, where, order string, visit func([]sql.RawBytes) error) error {
	return query(ctx, s.connection, visit, "reading "+table,
		"SELECT "+columns+" FROM "+s.schema.from(table)+" WHERE "+where+" ORDER BY "+order)
}

// counts visits each customer's key with the number of ratings, in ascending order, NULL first.
func (s *Snapshot) counts(ctx context.Context, visit func(key *string, ratings int64)) error {
	return query(ctx, s.connection, func(row []sql.RawBytes) error {
		ratings, err := strconv.ParseInt(string(row[1]), 10, 64)
		if err != nil {
			return fmt.Errorf("reading a count: %w", err)
		}
		var key *string
		if row[0] != nil {
			text := string(digits(row[0]))
			key = &text
		}
		visit(key, ratings)
		return nil
	}, "counting ratings by customer", "SELECT customerNumber, COUNT(*) FROM "+s.schema.from(ratingTable)+
		" GROUP BY customerNumber ORDER BY customerNumber")
}

// count returns how many rows a table has.
func (s *Snapshot) count(ctx context.Context, table string) (rows int64, err error) {
	err = query(ctx, s.connection, func(row []sql.RawBytes) (err error) {
		rows, err = strconv.ParseInt(string(row[0]), 10, 64)
		return err
	}, "counting "+table, "SELECT COUNT(*) FROM "+s.schema.from(table))
	return rows, err
}

// query hands each row's bytes to visit. They are valid during the call.
func query(ctx context.Context, connection *sql.Conn, visit func([]sql.RawBytes) error, doing, statement string, args ...any) error {
	rows, err := connection.QueryContext(ctx, statement, args...)
	if err != nil {
		return wrap(doing, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return wrap(doing, err)
	}
	row, targets := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range row {
		targets[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return wrap(doing, err)
		}
		if err := visit(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return wrap(doing, err)
	}
	return nil
}

// within returns the condition of a range. Rows without a customer belong to the first one, so that none is lost.
func within(span workflow.Range) (string, error) {
	for _, bound := range []*string{span.After, span.UpTo} {
		if bound != nil && !wholeNumber.MatchString(*bound) {
			return "", failure.Invalidf("range %d has the bound %.40q: want a whole number, as the plan has it", span.Index, *bound)
		}
	}
	switch {
	case span.After == nil && span.UpTo == nil:
		return "TRUE", nil
	case span.After == nil:
		return fmt.Sprintf("(customerNumber <= %s OR customerNumber IS NULL)", *span.UpTo), nil
	case span.UpTo == nil:
		return fmt.Sprintf("customerNumber > %s", *span.After), nil
	default:
		return fmt.Sprintf("customerNumber > %s AND customerNumber <= %s", *span.After, *span.UpTo), nil
	}
}

var wholeNumber = regexp.MustCompile(`^-?[0-9]{1,65}$`)

// codeText returns how a product code becomes text. That of a number is its digits without ZEROFILL's zeros: widths
// differ between tables, and most clients read the number.
func codeText(numeric bool) func([]byte) []byte {
	if numeric {
		return digits
	}
	return func(text []byte) []byte { return text }
}

// digits returns a number without the zeros that ZEROFILL puts before it.
func digits(text []byte) []byte {
	for len(text) > 1 && text[0] == '0' && text[1] != '.' {
		text = text[1:]
	}
	return text
}

// interner gives equal texts one string: a range has many ratings of few products.
type interner map[string]string

const maxInterned = 100_000

func (in interner) text(bytes []byte) string {
	if text, ok := in[string(bytes)]; ok {
		return text
	}
	if len(in) == maxInterned {
		clear(in)
	}
	text := string(bytes)
	in[text] = text
	return text
}
