// Package mysql is a MySQL on the loopback interface, for the local mode and for tests.
//
// It promises a server that answers, or an error that names the variable to set instead. It takes the first of these:
// the server at Config.DSN, the host's server on a private data directory, or the one that infra/local/db/provision
// fetches. Its SQL is common to MySQL and MariaDB. A server of its own listens on 127.0.0.1 only and wants a password
// that is new with every start. It reads and writes no file for a statement, dies with this process, and is never
// root. Settings: https://dev.mysql.com/doc/refman/9.7/en/server-system-variables.html and
// https://mariadb.com/kb/en/mariadbd-options/.
package mysql

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"recsys/infra/local/db/authority"
	"recsys/infra/local/db/daemon"
	"recsys/infra/local/db/provision"
)

// Config says which server to use and where its data lies.
type Config struct {
	// DSN is a running server's (MYSQL_DSN), as go-sql-driver/mysql spells it. Default: a server of its own.
	DSN string
	// Engine of a server of its own. Default: MySQL.
	Engine Engine
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

// Server is a MySQL that answers.
type Server struct {
	dsn        *driver.Config // of root, without a database, or as given
	own        bool
	password   string // of root
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
	if config.DSN != "" {
		return connect(ctx, config.DSN)
	}
	if config.Cache == nil {
		cache, err := provision.Open(provision.Config{})
		if err != nil {
			return nil, fmt.Errorf("starting MySQL: %w", err)
		}
		config.Cache = cache
	}
	if config.Engine == "" {
		config.Engine = MySQL
	}
	found, err := findPrograms(ctx, config.Cache, config.Engine)
	if err != nil {
		return nil, fmt.Errorf("starting MySQL: %w", err)
	}
	s := &Server{own: true, password: rand.Text(), programs: found, dir: config.Dir, disposable: config.Disposable, port: config.Port, died: config.Died}
	if err := errors.Join(s.prepare(ctx, config.Cache), s.certify(config.Certificate)); err != nil {
		return nil, fmt.Errorf("starting MySQL: %w", errors.Join(err, s.Stop()))
	}
	if err := s.start(ctx); err != nil {
		return nil, fmt.Errorf("starting MySQL: %w", errors.Join(err, s.Stop()))
	}
	return s, nil
}

// connect uses a server that somebody else runs.
func connect(ctx context.Context, dsn string) (*Server, error) {
	parsed, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	s := &Server{dsn: parsed}
	if err := s.ping(ctx); err != nil {
		return nil, fmt.Errorf("the MySQL of MYSQL_DSN does not answer: %w", err)
	}
	return s, nil
}

// CheckDSN reports a MYSQL_DSN that is none, or names no database to extract from, without connecting.
func CheckDSN(dsn string) error {
	parsed, err := parseDSN(dsn)
	if err == nil && parsed.DBName == "" {
		return errForm
	}
	return err
}

var errForm = errors.New("MYSQL_DSN is not of the form user:password@tcp(host:port)/database")

// parseDSN leaves the driver's own text out: it may quote the password.
func parseDSN(dsn string) (*driver.Config, error) {
	parsed, err := driver.ParseDSN(dsn)
	if err != nil {
		return nil, errForm
	}
	return parsed, nil
}

// prepare makes the data directory where there is none.
func (s *Server) prepare(ctx context.Context, cache *provision.Cache) error {
	if err := checkData(s.dir, s.programs.engine); err != nil {
		return err
	}
	if s.dir == "" {
		dir, err := daemon.TempDir("mysql-")
		if err != nil {
			return fmt.Errorf("making a temporary folder: %w", err)
		}
		s.dir, s.temporary, s.disposable = dir, true, true
	}
	for _, dir := range []string{s.tmp(), s.files()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making the server's folder: %w", err)
		}
		if err := daemon.Own(dir); err != nil {
			return err
		}
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

func (s *Server) data() string { return dataIn(s.dir) }

func dataIn(dir string) string { return filepath.Join(dir, "data") }

// tmp is the server's own: in a folder that servers share, each one that starts removes the others' temporary tables.
func (s *Server) tmp() string { return filepath.Join(s.dir, "tmp") }

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
	process, err := daemon.Start(ctx, daemon.Config{
		Command: append(s.programs.server(), s.arguments(port)...),
		Env:     s.programs.env(),
		Log:     filepath.Join(s.dir, "server.log"),
		Lock:    filepath.Join(s.dir, "lock"),
		Prepare: s.secure,
	})
	if err != nil {
		return err
	}
	s.process = process
	s.dsn = driver.NewConfig()
	s.dsn.User, s.dsn.Passwd, s.dsn.Net, s.dsn.Addr = "root", s.password, "tcp", "127.0.0.1:"+strconv.Itoa(port)
	if err := s.waitUntilUp(ctx); err != nil {
		return errors.Join(err, s.Kill())
	}
	s.port = port
	if err := os.Remove(s.initFile()); err != nil {
		return errors.Join(fmt.Errorf("removing the password's file: %w", err), s.Kill())
	}
	process.OnDeath(s.died)
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
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	return db.PingContext(ctx)
}

// open connects as DSN says. The driver's own log is off: it would print each refused attempt of a start.
func (s *Server) open() (*sql.DB, error) {
	config := s.dsn.Clone()
	config.Logger = log.New(io.Discard, "", 0)
	// The server's limit, instead of the driver's 64 MiB.
	config.MaxAllowedPacket = 0
	connector, err := driver.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("opening MySQL: %w", err)
	}
	return sql.OpenDB(connector), nil
}

const stopPatience = 20 * time.Second

var errNotOwn = errors.New("the MySQL of MYSQL_DSN is not this program's to start or stop")

// Stop shuts the server down, disconnecting its clients, and removes a temporary data directory. A server
// that was given by its DSN is left alone.
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
func (s *Server) Pause() error {
	if s.disposable {
		// Nothing of it is worth a flush. It recovers by its log.
		return s.end(syscall.SIGKILL)
	}
	return s.end(syscall.SIGTERM)
}

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
		return fmt.Errorf("restarting MySQL: %w", err)
	}
	if err := s.start(ctx); err != nil {
		return fmt.Errorf("restarting MySQL: %w", err)
	}
	return nil
}
