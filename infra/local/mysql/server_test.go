package mysql_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"recsys/infra/local/mysql/mysqltest"
	"recsys/infra/local/provision"
)

func TestTheReferenceFilesLoad(t *testing.T) {
	root, err := provision.Root()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(root, "..", "shared", "data", "classicmodels")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("the reference data does not lie beside the checkout")
	}
	begin := time.Now()
	server := mysqltest.ForTest(t)
	t.Log(time.Since(begin))
	database := ""
	for _, name := range []string{"mysqlsampledatabase.sql", "ratings.sql"} {
		file, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		loaded, err := server.LoadSQL(t.Context(), file, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Logf("%+v %v", loaded, time.Since(begin))
		database = loaded.Database
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
