package mysql

import (
	"context"
	"fmt"
	"strings"
)

// DSN is the server's, as go-sql-driver/mysql spells it: root's without a database, or as given.
func (s *Server) DSN() string { return s.dsn.FormatDSN() }

// DSNOf is DSN in another database.
func (s *Server) DSNOf(database string) string {
	config := s.dsn.Clone()
	config.DBName = database
	return config.FormatDSN()
}

// NewDatabase makes an empty database, instead of one of that name, and returns its DSN.
func (s *Server) NewDatabase(ctx context.Context, name string) (string, error) {
	db, err := s.open()
	if err != nil {
		return "", err
	}
	defer db.Close()
	quoted := "`" + strings.ReplaceAll(name, "`", "``") + "`"
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + quoted, "CREATE DATABASE " + quoted} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return "", fmt.Errorf("making the database %s: %w", name, err)
		}
	}
	return s.DSNOf(name), nil
}
