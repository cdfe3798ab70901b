package main

import (
	"database/sql"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/runshop"
	"recsys/shared/shop/shopfile"
	"recsys/shared/shop/source"
	"recsys/shared/shop/training"
)

// Raw files of a shop file hold texts in the order of the contract, and NULL for values that are missing.
func TestAShopFileIsExtracted(t *testing.T) {
	mysqltest.Each(t, func(t *testing.T, server *mysql.Server) {
		h, in, db := fileShop(t, server)
		out, err := h.Handle(t.Context(), in)
		if want := (workflow.Extracted{Ratings: 4, Customers: 2, Products: 1}); err != nil || out != want {
			t.Fatalf("got %+v, %v", out, err)
		}
		for table, want := range map[training.TableName][]string{
			training.InteractionTable: {
				"|a|purchase|2024-07-01 10:00:00|2|", "102||view|2024-01-01 11:00:00||", "103|a|view|||", "103|a|purchase|2024-01-01 11:00:00|1|9.50",
			},
			training.CustomerTable: {"102|Oslo", "103|"},
			training.ProductTable:  {"a|a thing"},
		} {
			if got := raw(t, h, in, table); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", table, got, want)
			}
		}
		if _, err := db.ExecContext(t.Context(), "ALTER TABLE orders DROP COLUMN price"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Handle(t.Context(), in); !errors.Is(err, failure.SchemaMismatch) {
			t.Errorf("a column that went away: %v", err)
		}
	})
}

// fileShop makes a shop with orders and views, and plans it. The range of the event is up to customer 103.
func fileShop(t *testing.T, server *mysql.Server) (Handler, workflow.RangeInput, *sql.DB) {
	t.Helper()
	dsn, err := server.NewDatabase(t.Context(), "filed")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, statement := range []string{
		"CREATE TABLE orders (person INT, good VARCHAR(9), at DATETIME, pieces INT, price DECIMAL(10,2))", "CREATE TABLE views (person INT, good VARCHAR(9), seen TIMESTAMP NULL)",
		"CREATE TABLE people (id INT, city VARCHAR(9))", "CREATE TABLE goods (id VARCHAR(9), title TEXT)",
		"INSERT INTO orders VALUES (103,'a','2024-01-01 12:00:00',1,9.5), (NULL,'a','2024-07-01 12:00:00',2,NULL), (104,'a',NULL,1,1)",
		"SET time_zone = '+00:00'", "INSERT INTO people VALUES (103,NULL), (102,'Oslo'), (104,'Rome')", "INSERT INTO goods VALUES ('a','a thing')",
		"INSERT INTO views VALUES (103,'a',NULL), (102,NULL,'2024-01-01 11:00:00')",
	} {
		db.SetMaxOpenConns(1) // for the session's time zone
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	shop, err := shopfile.Parse([]byte(`
timezone: Europe/Paris
interactions:
  orders: {type: purchase, query: 'SELECT person AS customer, good AS product, at, pieces AS quantity, pieces * price AS value FROM orders WHERE {{range person}}'}
  views: {type: view, query: 'SELECT person AS customer, good AS product, seen AS at FROM views WHERE {{range person}}'}
customers: {query: 'SELECT id AS customer, city FROM people WHERE {{range id}}', columns: {city: category}}
products: {query: 'SELECT id AS product, title FROM goods', columns: {title: name}}
`), "shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	database, err := source.Open(t.Context(), settings.Source{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Close() })
	found, err := database.Survey(t.Context(), shop, func(*string, int64) {})
	if err != nil {
		t.Fatal(err)
	}
	store, _ := s3test.ForTest(t, "lake")
	in, last := event(t), "103"
	in.Range = workflow.Range{UpTo: &last}
	if err := runshop.Write(t.Context(), store, in.ID, found.Shop); err != nil {
		t.Fatal(err)
	}
	return Handler{Source: database, Lake: store}, in, db
}

// raw returns a raw file as one line a row.
func raw(t *testing.T, h Handler, in workflow.RangeInput, table training.TableName) (lines []string) {
	t.Helper()
	shop, err := runshop.Read(t.Context(), h.Lake, in.ID)
	if err != nil {
		t.Fatal(err)
	}
	file, err := training.OpenRaw(t.Context(), h.Lake, shop, table, lake.RawKey(in.ID, string(table), in.Range.Index))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for {
		row, err := file.Next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Join(row, "|"))
	}
}
