// Package source reads the shop's MySQL: its schema, how its ratings spread over customers, and the rows of a
// range of customers in one consistent snapshot.
//
// The SQL is the common subset of MySQL 8 and MariaDB. Text arrives as UTF-8 for any character set of the tables.
// Numbers arrive as MySQL's text, so that none wraps or is rounded here. Failures are failure.SchemaMismatch where a
// table or column is not as Wanted says, and failure.SourceUnavailable otherwise.
package source

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-sql-driver/mysql"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
)

// Database is the shop's database. Safe for concurrent use, because each call takes a connection of its own.
type Database struct {
	pool *sql.DB
}

const (
	connectTimeout = 10 * time.Second
	// silence is how long the server may take for the next rows: a sort without an index is slow, not dead.
	silence = 5 * time.Minute
)

// Open prepares connections and dials none. Settings that cannot be read are failure.InvalidInput, without the DSN's
// text, for it may hold a password.
func Open(ctx context.Context, s settings.Source) (*Database, error) {
	config, err := Configure(ctx, s)
	if err != nil {
		return nil, err
	}
	if config.DBName == "" {
		return nil, failure.Invalidf("the source's DSN names no database")
	}
	if err := config.Apply(mysql.Charset("utf8mb4", "utf8mb4_general_ci")); err != nil {
		return nil, failure.Invalidf("the source's DSN: %w", err)
	}
	if config.Timeout == 0 {
		config.Timeout = connectTimeout
	}
	if config.ReadTimeout == 0 {
		config.ReadTimeout = silence
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, failure.Invalidf("the source's DSN: %w", err)
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(1) // a function works on one range at a time: the plan counts connections
	pool.SetConnMaxIdleTime(time.Minute)
	return &Database{pool}, nil
}

// Close closes the connections.
func (d *Database) Close() error { return d.pool.Close() }

// Survey holds the facts about the source that planning needs.
type Survey struct {
	Shop         shape.Shop // with all types
	Interactions int64
	Customers    int64 // with interactions
	Products     int64
	Warnings     []string // in words
}

// Survey checks the source against the shop and counts. It visits each customer's key with the number of interactions,
// in ascending order. Interactions without a customer come first, with the key nil.
func (d *Database) Survey(ctx context.Context, shop shape.Shop, visit func(key *string, interactions int64)) (found Survey, err error) {
	err = d.Snapshot(ctx, shop, func(s *Snapshot) error {
		found.Shop = s.Shop()
		if found.Products, err = s.count(ctx, "products"); err != nil {
			return err
		}
		return s.counts(ctx, func(key *string, interactions int64) {
			found.Interactions += interactions
			if key != nil {
				found.Customers++
			}
			visit(key, interactions)
		})
	})
	return found, err
}
