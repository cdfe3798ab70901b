package pgwire_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"recsys/infra/local/testbed/pgwire"
	"recsys/infra/local/testbed/postgrestest"
)

// setup is a real server, a proxy in front of it and a client behind that.
func setup(tb testing.TB) (*pgwire.Proxy, string, *pgx.Conn) {
	tb.Helper()
	server := postgrestest.ForTest(tb)
	proxy, err := pgwire.Start(tb.Context(), server.URL())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { proxy.Close() })
	address, err := proxy.URL(server.URL())
	if err != nil {
		tb.Fatal(err)
	}
	address += "&application_name=the-client"
	return proxy, address, connect(tb, address)
}

func connect(tb testing.TB, address string) *pgx.Conn {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func exec(tb testing.TB, conn *pgx.Conn, statement string, arguments ...any) {
	tb.Helper()
	if _, err := conn.Exec(tb.Context(), statement, arguments...); err != nil {
		tb.Fatal(err)
	}
}

func inTransaction(conn *pgx.Conn, statements ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			for _, statement := range statements {
				if _, err := tx.Exec(ctx, statement); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func rows(count int) pgx.CopyFromSource {
	return pgx.CopyFromSlice(count, func(i int) ([]any, error) { return []any{int32(i), strings.Repeat("x", 1000)}, nil })
}

func TestEachCommitIsSeenOnceBeforeAndOnceAfter(t *testing.T) {
	proxy, _, conn := setup(t)
	exec(t, conn, "CREATE TABLE t (i int, s text)")
	var mu sync.Mutex
	var seen []string
	note := func(when string) func(pgwire.Commit) error {
		return func(commit pgwire.Commit) error {
			mu.Lock()
			defer mu.Unlock()
			if commit.ApplicationName != "the-client" {
				t.Errorf("the hook was told of %q", commit.ApplicationName)
			}
			seen = append(seen, when+commit.Command)
			return nil
		}
	}
	proxy.SetHooks(pgwire.Hooks{BeforeCommit: note("-"), AfterCommit: note("+")})
	run := func(statement string, arguments ...any) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := conn.Exec(ctx, statement, arguments...)
			return err
		}
	}
	batch := func(statements ...string) func(context.Context) error {
		return func(ctx context.Context) error {
			var b pgx.Batch
			for _, statement := range statements {
				b.Queue(statement)
			}
			return conn.SendBatch(ctx, &b).Close()
		}
	}
	for _, c := range []struct {
		name string
		do   func(context.Context) error
		want string
	}{
		{"a read", run("SELECT 1"), ""},
		{"a read with an argument", run("SELECT $1::int", 1), ""},
		{"a write", run("INSERT INTO t VALUES (1)"), "-INSERT +INSERT"},
		{"a write with an argument", run("INSERT INTO t VALUES ($1)", 2), "-INSERT +INSERT"},
		{"a write by the simple protocol", run("UPDATE t SET i = 3 WHERE i = $1", pgx.QueryExecModeSimpleProtocol, 2), "-UPDATE +UPDATE"},
		{"a write that fails to parse", run("INSERT INTO missing VALUES ($1)", 1), ""},
		{"a write that fails when it runs", run("INSERT INTO t VALUES (1 / (SELECT 0))"), "-INSERT"},
		{"a write within WITH", run("WITH gone AS (DELETE FROM t RETURNING i) SELECT count(*) FROM gone"), "-WITH +WITH"},
		{"a block of code", run("DO $$ BEGIN INSERT INTO t VALUES (1); COMMIT; END $$"), "-DO +DO"},
		{"a script in one message", run("BEGIN; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); COMMIT"), "-COMMIT +COMMIT"},
		{"a script without BEGIN", run("/* one; two */ INSERT INTO t VALUES (1); -- COMMIT\nDELETE FROM t"), "-DELETE +DELETE"},
		{"a transaction", inTransaction(conn, "INSERT INTO t VALUES (1)", "DELETE FROM t"), "-COMMIT +COMMIT"},
		{"a transaction that fails", inTransaction(conn, "INSERT INTO t VALUES (1)", "SELECT 1/0"), ""},
		{"a savepoint", inTransaction(conn, "SAVEPOINT s", "INSERT INTO t VALUES (1)", "ROLLBACK TO SAVEPOINT s"), "-COMMIT +COMMIT"},
		{"a batch", batch("INSERT INTO t VALUES (5)", "SELECT 1"), "-INSERT +INSERT"},
		{"a batch that is a transaction", batch("BEGIN", "INSERT INTO t VALUES (5)", "COMMIT"), "-COMMIT +COMMIT"},
		{"a copy", func(ctx context.Context) error {
			_, err := conn.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"i", "s"}, rows(2000))
			return err
		}, "-COPY +COPY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen = nil
			err := c.do(t.Context())
			if failing := strings.Contains(c.name, "fails"); failing != (err != nil) {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if got := strings.Join(seen, " "); got != c.want {
				t.Errorf("seen %q, want %q", got, c.want)
			}
		})
	}
}

func TestAHookThatFailsClosesTheConnection(t *testing.T) {
	proxy, address, conn := setup(t)
	exec(t, conn, "CREATE TABLE t (i int)")
	refuse := func(pgwire.Commit) error { return errors.New("killed") }
	for _, c := range []struct {
		name  string
		hooks pgwire.Hooks
		rows  int
	}{
		{"before", pgwire.Hooks{BeforeCommit: refuse}, 0},
		{"after", pgwire.Hooks{AfterCommit: refuse}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			proxy.SetHooks(c.hooks)
			if _, err := connect(t, address).Exec(t.Context(), "INSERT INTO t VALUES ($1)", 1); err == nil {
				t.Error("the statement was confirmed")
			}
			if err := inTransaction(connect(t, address), "INSERT INTO t VALUES (2)")(t.Context()); err == nil {
				t.Error("the transaction was confirmed")
			}
			proxy.SetHooks(pgwire.Hooks{})
			var count int
			if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM t").Scan(&count); err != nil || count != c.rows {
				t.Errorf("%d rows (%v), want %d", count, err, c.rows)
			}
		})
	}
}

func TestABatchIsOneRoundTrip(t *testing.T) {
	proxy, _, conn := setup(t)
	exec(t, conn, "CREATE TABLE t (i int, s text)")
	trips := func(do func()) int64 {
		before := proxy.RoundTrips()
		do()
		return proxy.RoundTrips() - before
	}
	batch := func(size int) func() {
		return func() {
			var b pgx.Batch
			for i := range size {
				b.Queue("SELECT $1::int, $2::text", i, strings.Repeat("y", 500))
			}
			if err := conn.SendBatch(t.Context(), &b).Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	batch(1)() // prepares the statement
	got := map[string]int64{
		"batch of 1":    trips(batch(1)),
		"batch of 1000": trips(batch(1000)),
		"statement":     trips(func() { exec(t, conn, "SELECT $1::int, $2::text", 1, "z") }),
		"COPY": trips(func() {
			if _, err := conn.PgConn().CopyFrom(t.Context(), strings.NewReader("1\ta\n"), "COPY t FROM STDIN"); err != nil {
				t.Fatal(err)
			}
		}),
	}
	for what, count := range got {
		if count != 1 {
			t.Errorf("%s took %d round trips", what, count)
		}
	}
}

func TestCutAndHeal(t *testing.T) {
	proxy, address, conn := setup(t)
	proxy.Cut()
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the connection outlived the cut")
	}
	if _, err := pgx.Connect(t.Context(), address); err == nil {
		t.Error("a connection came through the cut")
	}
	proxy.Heal()
	if err := connect(t, address).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLargeMessagesComeThroughWhole(t *testing.T) {
	_, _, conn := setup(t)
	for _, size := range []int{0, 1, 32<<10 - 20, 32 << 10, 64<<10 - 5, 64 << 10, 3 << 20} {
		text := strings.Repeat("é", size)
		var back string
		if err := conn.QueryRow(t.Context(), "SELECT $1::text", text).Scan(&back); err != nil || back != text {
			t.Errorf("%d bytes came back as %d (%v)", len(text), len(back), err)
		}
		simple := fmt.Sprintf("SELECT '%s'", text)
		if err := conn.QueryRow(t.Context(), simple, pgx.QueryExecModeSimpleProtocol).Scan(&back); err != nil || back != text {
			t.Errorf("%d bytes came back as %d (%v)", len(text), len(back), err)
		}
	}
}

func BenchmarkCopyThroughTheProxy(b *testing.B) {
	_, _, conn := setup(b)
	exec(b, conn, "CREATE UNLOGGED TABLE t (i int, s text)")
	const count = 20000
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.CopyFrom(b.Context(), pgx.Identifier{"t"}, []string{"i", "s"}, rows(count)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(count*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
