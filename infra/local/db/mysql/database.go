package mysql

import (
	"context"
	"fmt"
)

// DSN is the server's, as go-sql-driver/mysql spells it: root's without a database, or as given.
func (s *Server) DSN() string { return s.dsn.FormatDSN() }

// DSNOf is DSN in another database.
func (s *Server) DSNOf(database string) string {
	config := s.dsn.Clone()
	config.DBName = database
	return config.FormatDSN()
}

// Engine returns the engine of a server of its own.
func (s *Server) Engine() Engine { return s.programs.engine }

// NewDatabase makes an empty database, instead of one of that name, and returns its DSN.
func (s *Server) NewDatabase(ctx context.Context, name string) (string, error) {
	if err := s.execute(ctx, "DROP DATABASE IF EXISTS "+quoteName(name), "CREATE DATABASE "+quoteName(name)); err != nil {
		return "", fmt.Errorf("making the database %s: %w", name, err)
	}
	return s.DSNOf(name), nil
}

// EnsureDatabase makes a database unless it is there.
func (s *Server) EnsureDatabase(ctx context.Context, name string) error {
	if err := s.execute(ctx, "CREATE DATABASE IF NOT EXISTS "+quoteName(name)); err != nil {
		return fmt.Errorf("making the database %s: %w", name, err)
	}
	return nil
}
