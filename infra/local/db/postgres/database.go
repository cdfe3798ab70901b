package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// URL is the superuser's in the database postgres. Of a given server it is the URL as given.
func (s *Server) URL() string { return s.url }

// URLOf is URL as another role in another database, with the password if it is the URL's own role or Admin.
func (s *Server) URLOf(role, database string) string {
	address, err := url.Parse(s.url)
	if err != nil {
		return s.url
	}
	switch {
	case s.Command != nil && role == Admin:
		address.User = url.UserPassword(Admin, s.password)
	case role != address.User.Username():
		address.User = url.User(role)
	}
	address.Path = "/" + database
	return address.String()
}

// Database makes a database where there is none of that name, and returns its owner's URL: Admin's, or the
// user's of a server that was given. The owner may create the extension vector and roles, and is no superuser.
func (s *Server) Database(ctx context.Context, name string) (string, error) {
	err := s.create(ctx, name)
	if err != nil && !hasCode(err, "42P04") { // duplicate_database
		return "", fmt.Errorf("making the database %s: %w", name, err)
	}
	return s.URLOf(s.admin(), name), nil
}

// NewDatabase makes an empty database, instead of one of that name, and returns its owner's URL.
func (s *Server) NewDatabase(ctx context.Context, name string) (string, error) {
	if err := s.exec(ctx, s.url, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
		return "", fmt.Errorf("dropping the database %s: %w", name, err)
	}
	if err := s.create(ctx, name); err != nil {
		return "", fmt.Errorf("making the database %s: %w", name, err)
	}
	return s.URLOf(s.admin(), name), nil
}

func (s *Server) create(ctx context.Context, name string) error {
	statement := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize()
	if s.Command != nil {
		statement += " OWNER " + pgx.Identifier{Admin}.Sanitize()
	}
	if err := s.exec(ctx, s.url, statement); err != nil {
		return err
	}
	if s.programs.host {
		// A distribution's pgvector may be for superusers to create. The provisioned one is not.
		return s.exec(ctx, s.URLOf(Superuser, name), "CREATE EXTENSION IF NOT EXISTS vector")
	}
	return nil
}

func (s *Server) admin() string {
	if s.Command != nil {
		return Admin
	}
	address, err := url.Parse(s.url)
	if err != nil {
		return ""
	}
	return address.User.Username()
}

func (s *Server) exec(ctx context.Context, address, statement string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// hasCode tells an error by its code, https://www.postgresql.org/docs/17/errcodes-appendix.html.
func hasCode(err error, code string) bool {
	var answered *pgconn.PgError
	return errors.As(err, &answered) && answered.Code == code
}
