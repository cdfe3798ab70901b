package source

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
)

// Snapshot is the database at one moment, unaffected by later writes.
type Snapshot struct {
	connection *sql.Conn
	shop       shape.Shop
	queries    queries
	tables     tables
}

// Snapshot opens a consistent, read-only snapshot for the time of read, and checks the source against the shop.
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
		"SET SESSION time_zone = '+00:00'",
		"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
	} {
		if _, err := connection.ExecContext(ctx, statement); err != nil {
			return wrap("opening a snapshot of the source", err)
		}
	}
	s, err := openSnapshot(ctx, connection, shop)
	if err == nil {
		err = read(s)
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

func openSnapshot(ctx context.Context, connection *sql.Conn, shop shape.Shop) (*Snapshot, error) {
	open := openFile
	if shop.IsLab() {
		open = openLab
	}
	shop, q, t, err := open(ctx, connection, shop)
	return &Snapshot{connection, shop, q, t}, err
}

// openFile returns the shop of a shop file with its types, and its tables.
func openFile(ctx context.Context, connection *sql.Conn, shop shape.Shop) (shape.Shop, queries, tables, error) {
	q, err := prepareAll(ctx, connection, shop, shop.Source)
	if err != nil {
		return shop, q, tables{}, err
	}
	if shop, err = check(shop, q); err != nil {
		return shop, q, tables{}, err
	}
	compared, err := comparisonOf(ctx, connection, shop, q)
	if err != nil {
		return shop, q, tables{}, err
	}
	t, err := tablesOf(shop, q, compared)
	return shop, q, t, err
}

// Shop returns the shop with the types that the source has.
func (s *Snapshot) Shop() shape.Shop { return s.shop }

// Interactions streams the range's interactions: customer, product, and the shop's columns of interactions. All rows of a
// customer are neighbours, those without a customer come first. The order is the same for every attempt: customer,
// product, time, type, the highest rating first. A row is valid during the call.
//
// It is one cursor in key order, not pages. A page's "after this key" would skip NULLs and cut through equal keys of
// a table without its primary key, and those have to reach the quarantine.
func (s *Snapshot) Interactions(ctx context.Context, span workflow.Range, visit func(training.Raw) error) error {
	return s.stream(ctx, s.tables.interactions, span, visit)
}

// Customers streams the range's customers, with or without interactions, by ascending id: id and the shop's columns. A
// row is valid during the call.
func (s *Snapshot) Customers(ctx context.Context, span workflow.Range, visit func(training.Raw) error) error {
	return s.stream(ctx, s.tables.customers, span, visit)
}

// Products streams all products by ascending id: id and the shop's columns. A row is valid during the call.
func (s *Snapshot) Products(ctx context.Context, visit func(training.Raw) error) error {
	return s.stream(ctx, s.tables.products, workflow.Range{}, visit)
}

func (s *Snapshot) stream(ctx context.Context, t table, span workflow.Range, visit func(training.Raw) error) error {
	if len(t.branches) == 0 { // the shop lists no customers, or no products
		return nil
	}
	statement, err := t.statement(span)
	if err != nil {
		return err
	}
	return query(ctx, s.connection, t.visitor(visit), t.doing, statement)
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
