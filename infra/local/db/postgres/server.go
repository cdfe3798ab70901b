// Package postgres is a PostgreSQL with pgvector on the loopback interface, for the local mode and for tests.
//
// It promises a server that answers, or an error that names the variable to set instead. It takes the first of these:
// the server at Config.URL, the host's programs on a private data directory (15 or later, with pgvector), or those
// that package provision fetches. A server of its own listens on 127.0.0.1 only, wants a password that only this user
// can read, dies with this process, and is never root. Programs and settings:
// https://www.postgresql.org/docs/17/app-postgres.html.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"recsys/infra/local/db/authority"
	"recsys/infra/local/db/daemon"
	"recsys/infra/local/db/provision"
)

// Config says which server to use and where its data lies.
type Config struct {
	// URL is a running server's (DATABASE_URL). Its user may create databases and roles. Default: a server of its
	// own.
	URL string
	// Dir is kept from one start to the next: data directory, log and lock. Default: a temporary folder that
	// Stop removes.
	Dir string
	// Disposable says that the data need not outlive the machine's power, which makes writes faster. A killed server
	// keeps all it committed. Default: of a temporary folder they need not.
	Disposable bool
	// Port of the loopback interface. Default: a free one.
	Port int
	// Cache provides the programs. Default: the repository's cache, in silence.
	Cache *provision.Cache
	// Certificate makes a server of its own speak TLS to those who ask for it. Default: no TLS.
	Certificate *authority.Certificate
	// Died is called when a server of its own has ended and nobody stopped it. Restart brings it back. Default: nothing.
	Died func(error)
}

const (
	serverName     = "PostgreSQL"
	serverVariable = "DATABASE_URL"
)

// Superuser is the role that initdb makes. Admin owns the databases that Database makes. It may create roles and
// databases and is no superuser, as the first user on RDS.
const (
	Superuser = "postgres"
	Admin     = "recsys_admin"
)

// Server is a PostgreSQL that answers. A server that was given by its URL cannot be stopped.
type Server struct {
	daemon.Lifecycle
	url      string // of the superuser, or as given
	password string // of Superuser and Admin
	programs programs
	secured  []string // the settings that make it speak TLS
}

// Start returns when the server answers.
func Start(ctx context.Context, config Config) (*Server, error) {
	if config.URL != "" {
		return connect(ctx, config.URL)
	}
	if config.Cache == nil {
		cache, err := provision.Open(provision.Config{})
		if err != nil {
			return nil, fmt.Errorf("starting PostgreSQL: %w", err)
		}
		config.Cache = cache
	}
	found, err := findPrograms(ctx, config.Cache)
	if err != nil {
		return nil, fmt.Errorf("starting PostgreSQL: %w", err)
	}
	s := &Server{programs: found}
	s.Lifecycle = daemon.Lifecycle{
		Name: serverName, Variable: serverVariable, Dir: config.Dir, Disposable: config.Disposable, Port: config.Port, Died: config.Died,
		Command: s.command, Answers: s.answers, Pausing: syscall.SIGINT,
	}
	err = s.prepare(ctx, config.Cache)
	if err == nil {
		err = s.certify(config.Certificate)
	}
	if err == nil {
		err = s.Lifecycle.Start(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("starting PostgreSQL: %w", errors.Join(err, s.Stop()))
	}
	return s, nil
}

// connect uses a server that somebody else runs.
func connect(ctx context.Context, address string) (*Server, error) {
	s := &Server{url: address, Lifecycle: daemon.Lifecycle{Name: serverName, Variable: serverVariable}}
	if err := s.ping(ctx); err != nil {
		return nil, fmt.Errorf("the PostgreSQL of DATABASE_URL does not answer: %w", err)
	}
	return s, nil
}

// prepare makes the data directory where there is none.
func (s *Server) prepare(ctx context.Context, cache *provision.Cache) error {
	if err := s.MakeDir("postgres-"); err != nil {
		return err
	}
	if err := s.checkVersion(); err != nil {
		return err
	}
	return s.MakeData(func() (string, error) { return s.programs.template(ctx, cache) })
}

// checkVersion refuses a data directory of another major version, because the server could not read it.
func (s *Server) checkVersion() error {
	text, err := os.ReadFile(filepath.Join(s.Data(), "PG_VERSION"))
	if err != nil {
		return nil
	}
	if major, err := strconv.Atoi(strings.TrimSpace(string(text))); err != nil || major != s.programs.major {
		return fmt.Errorf("%s was made by PostgreSQL %.2s and the programs here are %d: remove that folder", s.Data(), text, s.programs.major)
	}
	return nil
}

func (s *Server) command(ctx context.Context, port int) daemon.Config {
	settings := []string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200",
		"shared_buffers=64MB", "max_wal_size=1GB", "logging_collector=off", "log_timezone=UTC", "TimeZone=UTC",
	}
	if s.Disposable {
		// synchronous_commit stays on. Without fsync a commit costs no more, and a killed server keeps all it committed.
		settings = append(settings, "fsync=off", "full_page_writes=off")
	}
	settings = append(settings, s.secured...)
	arguments := []string{"-D", s.Data(), "-p", strconv.Itoa(port)}
	for _, setting := range settings {
		arguments = append(arguments, "-c", setting)
	}
	return daemon.Config{
		Command: append(s.programs.server(), arguments...),
		Prepare: func() error { return errors.Join(s.removeStalePID(), s.secure(ctx)) },
		// An immediate shutdown: the server's processes end at once, and the next start recovers.
		DeathSignal: syscall.SIGQUIT,
	}
}

// answers asks the server on its port, with the password that the start has found or made.
func (s *Server) answers(ctx context.Context, port int) error {
	s.url = (&url.URL{Scheme: "postgres", User: url.UserPassword(Superuser, s.password), Host: "127.0.0.1:" + strconv.Itoa(port), Path: "/postgres", RawQuery: "sslmode=disable"}).String()
	err := s.ping(ctx)
	if hasCode(err, "28P01") { // invalid_password
		return daemon.Hopeless{Err: fmt.Errorf("%s does not hold the password of the data directory beside it: remove it: %w", filepath.Join(s.Dir, "password"), err)}
	}
	return err
}

// removeStalePID runs under the lock, so no server lives on the data directory. Its pid file is of one that was
// killed. Its number may by now be another program's, which would keep the server from starting.
func (s *Server) removeStalePID() error {
	if err := os.Remove(filepath.Join(s.Data(), "postmaster.pid")); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("removing a stale pid file: %w", err)
	}
	return nil
}

func (s *Server) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.Ping(ctx)
}
