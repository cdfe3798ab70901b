package mysql

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	driver "github.com/go-sql-driver/mysql"
)

// systemSchemas belong to the server.
var systemSchemas = []string{"mysql", "sys", "information_schema", "performance_schema", "ndbinfo"}

// IsSystem reports whether a database belongs to the server.
func IsSystem(database string) bool {
	return slices.Contains(systemSchemas, strings.ToLower(database))
}

// Account gives the server a user without rights, or an old one a new password, and returns how it connects.
func (s *Server) Account(ctx context.Context, name string) (*driver.Config, error) {
	password := rand.Text()
	user := quoteText(name) + "@'localhost'"
	for _, statement := range []string{
		"CREATE USER IF NOT EXISTS " + user, "ALTER USER " + user + " IDENTIFIED BY " + quoteText(password),
	} {
		if err := s.execute(ctx, statement); err != nil {
			return nil, fmt.Errorf("making the account %s: %w", name, err)
		}
	}
	config := s.dsn.Clone()
	config.User, config.Passwd = name, password
	return config, nil
}

// Grant gives an account rights on one database, which need not be there yet.
func (s *Server) Grant(ctx context.Context, account, rights, database string) error {
	// A name in a GRANT is a pattern.
	pattern := strings.NewReplacer("_", `\_`, "%", `\%`).Replace(database)
	if err := s.execute(ctx, "GRANT "+rights+" ON "+quoteName(pattern)+".* TO "+quoteText(account)+"@'localhost'"); err != nil {
		return fmt.Errorf("letting the account %s into the database %s: %w", account, database, err)
	}
	return nil
}

// readerAccount may read every database of a dump, and do nothing else.
const readerAccount = "reader"

// ReaderDSN returns the DSN of an account that may only read. The reason is that a view of a dump may call a function
// of the dump, which then has the rights of its reader.
func (s *Server) ReaderDSN(ctx context.Context, database string) (string, error) {
	config, err := s.Account(ctx, readerAccount)
	if err != nil {
		return "", err
	}
	databases, err := s.Databases(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range databases {
		if err := s.Grant(ctx, readerAccount, "SELECT, SHOW VIEW, EXECUTE", name); err != nil {
			return "", err
		}
	}
	config.DBName = database
	return config.FormatDSN(), nil
}

// Databases returns the names of all databases but the server's own.
func (s *Server) Databases(ctx context.Context) ([]string, error) {
	db, err := s.open()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT schema_name FROM information_schema.schemata ORDER BY 1")
	if err != nil {
		return nil, fmt.Errorf("listing the databases: %w", err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("listing the databases: %w", err)
		}
		if !IsSystem(name) {
			names = append(names, name)
		}
	}
	return names, rows.Err()
}

// execute runs statements as root.
func (s *Server) execute(ctx context.Context, statements ...string) error {
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func quoteText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
