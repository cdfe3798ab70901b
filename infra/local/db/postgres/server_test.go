package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"recsys/infra/local/db/postgres"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/postgrestest"
)

// parentOf, an environment variable, makes the test binary start a server in that folder, print its URL, and wait to be killed.
const parentOf = "POSTGRES_TEST_PARENT_OF"

func TestMain(m *testing.M) {
	dir := os.Getenv(parentOf)
	if dir == "" {
		os.Exit(m.Run())
	}
	server, err := postgres.Start(context.Background(), postgres.Config{Dir: dir})
	if err != nil {
		os.Stdout.WriteString("failed: " + err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString(server.URL() + "\n")
	select {}
}

func query(tb testing.TB, address, sql string) (value string) {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), address)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(tb.Context(), sql).Scan(&value); err != nil {
		tb.Fatal(err)
	}
	return value
}

func run(tb testing.TB, address, sql string) {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), address)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(tb.Context(), sql); err != nil {
		tb.Fatal(err)
	}
}

func TestTheOwnerOfADatabaseBootstrapsIt(t *testing.T) {
	server := postgrestest.ForTest(t)
	owner, err := server.NewDatabase(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	if got := query(t, owner, "SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user"); got != "false" {
		t.Error("the owner is a superuser")
	}
	run(t, owner, "CREATE EXTENSION IF NOT EXISTS vector; CREATE ROLE reader LOGIN; CREATE SCHEMA s; CREATE TABLE s.t (v vector(2)); INSERT INTO s.t VALUES ('[1,2]'); GRANT USAGE ON SCHEMA s TO reader; GRANT SELECT ON s.t TO reader")
	if got := query(t, server.URLOf("reader", "one"), "SELECT (v <-> '[1,3]')::text FROM s.t"); got != "1" {
		t.Errorf("the distance is %s", got)
	}
	again, err := server.Database(t.Context(), "one")
	if err != nil || again != owner || query(t, again, "SELECT count(*)::text FROM s.t") != "1" {
		t.Errorf("Database emptied the database (%v)", err)
	}
	if _, err := server.NewDatabase(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	if got := query(t, owner, "SELECT count(*)::text FROM pg_namespace WHERE nspname = 's'"); got != "0" {
		t.Error("NewDatabase kept the database")
	}
}

func TestItComesBackOnTheSamePort(t *testing.T) {
	server := postgrestest.ForTest(t)
	address := server.URL()
	run(t, address, "CREATE TABLE t AS SELECT 7::text AS n")
	// The kill comes right after the commit: all committed rows must be there.
	for _, ending := range []struct {
		name string
		end  func() error
	}{{"killed", server.Kill}, {"paused", server.Pause}, {"running", func() error { return nil }}} {
		name := ending.name
		if err := ending.end(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := server.Restart(t.Context()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if server.URL() != address || query(t, address, "SELECT n FROM t") != "7" {
			t.Errorf("%s: it came back as another", name)
		}
	}
}

// It is killed without a chance to clean up, three times on the same folder.
func TestTheServerDiesWithItsProcess(t *testing.T) {
	postgrestest.ForTest(t) // skips where no server can be had
	dir := t.TempDir()
	for range 3 {
		parent := exec.Command(os.Args[0])
		parent.Env = append(os.Environ(), parentOf+"="+dir)
		output, err := parent.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := parent.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(output).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "postgres://") {
			t.Fatalf("the process said %q (%v)", line, err)
		}
		address := strings.TrimSpace(line)
		run(t, address, "CREATE TABLE IF NOT EXISTS t (i int)")
		if err := parent.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		parent.Wait()
		waitUntilGone(t, address)
	}
	server, err := postgres.Start(t.Context(), postgres.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	query(t, server.URL(), "SELECT count(*)::text FROM t")
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error("Stop removed a folder that is to be kept")
	}
}

func waitUntilGone(tb testing.TB, address string) {
	tb.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(testbed.Patience); time.Now().Before(deadline); <-tick.C {
		conn, err := pgx.Connect(tb.Context(), address)
		if err != nil {
			return
		}
		conn.Close(context.Background())
	}
	tb.Fatal("the server outlived its process")
}

func TestAGivenServerIsUsedAndLeftAlone(t *testing.T) {
	server := postgrestest.ForTest(t)
	owner, err := server.NewDatabase(t.Context(), "given")
	if err != nil {
		t.Fatal(err)
	}
	given, err := postgres.Start(t.Context(), postgres.Config{URL: owner})
	if err != nil {
		t.Fatal(err)
	}
	another, err := given.NewDatabase(t.Context(), "another")
	if err != nil {
		t.Fatal(err)
	}
	if got := query(t, another, "SELECT current_user || current_database()"); got != postgres.Admin+"another" {
		t.Errorf("the database is reached as %s", got)
	}
	if err := given.Kill(); err == nil {
		t.Error("it killed a server that is not its own")
	}
	if err := given.Stop(); err != nil || query(t, owner, "SELECT 'up'") != "up" {
		t.Errorf("Stop touched the server (%v)", err)
	}
	if _, err := postgres.Start(t.Context(), postgres.Config{URL: "postgres://nobody:secret@127.0.0.1:1/x"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a server that does not answer gave the error %v", err)
	}
}

func TestTwoServersDoNotShareAFolder(t *testing.T) {
	postgrestest.ForTest(t)
	dir := t.TempDir()
	first, err := postgres.Start(t.Context(), postgres.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if second, err := postgres.Start(ctx, postgres.Config{Dir: dir}); err == nil {
		second.Stop()
		t.Error("a second server started on the same folder")
	}
	if query(t, first.URL(), "SELECT 'up'") != "up" {
		t.Error("the first server was disturbed")
	}
}

// A local account that has no password for the server runs nothing as its user.
func TestStrangersAreRefused(t *testing.T) {
	postgrestest.ForTest(t)
	dir := t.TempDir()
	var kept string
	for range 2 { // the second start finds the password of the first
		server, err := postgres.Start(t.Context(), postgres.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		owner, err := server.Database(t.Context(), "mine")
		if err != nil {
			t.Fatal(err)
		}
		run(t, owner, "DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN")
		for _, role := range []string{postgres.Superuser, postgres.Admin, "stranger"} {
			address, err := url.Parse(server.URL())
			if err != nil {
				t.Fatal(err)
			}
			if password, _ := address.User.Password(); kept == "" {
				kept = password
			} else if password != kept {
				t.Error("the password changed")
			}
			for _, user := range []*url.Userinfo{url.User(role), url.UserPassword(role, "guess")} {
				address.User = user
				if conn, err := pgx.Connect(t.Context(), address.String()); err == nil {
					conn.Close(t.Context())
					t.Errorf("%s came in without the password", role)
				}
			}
		}
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "password")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the password's file: %v, %v", info, err)
	}
}

// A start that was killed early can leave an empty PG_VERSION.
func TestAnUnreadableDataDirectoryIsRefused(t *testing.T) {
	postgrestest.ForTest(t)
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "data"), 0o755), os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	server, err := postgres.Start(t.Context(), postgres.Config{Dir: dir})
	if err == nil {
		server.Stop()
	}
	if err == nil || !strings.Contains(err.Error(), "remove that folder") {
		t.Errorf("started on it: %v", err)
	}
}
