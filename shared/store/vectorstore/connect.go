package vectorstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxvector "github.com/pgvector/pgvector-go/pgx"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/settings"
	"recsys/shared/store/rds"
)

// Config is how a function connects. Zero values mean the defaults.
type Config struct {
	settings.VectorStore
	// Login gives each new connection its credentials. Default: as IAM and SecretARN say, else the URL's.
	Login rds.Login
	// Application is the function's name, as pg_stat_activity shows it.
	Application string
	// LockTimeout is how long a statement waits for a lock. Default 5 s.
	LockTimeout time.Duration
	// StatementTimeout bounds each statement. Default 14 minutes, just inside a Lambda's 15.
	StatementTimeout time.Duration
	// MaxConns is the pool's size. Default 2: a function handles one invocation at a time.
	MaxConns int32
	// Repeating is for a caller that sends the same statements again and again, and tries again when a connection
	// proves dead. A connection prepares each statement once, with one plan for all parameters. From then on the
	// statement, or a batch of them, is one round trip and costs no planning. No idle connection is tried out first.
	Repeating bool
}

const (
	connectTimeout = 5 * time.Second
	// aliveCheck is how soon the server notices, in the middle of a statement, that its client was killed. Without it
	// a CREATE INDEX goes on to its end and holds its locks.
	aliveCheck = 2 * time.Second
	// keptStatements bounds the prepared statements of a connection, because a version's statements go out of use
	// with it.
	keptStatements = 32
)

// Connect opens a pool, without connecting yet. A database that is away is an error of the first statement, so a
// function starts and its retries find the database when it is back. Vectors travel in binary.
func Connect(ctx context.Context, c Config) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("reading VECTOR_STORE_URL: %w", err)
	}
	if config.BeforeConnect, err = c.secure(ctx, config.ConnConfig); err != nil {
		return nil, err
	}
	config.MaxConns = max(c.MaxConns, 2)
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.ConnConfig.DialFunc = (&net.Dialer{
		Timeout:         connectTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3},
	}).DialContext
	parameters := config.ConnConfig.RuntimeParams
	parameters["application_name"] = c.Application
	parameters["search_path"] = Schema + ", public"
	parameters["lock_timeout"] = milliseconds(c.LockTimeout, 5*time.Second)
	parameters["statement_timeout"] = milliseconds(c.StatementTimeout, 14*time.Minute)
	parameters["idle_in_transaction_session_timeout"] = milliseconds(0, 5*time.Minute)
	parameters["client_connection_check_interval"] = milliseconds(0, aliveCheck)
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error { return pgxvector.RegisterTypes(ctx, conn) }
	if c.Repeating {
		parameters["plan_cache_mode"] = "force_generic_plan"
		parameters["jit"] = "off" // compiling takes longer than the searches whose cost the planner overrates
		config.ConnConfig.StatementCacheCapacity = keptStatements
		config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return pool, Wrap("opening the vector database", err)
}

func milliseconds(d, otherwise time.Duration) string {
	if d <= 0 {
		d = otherwise
	}
	return strconv.FormatInt(d.Milliseconds(), 10)
}

// Wrap says what was being done, and names an error that may pass by itself failure.VectorStoreUnavailable. Nil stays
// nil.
func Wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf("%s: %w", doing, err)
	if IsTransient(err) {
		return failure.VectorStoreUnavailable.Wrap(wrapped)
	}
	return wrapped
}

// IsTransient tells whether trying again may help: the server answered of its own state and not of our
// statement, or the line to it broke. SQLSTATE classes: https://www.postgresql.org/docs/current/errcodes-appendix.html
func IsTransient(err error) bool {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return slices.ContainsFunc(transientClasses, func(class string) bool { return strings.HasPrefix(answer.Code, class) })
	}
	return pgconn.SafeToRetry(err) || errors.As(err, new(*pgconn.ConnectError)) || errors.As(err, new(net.Error)) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, context.Canceled)
}

// transientClasses: connection, idle transaction, rollback, resources, locks, shutdown, system, internal.
var transientClasses = []string{"08", "25", "40", "53", "55", "57", "58", "XX"}

// HasCode tells whether the server answered with this SQLSTATE.
func HasCode(err error, code string) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == code
}

// SQLSTATEs that callers decide on.
const (
	UndefinedTable   = "42P01" // a version was dropped after its row was read: read the row again
	LockNotAvailable = "55P03" // lock_timeout
	QueryCanceled    = "57014" // statement_timeout
	DeadlockDetected = "40P01" // with a transaction that took the same locks in another order
	OutOfRange       = "22003" // a number too large or too small for its type
)
