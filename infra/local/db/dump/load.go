// Package dump loads dumps of MySQL and MariaDB, as their own tools and others write them, into a private server.
//
// It promises that a dump is a stranger's program that can fill its own databases and do nothing else. Its account
// has rights on these only, no command of a client runs, no file is read or written, and its events never start. Rows
// are loaded as they are. A refused statement does not end the load. It is reported with its line, its table and
// advice. Memory is bounded by one statement.
package dump

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"recsys/infra/local/db/mysql"
	"recsys/shared/shop/sqlfile"
)

const (
	// account is the user that loads. It stays as the definer of the dump's views.
	account = "loader"
	// firstDatabase is for dumps that name none.
	firstDatabase = "shop"
)

// Loader loads dumps, one after the other, into one server.
type Loader struct {
	// Progress is told, every second, how far a dump is loaded. Default: silence.
	Progress func(file string, read, size int64)

	server   *mysql.Server
	login    *driver.Config
	database string // the current one
	problems []Problem
	cut      []string
	told     time.Time
}

// NewLoader makes the account that loads.
func NewLoader(ctx context.Context, server *mysql.Server) (*Loader, error) {
	login, err := server.Account(ctx, account)
	if err != nil {
		return nil, err
	}
	login.MaxAllowedPacket = 0 // as much as the server allows
	return &Loader{server: server, login: login, database: firstDatabase, Progress: func(string, int64, int64) {}}, nil
}

// Problems returns the statements that were refused so far.
func (l *Loader) Problems() []Problem { return l.problems }

// Cut returns the files that begin as mysqldump writes them and do not end so. Rows or tables at their end may be missing.
func (l *Loader) Cut() []string { return l.cut }

// Load loads a file. It begins in the database in which the last one ended. An error means that the file cannot be
// read to its end or is no dump. Statements that the server refuses are Problems.
func (l *Loader) Load(ctx context.Context, name string) error {
	file, err := Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if mysql.IsSystem(l.database) {
		l.database = firstDatabase
	}
	conn, err := l.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := l.run(ctx, conn, file, filepath.Base(name)); err != nil {
		return fmt.Errorf("loading the dump %s: %w", name, err)
	}
	return nil
}

// connect opens a session as mysqldump's own header would set it, for dumps without one: 0 is a number and not the
// next one, and tables come in any order. Values that do not fit are refused, which the header would allow.
func (l *Loader) connect(ctx context.Context) (*session, error) {
	if err := l.enter(ctx, l.database); err != nil {
		return nil, err
	}
	login := l.login.Clone()
	login.DBName = l.database
	connector, err := driver.NewConnector(login)
	if err != nil {
		return nil, fmt.Errorf("connecting to load: %w", err)
	}
	db := sql.OpenDB(connector)
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connecting to load: %w", err), db.Close())
	}
	s := &session{conn, db}
	if _, err := conn.ExecContext(ctx, "SET NAMES utf8mb4, sql_mode = 'STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0"); err != nil {
		return nil, errors.Join(fmt.Errorf("beginning to load: %w", err), s.Close())
	}
	return s, nil
}

// session is a connection of its own.
type session struct {
	*sql.Conn
	db *sql.DB
}

func (s *session) Close() error { return errors.Join(s.Conn.Close(), s.db.Close()) }

// enter makes a database of the dump's own, and grants the loader all rights on it.
func (l *Loader) enter(ctx context.Context, database string) error {
	if err := l.server.EnsureDatabase(ctx, database); err != nil {
		return err
	}
	return l.server.Grant(ctx, account, "ALL", database)
}

func (l *Loader) run(ctx context.Context, conn *session, file *File, name string) error {
	text := &wholeness{Reader: file}
	statements := sqlfile.NewSplitter(text)
	for {
		statement, line, err := statements.Next()
		if err == io.EOF {
			if text.cut() {
				l.cut = append(l.cut, name)
			}
			_, err := conn.ExecContext(ctx, "COMMIT")
			return err
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		s := describe(statement)
		if err := l.statement(ctx, conn, s, statement); err != nil {
			if err = l.refused(Problem{File: name, Line: line, Subject: s, Err: err}); err != nil {
				return err
			}
		}
		if s.verb == "SET" && bytes.Contains(bytes.ToLower(statement), []byte("sql_mode")) {
			const question = "SELECT @@sql_mode LIKE '%NO_BACKSLASH_ESCAPES%'"
			if err := conn.QueryRowContext(ctx, question).Scan(&statements.PlainBackslashes); err != nil {
				return fmt.Errorf("asking for the SQL mode: %w", err)
			}
		}
		if time.Since(l.told) >= time.Second {
			l.told = time.Now()
			l.Progress(name, file.BytesRead(), file.Size)
		}
	}
}

// statement runs one statement, unless it is about a database of the server's own.
func (l *Loader) statement(ctx context.Context, conn *session, s subject, statement []byte) error {
	if s.kind == "DATABASE" {
		return l.databaseStatement(ctx, conn, s, statement)
	}
	if s.verb != "SET" && (mysql.IsSystem(l.database) || mysql.IsSystem(s.database)) {
		return nil
	}
	_, err := conn.ExecContext(ctx, string(rewrite(statement, s, l.server.Engine())))
	return err
}

func (l *Loader) databaseStatement(ctx context.Context, conn *session, s subject, statement []byte) error {
	if s.verb == "USE" {
		l.database = s.name
	}
	if mysql.IsSystem(s.name) {
		return nil
	}
	if s.verb == "USE" {
		if err := l.enter(ctx, s.name); err != nil {
			return err
		}
	} else if err := l.server.Grant(ctx, account, "ALL", s.name); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, string(rewrite(statement, s, l.server.Engine())))
	return err
}

// refused remembers a refused statement, or returns the error that ends the load.
func (l *Loader) refused(p Problem) error {
	answer := number(p.Err)
	switch {
	case answer == 0:
		return fmt.Errorf("line %d: %w", p.Line, p.Err)
	case answer == sqlfile.SyntaxError && p.Subject.kind == "":
		return fmt.Errorf("line %d: MySQL error %d: the server does not know this SQL. Is the file a dump, and whole?", p.Line, answer)
	case p.Subject.verb == "SET" && (slices.Contains(denied, answer) || answer == unknownSetting):
		return nil // settings of the whole server stay as they are, and another server's are not needed
	case p.Subject.verb == "DROP" && slices.Contains(nothingToDrop, answer):
		return nil
	}
	if p.Subject.kind != "" && p.Subject.database == "" {
		p.Subject.database = l.database
	}
	for i := range l.problems {
		if l.problems[i].Subject.same(p.Subject) && l.problems[i].File == p.File {
			l.problems[i].More++
			return nil
		}
	}
	l.problems = append(l.problems, p)
	return nil
}

// same reports whether two subjects are one thing. Statements that name no thing are one by their verb, so that they cannot
// fill the memory.
func (s subject) same(other subject) bool {
	if s.kind == "" {
		return other.kind == "" && s.verb == other.verb
	}
	return s.kind == other.kind && strings.EqualFold(s.database, other.database) && strings.EqualFold(s.name, other.name)
}
