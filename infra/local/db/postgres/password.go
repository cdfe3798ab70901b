package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"recsys/infra/local/db/daemon"
)

// A data directory has a password of its own for Superuser and Admin. It lies in a file next to it that only this
// user reads, because a superuser can run programs as the server does.

// secure runs before the server does: nobody connects to a data directory without its password.
func (s *Server) secure(ctx context.Context) error {
	if err := os.WriteFile(filepath.Join(s.Data(), "pg_hba.conf"), []byte(s.access()), 0o600); err != nil {
		return fmt.Errorf("saying who may connect: %w", err)
	}
	file := filepath.Join(s.Dir, "password")
	text, err := os.ReadFile(file)
	if err == nil && len(text) > 0 {
		s.password = string(text)
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the server's password: %w", err)
	}
	s.password = rand.Text()
	if err := s.setPassword(ctx); err != nil {
		return err
	}
	// Last: a password that the data directory may not have yet is made anew by the next start.
	if err := os.WriteFile(file, []byte(s.password), 0o600); err != nil {
		return fmt.Errorf("keeping the server's password: %w", err)
	}
	return nil
}

// access is the server's pg_hba.conf. The roles that a test makes on a temporary server have no passwords.
func (s *Server) access() string {
	others := "scram-sha-256"
	if s.Temporary {
		others = "trust"
	}
	return fmt.Sprintf("host all %s,%s 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 %s\n", Superuser, Admin, others)
}

// setPassword makes the role Admin if there is none, and gives both roles the password. The server listens nowhere
// then: https://www.postgresql.org/docs/17/app-postgres.html, single-user mode, a command a line.
func (s *Server) setPassword(ctx context.Context) error {
	commands := fmt.Sprintf(`do $$ begin if not exists (select from pg_roles where rolname = '%[2]s') then create role %[2]s; end if; end $$
alter role %[2]s login createrole createdb nosuperuser password '%[3]s'
alter role %[1]s password '%[3]s'
`, Superuser, Admin, s.password)
	program := append(s.programs.server(), "--single", "-D", s.Data(), "-c", "password_encryption=scram-sha-256", "postgres")
	if err := daemon.Run(ctx, nil, commands, program...); err != nil {
		return fmt.Errorf("giving the server a password: %w", strip(err, s.password))
	}
	return nil
}

// strip keeps the password out of the server's output.
func strip(err error, password string) error {
	return errors.New(strings.ReplaceAll(err.Error(), password, "…"))
}
