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
	"slices"

	driver "github.com/go-sql-driver/mysql"
)

// StatementError is a statement of a file that the server refused. Its text holds no data of the file: the
// server's message, which can hold some, is left to Unwrap.
type StatementError struct {
	Line int // that the statement starts on, from 1
	Err  error
}

// namesOnly are errors whose messages name databases, tables, columns and settings, and quote no row:
// https://dev.mysql.com/doc/mysql-errors/9.7/en/server-error-reference.html.
var namesOnly = []uint16{
	1005, 1007, 1044, 1045, 1046, 1048, 1049, 1050, 1051, 1054, 1091, 1109, 1115, 1136, 1142, 1143, 1146, 1193, 1215, 1227, 1264, 1273, 1286,
	1305, 1356, 1364, 1406, 1418, 1419, 1449, 1452, 1822, 1824, 1825, 3734, 3780, 3819, 6125,
}

// NamesOnly reports whether the message of an error of this number may be shown, because it holds no data.
func NamesOnly(number uint16) bool { return slices.Contains(namesOnly, number) }

// SyntaxError is the number of an error whose message quotes the statement.
const SyntaxError = 1064

func (e StatementError) Error() string {
	var answered *driver.MySQLError
	switch {
	case !errors.As(e.Err, &answered):
		return fmt.Sprintf("line %d: %v", e.Line, e.Err)
	case NamesOnly(answered.Number):
		return fmt.Sprintf("line %d: MySQL error %d: %s", e.Line, answered.Number, answered.Message)
	case answered.Number == SyntaxError:
		return fmt.Sprintf("line %d: MySQL error %d: the server does not know this SQL. Is the file a dump, whole and not compressed?", e.Line, answered.Number)
	}
	return fmt.Sprintf("line %d: MySQL error %d (SQLSTATE %s)", e.Line, answered.Number, answered.SQLState[:])
}

func (e StatementError) Unwrap() error { return e.Err }

// Load runs the statements of a file such as mysqldump writes, in memory bounded by one statement (at most 64 MiB).
// It uses one connection, because the file's settings and its USE belong to the connection. An error names the line
// of the file. Load returns the database that the file's last USE chose, or "" if there is none.
func Load(ctx context.Context, conn *sql.Conn, r io.Reader) (database string, err error) {
	if err := load(ctx, conn, NewSplitter(r)); err != nil {
		return "", fmt.Errorf("loading SQL: %w", err)
	}
	var chosen sql.NullString
	if err := conn.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&chosen); err != nil {
		return "", fmt.Errorf("loading SQL: asking for the database: %w", err)
	}
	return chosen.String, nil
}

func load(ctx context.Context, conn *sql.Conn, statements *Splitter) error {
	for {
		statement, line, err := statements.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		if _, err := conn.ExecContext(ctx, string(statement)); err != nil {
			return StatementError{line, err}
		}
	}
}
