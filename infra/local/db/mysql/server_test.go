package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/db/provision"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/shared/shop/sqlfile"
)

func TestTheReferenceFilesLoad(t *testing.T) {
	mysqltest.Each(t, theReferenceFilesLoad)
}

func theReferenceFilesLoad(t *testing.T, server *mysql.Server) {
	root, err := provision.Root()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(root, "..", "shared", "data", "classicmodels")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("the reference data does not lie beside the checkout")
	}
	database := ""
	for _, name := range []string{"mysqlsampledatabase.sql", "ratings.sql"} {
		file, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if database, err = server.LoadSQL(t.Context(), file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	db, err := sql.Open("mysql", server.DSNOf(database))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for table, want := range map[string]int{"customers": 122, "products": 110, "orderdetails": 2996, "ratings": 2532} {
		var rows int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows); err != nil || rows != want {
			t.Errorf("%s has %d rows (%v), want %d", table, rows, err, want)
		}
	}
}

func value(tb testing.TB, dsn, query string) (value string) {
	tb.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(tb.Context(), query).Scan(&value); err != nil {
		tb.Fatal(err)
	}
	return value
}

func load(tb testing.TB, server *mysql.Server, text string) error {
	tb.Helper()
	_, err := server.LoadSQL(tb.Context(), strings.NewReader(text))
	return err
}

// The common behaviour of the engines, on one server each.
func TestEngines(t *testing.T) {
	mysqltest.Each(t, func(t *testing.T, server *mysql.Server) {
		for name, test := range map[string]func(*testing.T, *mysql.Server){
			"a refused statement is named by its line": aRefusedStatementIsNamedByItsLineAndNotByItsData,
			"it comes back on the same port":           itComesBackOnTheSamePort,
			"strangers are refused":                    strangersAreRefused,
			"statements reach no files":                statementsReachNoFiles,
		} {
			t.Run(name, func(t *testing.T) { test(t, server) })
		}
	})
}

func aRefusedStatementIsNamedByItsLineAndNotByItsData(t *testing.T, server *mysql.Server) {
	for text, want := range map[string]string{
		"CREATE DATABASE refused;\nUSE refused;\nCREATE TABLE t (a varchar(9) PRIMARY KEY);\nINSERT INTO t VALUES ('secret');\n\nINSERT INTO t\nVALUES ('secret');": "line 6: MySQL error 1062",
		"SELECT 1;\nSELEC 'secret';":         "line 2: MySQL error 1064",
		"USE mysql;\nSELECT 1 FROM missing;": "line 2: MySQL error 1146: Table 'mysql.missing' doesn't exist",
		"SELECT 1;\nSELECT 'secret":          "line 2: the file ends within quotes",
	} {
		err := load(t, server, text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q gave %v, want %q", text, err, want)
		}
	}
	if err := load(t, server, "SELEC"); !errors.As(err, new(sqlfile.StatementError)) {
		t.Errorf("%v is no StatementError", err)
	}
}

func itComesBackOnTheSamePort(t *testing.T, server *mysql.Server) {
	dsn, err := server.NewDatabase(t.Context(), "d")
	if err != nil {
		t.Fatal(err)
	}
	if err := load(t, server, "USE d; CREATE TABLE t AS SELECT 7 AS n"); err != nil {
		t.Fatal(err)
	}
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
		if server.DSNOf("d") != dsn || value(t, dsn, "SELECT n FROM t") != "7" {
			t.Errorf("%s: it came back as another", name)
		}
	}
}

func TestAFolderIsKeptAndNotShared(t *testing.T) {
	mysqltest.ForTest(t) // skips where no server can be had
	dir := t.TempDir()
	for round := range 2 {
		server, err := mysql.Start(t.Context(), mysql.Config{Engine: mysql.MariaDB, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := load(t, server, "CREATE DATABASE IF NOT EXISTS kept"); err != nil {
			t.Error(err)
		}
		if got := value(t, server.DSNOf("kept"), "SELECT DATABASE()"); got != "kept" {
			t.Errorf("round %d: the database is %s", round, got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		if second, err := mysql.Start(ctx, mysql.Config{Engine: mysql.MariaDB, Dir: dir}); err == nil {
			second.Stop()
			t.Error("a second server started on the same folder")
		}
		cancel()
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}
	if _, err := mysqltest.StartIn(t, mysql.MySQL, dir); err == nil || !strings.Contains(err.Error(), "holds the data of MariaDB") {
		t.Errorf("MySQL on MariaDB's data gave %v", err)
	}
}

func TestAGivenServerIsUsedAndLeftAlone(t *testing.T) {
	server := mysqltest.ForTest(t)
	given, err := mysql.Start(t.Context(), mysql.Config{DSN: server.DSN()})
	if err != nil {
		t.Fatal(err)
	}
	if err := given.Kill(); err == nil {
		t.Error("it killed a server that is not its own")
	}
	if err := given.Stop(); err != nil || value(t, server.DSN(), "SELECT 'up'") != "up" {
		t.Errorf("Stop touched the server (%v)", err)
	}
	if _, err := mysql.Start(t.Context(), mysql.Config{DSN: "root:secret@tcp(127.0.0.1:1)/x"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a server that does not answer gave the error %v", err)
	}
}

func strangersAreRefused(t *testing.T, server *mysql.Server) {
	config, err := driver.ParseDSN(server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	if got := value(t, server.DSN(), "SELECT group_concat(concat(User, '@', Host)) FROM mysql.user WHERE User IN ('root', '')"); got != "root@localhost" {
		t.Errorf("the accounts are %s", got)
	}
	for _, password := range []string{"", "guess"} {
		config.Passwd = password
		db, err := sql.Open("mysql", config.FormatDSN())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.PingContext(t.Context()); err == nil {
			t.Errorf("root came in with the password %q", password)
		}
	}
}

func statementsReachNoFiles(t *testing.T, server *mysql.Server) {
	file := filepath.Join(t.TempDir(), "written")
	if err := os.Chmod(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := load(t, server, "SELECT 1 INTO OUTFILE '"+file+"'"); err == nil {
		t.Error("a statement wrote a file")
	}
	if err := os.WriteFile(file, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := value(t, server.DSN(), "SELECT coalesce(load_file('"+file+"'), 'nothing')"); got != "nothing" {
		t.Error("a statement read a file")
	}
}
