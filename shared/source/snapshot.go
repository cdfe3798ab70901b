package source

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strconv"

	"recsys/shared/training"
	"recsys/shared/workflow"
)

// Snapshot is the database at one moment, whatever is written meanwhile.
type Snapshot struct{ connection *sql.Conn }

// Snapshot opens a consistent, read-only snapshot for the time of read.
func (d *Database) Snapshot(ctx context.Context, read func(*Snapshot) error) error {
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
	if err := read(&Snapshot{connection}); err != nil {
		// Hanging up ends the transaction too; to keep the connection, one would have to ask whether it still works.
		_ = connection.Raw(func(any) error { return driver.ErrBadConn })
		return err
	}
	if _, err := connection.ExecContext(ctx, "COMMIT"); err != nil {
		return wrap("closing the snapshot of the source", err)
	}
	return nil
}

// Ratings streams the range's ratings in the order of the primary key, NULLs first.
//
// One cursor in key order, not pages: a page's "after this key" would skip NULLs and cut through equal keys
// of a table without its primary key, and those have to reach the quarantine.
func (s *Snapshot) Ratings(ctx context.Context, span workflow.Range, visit func(training.RawRating) error) error {
	codes := interner{}
	return s.stream(ctx, "ratings", "SELECT customerNumber, productCode, productRating FROM ratings WHERE "+
		within(span)+" ORDER BY customerNumber, productCode", 3, func(row []sql.RawBytes) error {
		customer, err := integer(row[0])
		if err != nil {
			return err
		}
		rating, err := integer(row[2])
		if err != nil {
			return err
		}
		return visit(training.RawRating{CustomerNumber: customer, ProductCode: codes.text(row[1]), ProductRating: rating})
	})
}

// Customers streams the range's customers, with or without ratings, by ascending number.
func (s *Snapshot) Customers(ctx context.Context, span workflow.Range, visit func(training.RawCustomer) error) error {
	return s.stream(ctx, "customers", "SELECT customerNumber, city, state, postalCode, country, creditLimit "+
		"FROM customers WHERE "+within(span)+" ORDER BY customerNumber", 6, func(row []sql.RawBytes) error {
		number, err := integer(row[0])
		if err != nil {
			return err
		}
		return visit(training.RawCustomer{
			CustomerNumber: number, City: string(row[1]), State: string(row[2]),
			PostalCode: string(row[3]), Country: string(row[4]), CreditLimit: string(row[5]),
		})
	})
}

// Products streams all products by ascending code.
func (s *Snapshot) Products(ctx context.Context, visit func(training.RawProduct) error) error {
	return s.stream(ctx, "products", "SELECT productCode, productLine, productScale, quantityInStock, buyPrice, MSRP "+
		"FROM products ORDER BY productCode", 6, func(row []sql.RawBytes) error {
		return visit(training.RawProduct{
			ProductCode: string(row[0]), ProductLine: string(row[1]), ProductScale: string(row[2]),
			QuantityInStock: string(row[3]), BuyPrice: string(row[4]), MSRP: string(row[5]),
		})
	})
}

// stream hands each row's bytes to visit; they are valid during the call.
func (s *Snapshot) stream(ctx context.Context, table, query string, columns int, visit func([]sql.RawBytes) error) error {
	rows, err := s.connection.QueryContext(ctx, query)
	if err != nil {
		return wrap("reading "+table, err)
	}
	defer rows.Close()
	row, targets := make([]sql.RawBytes, columns), make([]any, columns)
	for i := range row {
		targets[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return wrap("reading "+table, err)
		}
		if err := visit(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return wrap("reading "+table, err)
	}
	return nil
}

// within is the condition of a range. Rows without a customer belong to the first one, so that none is lost.
func within(span workflow.Range) string {
	switch {
	case span.First == nil && span.Last == nil:
		return "TRUE"
	case span.First == nil:
		return fmt.Sprintf("(customerNumber <= %d OR customerNumber IS NULL)", *span.Last)
	case span.Last == nil:
		return fmt.Sprintf("customerNumber >= %d", *span.First)
	default:
		return fmt.Sprintf("customerNumber BETWEEN %d AND %d", *span.First, *span.Last)
	}
}

func integer(text sql.RawBytes) (*int64, error) {
	if text == nil {
		return nil, nil
	}
	value, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("reading an integer column: %w", err)
	}
	return &value, nil
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
