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

const (
	serverName     = "MySQL"
	serverVariable = "MYSQL_DSN"
)

// Server is a MySQL that answers. A server that was given by its DSN cannot be stopped.
type Server struct {
	daemon.Lifecycle
	dsn      *driver.Config // of root, without a database; or as given
	password string         // of root
	programs programs
	secured  []string // the settings that make it speak TLS
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
	s := &Server{password: rand.Text(), programs: found}
	s.Lifecycle = daemon.Lifecycle{
		Name: serverName, Variable: serverVariable, Dir: config.Dir, Disposable: config.Disposable, Port: config.Port, Died: config.Died,
		Command: s.command, Answers: s.answers, Pausing: syscall.SIGTERM,
	}
	err = s.prepare(ctx, config.Cache)
	if err == nil {
		err = s.certify(config.Certificate)
	}
	if err == nil {
		err = s.Lifecycle.Start(ctx)
	}
	if err != nil {
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
	s := &Server{dsn: parsed, Lifecycle: daemon.Lifecycle{Name: serverName, Variable: serverVariable}}
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
	if err := checkData(s.Dir, s.programs.engine); err != nil {
		return err
	}
	if err := s.MakeDir("mysql-"); err != nil {
		return err
	}
	if s.Disposable {
		s.Pausing = syscall.SIGKILL // nothing of it is worth a flush. It recovers by its log
	}
	for _, dir := range []string{s.tmp(), s.files()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making the server's folder: %w", err)
		}
		if err := daemon.Own(dir); err != nil {
			return err
		}
	}
	return s.MakeData(func() (string, error) { return s.programs.template(ctx, cache) })
}

func dataIn(dir string) string { return filepath.Join(dir, "data") }

// tmp is the server's own: in a folder that servers share, each one that starts removes the others' temporary tables.
func (s *Server) tmp() string { return filepath.Join(s.Dir, "tmp") }

func (s *Server) command(_ context.Context, port int) daemon.Config {
	return daemon.Config{
		Command: append(s.programs.server(), s.arguments(port)...),
		Env:     s.programs.env(),
		Prepare: s.secure,
	}
}

// answers asks the server on its port. When it answers it has read its password, whose file goes.
func (s *Server) answers(ctx context.Context, port int) error {
	s.dsn = driver.NewConfig()
	s.dsn.User, s.dsn.Passwd, s.dsn.Net, s.dsn.Addr = "root", s.password, "tcp", "127.0.0.1:"+strconv.Itoa(port)
	if err := s.ping(ctx); err != nil {
		return err
	}
	if err := os.Remove(s.initFile()); err != nil {
		return daemon.Hopeless{Err: fmt.Errorf("removing the password's file: %w", err)}
	}
	return nil
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
