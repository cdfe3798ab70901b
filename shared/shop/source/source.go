// Package source reads the shop's MySQL: the types of its columns, how its interactions spread over customers, and the
// rows of a range of customers in one consistent snapshot.
//
// A shop file's queries say which rows those are. The lab's three tables are read by queries that are made of their
// schema, so there is one way of reading. A Survey checks and counts, a Snapshot reads, and an Inspection does both for
// people.
//
// The SQL is the common subset of MySQL 8 and MariaDB. Text arrives as UTF-8 for any character set of the tables.
// Numbers arrive as MySQL's text, so that none wraps or is rounded here. MySQL alone compares the keys of customers.
// Failures are failure.SchemaMismatch if the source does not fit the shop, and failure.SourceUnavailable otherwise.
package source

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-sql-driver/mysql"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/settings"
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
	// Values come as MySQL's texts, and one statement is one SELECT, whatever the DSN asks for.
	config.ParseTime, config.MultiStatements, config.ColumnsWithAlias = false, false, false
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
