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
	"time"

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

// Superuser is the role that initdb makes. Admin owns the databases that Database makes. It may create roles and
// databases and is no superuser, as the first user on RDS.
const (
	Superuser = "postgres"
	Admin     = "recsys_admin"
)

// Server is a PostgreSQL that answers.
type Server struct {
	url        string // of the superuser, or as given
	password   string // of Superuser and Admin
	own        bool
	programs   programs
	dir        string
	temporary  bool
	disposable bool
	port       int
	process    *daemon.Process
	died       func(error)
	secured    []string // the settings that make it speak TLS
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
	s := &Server{own: true, programs: found, dir: config.Dir, disposable: config.Disposable, port: config.Port, died: config.Died}
	if err := errors.Join(s.prepare(ctx, config.Cache), s.certify(config.Certificate)); err != nil {
		return nil, fmt.Errorf("starting PostgreSQL: %w", errors.Join(err, s.Stop()))
	}
	if err := s.start(ctx); err != nil {
		return nil, fmt.Errorf("starting PostgreSQL: %w", errors.Join(err, s.Stop()))
	}
	return s, nil
}

// connect uses a server that somebody else runs.
func connect(ctx context.Context, address string) (*Server, error) {
	s := &Server{url: address}
	if err := s.ping(ctx); err != nil {
		return nil, fmt.Errorf("the PostgreSQL of DATABASE_URL does not answer: %w", err)
	}
	return s, nil
}

// prepare makes the data directory where there is none.
func (s *Server) prepare(ctx context.Context, cache *provision.Cache) error {
	if s.dir == "" {
		dir, err := daemon.TempDir("postgres-")
		if err != nil {
			return fmt.Errorf("making a temporary folder: %w", err)
		}
		s.dir, s.temporary, s.disposable = dir, true, true
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("making the server's folder: %w", err)
	}
	if err := s.checkVersion(); err != nil {
		return err
	}
	if _, err := os.Stat(s.data()); err == nil {
		return daemon.Own(s.data())
	}
	template, err := s.programs.template(ctx, cache)
	if err != nil {
		return err
	}
	return daemon.CopyOwned(template, s.data())
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// checkVersion refuses a data directory of another major version, because the server could not read it.
func (s *Server) checkVersion() error {
	text, err := os.ReadFile(filepath.Join(s.data(), "PG_VERSION"))
	if err != nil {
		return nil
	}
	if major, err := strconv.Atoi(strings.TrimSpace(string(text))); err != nil || major != s.programs.major {
		return fmt.Errorf("%s was made by PostgreSQL %.2s and the programs here are %d: remove that folder", s.data(), text, s.programs.major)
	}
	return nil
}

// startPatience bounds the time a server takes to answer, recovery after a kill included.
const startPatience = 60 * time.Second

// start starts the program on the data directory. On a port of its own choice it tries more than one.
func (s *Server) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if s.port != 0 {
		return s.startOn(ctx, s.port)
	}
	var err error
	for range 3 {
		var port int
		if port, err = daemon.FreePort(); err != nil {
			return err
		}
		if err = s.startOn(ctx, port); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (s *Server) startOn(ctx context.Context, port int) error {
	settings := []string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200",
		"shared_buffers=64MB", "max_wal_size=1GB", "logging_collector=off", "log_timezone=UTC", "TimeZone=UTC",
	}
	if s.disposable {
		// synchronous_commit stays on. Without fsync a commit costs no more, and a killed server keeps all it committed.
		settings = append(settings, "fsync=off", "full_page_writes=off")
	}
	settings = append(settings, s.secured...)
	arguments := []string{"-D", s.data(), "-p", strconv.Itoa(port)}
	for _, setting := range settings {
		arguments = append(arguments, "-c", setting)
	}
	process, err := daemon.Start(ctx, daemon.Config{
		Command: append(s.programs.server(), arguments...),
		Log:     filepath.Join(s.dir, "server.log"),
		Lock:    filepath.Join(s.dir, "lock"),
		Prepare: func() error { return errors.Join(s.removeStalePID(), s.secure(ctx)) },
		// An immediate shutdown: the server's processes end at once, and the next start recovers.
		DeathSignal: syscall.SIGQUIT,
	})
	if err != nil {
		return err
	}
	s.process = process
	s.url = (&url.URL{Scheme: "postgres", User: url.UserPassword(Superuser, s.password), Host: "127.0.0.1:" + strconv.Itoa(port), Path: "/postgres", RawQuery: "sslmode=disable"}).String()
	if err := s.waitUntilUp(ctx); err != nil {
		return errors.Join(err, process.Stop(syscall.SIGQUIT, stopPatience))
	}
	s.port = port
	process.OnDeath(s.died)
	return nil
}

// removeStalePID runs under the lock, so no server lives on the data directory. Its pid file is of one that was
// killed. Its number may by now be another program's, which would keep the server from starting.
func (s *Server) removeStalePID() error {
	if err := os.Remove(filepath.Join(s.data(), "postmaster.pid")); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("removing a stale pid file: %w", err)
	}
	return nil
}

func (s *Server) waitUntilUp(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.ping(ctx)
		if err == nil {
			return nil
		}
		if hasCode(err, "28P01") { // invalid_password
			return fmt.Errorf("%s does not hold the password of the data directory beside it: remove it: %w", filepath.Join(s.dir, "password"), err)
		}
		select {
		case <-tick.C:
		case <-s.process.Done():
			return s.process.Failure()
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", errors.Join(ctx.Err(), err))
		}
	}
}

func (s *Server) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.Ping(ctx)
}

const stopPatience = 20 * time.Second

var errNotOwn = errors.New("the PostgreSQL of DATABASE_URL is not this program's to start or stop")

// Stop shuts the server down, disconnecting its clients, and removes a temporary data directory. A server
// that was given by its URL is left alone.
func (s *Server) Stop() error {
	if !s.own {
		return nil
	}
	err := s.Pause()
	if s.temporary {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// Pause is Stop that keeps the data directory and the port, for Restart.
func (s *Server) Pause() error { return s.end(syscall.SIGINT) }

// Kill ends the server as a crash does (SIGKILL). Restart recovers it.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

func (s *Server) end(signal syscall.Signal) error {
	if !s.own {
		return errNotOwn
	}
	if s.process == nil {
		return nil
	}
	err := s.process.Stop(signal, stopPatience)
	s.process = nil
	return err
}

// Restart starts the server again on the same port and data, after it stopped, was killed, or still runs.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Pause(); err != nil {
		return fmt.Errorf("restarting PostgreSQL: %w", err)
	}
	if err := s.start(ctx); err != nil {
		return fmt.Errorf("restarting PostgreSQL: %w", err)
	}
	return nil
}
