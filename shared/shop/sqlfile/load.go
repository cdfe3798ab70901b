// Package sqlfile loads files of MySQL statements, such as mysqldump writes, into a database.
//
// Promise: memory is bounded by one statement. Errors name lines and hold no data of the file.
package sqlfile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// StatementError is a statement of a file that the server refused. Its text holds no data of the file: the
// server's message, which can hold some, is left to Unwrap.
type StatementError struct {
	Line int // that the statement starts on, from 1
	Err  error
}

// namesOnly are errors whose messages name nothing but databases, tables and columns:
// https://mariadb.com/kb/en/mariadb-error-code-reference/.
var namesOnly = map[uint16]bool{
	1007: true, 1044: true, 1045: true, 1046: true, 1049: true, 1050: true, 1051: true, 1054: true, 1091: true, 1115: true, 1136: true, 1146: true, 1193: true, 1273: true,
}

// syntaxError has a message that quotes the statement.
const syntaxError = 1064

func (e StatementError) Error() string {
	var answered *driver.MySQLError
	switch {
	case !errors.As(e.Err, &answered):
		return fmt.Sprintf("line %d: %v", e.Line, e.Err)
	case namesOnly[answered.Number]:
		return fmt.Sprintf("line %d: MySQL error %d: %s", e.Line, answered.Number, answered.Message)
	case answered.Number == syntaxError:
		return fmt.Sprintf("line %d: MySQL error %d: no SQL that the server knows; is the file a dump, whole and not compressed?", e.Line, answered.Number)
	}
	return fmt.Sprintf("line %d: MySQL error %d (SQLSTATE %s)", e.Line, answered.Number, answered.SQLState[:])
}

func (e StatementError) Unwrap() error { return e.Err }

// Loaded is how far a file is loaded.
type Loaded struct {
	Bytes      int64
	Statements int
	// Database is the choice of the file's last USE, or empty if there is none. Set at the end only.
	Database string
}

// Load runs the statements of a file such as mysqldump writes, in memory bounded by one statement (at most 64 MiB).
// It uses one connection, because the file's settings and its USE belong to the connection. An error names the line
// of the file. progress, if any, is called every second or so.
func Load(ctx context.Context, conn *sql.Conn, r io.Reader, progress func(Loaded)) (Loaded, error) {
	loaded, err := load(ctx, conn, NewSplitter(r), progress)
	if err != nil {
		return loaded, fmt.Errorf("loading SQL: %w", err)
	}
	var database sql.NullString
	if err := conn.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&database); err != nil {
		return loaded, fmt.Errorf("loading SQL: asking for the database: %w", err)
	}
	loaded.Database = database.String
	return loaded, nil
}

func load(ctx context.Context, conn *sql.Conn, statements *Splitter, progress func(Loaded)) (Loaded, error) {
	var loaded Loaded
	told := time.Now()
	for {
		statement, line, err := statements.Next()
		loaded.Bytes = statements.read
		if err == io.EOF {
			return loaded, nil
		}
		if err != nil {
			return loaded, fmt.Errorf("line %d: %w", line, err)
		}
		if _, err := conn.ExecContext(ctx, string(statement)); err != nil {
			return loaded, StatementError{line, err}
		}
		loaded.Statements++
		if progress != nil && time.Since(told) >= time.Second {
			told = time.Now()
			progress(loaded)
		}
	}
}
