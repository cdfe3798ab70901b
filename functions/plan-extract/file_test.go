package main

import (
	"database/sql"
	"errors"
	"strings"
	"testing"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/runshop"
	"recsys/shared/shop/shopfile"
	"recsys/shared/shop/source"
)

// planOf plans a shop file over a database that the statements make.
func planOf(t *testing.T, server *mysql.Server, file string, active *lake.Latest, statements ...string) (Handler, workflow.Plan, error) {
	t.Helper()
	store, _ := s3test.ForTest(t, "lake")
	if active != nil {
		if _, err := store.PutJSON(t.Context(), lake.LatestKey, active); err != nil {
			t.Fatal(err)
		}
	}
	dsn, err := server.NewDatabase(t.Context(), strings.ReplaceAll(t.Name(), "/", "_"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	shop, err := shopfile.Parse([]byte(file), "shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	database, err := source.Open(t.Context(), settings.Source{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Close() })
	h := Handler{Source: database, Shop: shop, Identity: "shop", Shrinkage: 0.5, Lake: store, RowsPerRange: 2, MaxConcurrency: 8}
	plan, err := h.Handle(t.Context(), event(t))
	return h, plan, err
}

func TestAShopFileIsPlanned(t *testing.T) {
	mysqltest.Each(t, func(t *testing.T, server *mysql.Server) {
		t.Run("types and ranges", func(t *testing.T) {
			h, plan, err := planOf(t, server, `
interactions: {orders: {type: purchase, query: 'SELECT person AS customer, good AS product, at FROM orders WHERE {{range person}}'}}
customers: {query: 'SELECT id AS customer, age FROM people WHERE {{range id}}', columns: {age: number}}
products: {query: 'SELECT id AS product, title FROM goods', columns: {title: name}}
`, nil,
				"CREATE TABLE orders (person BIGINT UNSIGNED, good CHAR(8), at DATETIME)", "CREATE TABLE people (id BIGINT UNSIGNED, age SMALLINT)",
				"CREATE TABLE goods (id CHAR(8), title TEXT)", "INSERT INTO goods VALUES ('a', 'x'), ('b', 'y')",
				"INSERT INTO orders VALUES (NULL,'a',NULL), (5000000000,'a',NULL), (5000000001,'a',NULL), (5000000001,'b',NULL), (7,'a',NULL)")
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Ranges) != 2 || *plan.Ranges[0].UpTo != "7" || *plan.Ranges[1].After != "7" || plan.EstimatedRows != 5 || plan.Products != 2 {
				t.Errorf("planned %+v", plan)
			}
			shop, err := runshop.Read(t.Context(), h.Lake, plan.ID)
			if err != nil || shop.Customer.Type != shape.BigInt || shop.Product.Type != shape.Text || shop.CustomerColumns[0].Type != shape.Int ||
				len(shop.InteractionColumns) != 2 || shop.InteractionColumns[1].Type != shape.Timestamp || shop.Hash != h.Shop.Hash {
				t.Errorf("stored %+v, %v", shop, err)
			}
		})
		t.Run("no address in a plan", func(t *testing.T) {
			_, plan, err := planOf(t, server, `
interactions: {orders: {type: purchase, query: 'SELECT mail AS customer, 1 AS product FROM orders WHERE {{range mail}}'}}
customers: {id: hashed, query: 'SELECT DISTINCT mail AS customer FROM orders WHERE {{range mail}}'}
`, nil, "CREATE TABLE orders (mail VARCHAR(99))",
				"INSERT INTO orders VALUES ('anna@a.no'), ('anna@a.no'), ('annabel@a.no'), ('annabel@a.no'), ('bob@a.no'), ('bob@a.no'), ('zoe@a.no')")
			if err != nil || len(plan.Ranges) != 3 || *plan.Ranges[0].UpTo != "ann" || *plan.Ranges[1].UpTo != "bob" {
				t.Errorf("planned %+v, %v", plan, err)
			}
		})
		t.Run("a mistake leaves no plan", func(t *testing.T) {
			h, _, err := planOf(t, server, `interactions: {orders: {type: purchase, query: 'SELECT mail AS customer FROM orders WHERE {{range mail}}'}}`,
				nil, "CREATE TABLE orders (mail VARCHAR(99))")
			if !errors.Is(err, failure.SchemaMismatch) {
				t.Errorf("got %v", err)
			}
			if _, err := runshop.Read(t.Context(), h.Lake, event(t).ID); err == nil {
				t.Error("a shop is stored")
			}
		})
		t.Run("counts that are estimates", func(t *testing.T) {
			const file = `
interactions:
  orders:
    type: purchase
    query: SELECT person AS customer, good AS product FROM orders WHERE {{range person}}
    count: SELECT person AS range_key, 1 AS n FROM orders GROUP BY person
`
			statements := []string{"CREATE TABLE orders (person INT, good INT)", "INSERT INTO orders VALUES (1,1), (1,2), (1,3), (2,1), (2,2), (2,3)"}
			shop, err := shopfile.Parse([]byte(file), "shop.yaml")
			if err != nil {
				t.Fatal(err)
			}
			active := lake.Latest{Snapshot: "before", Source: "shop", Shop: shop.Hash, Rows: 6, Customers: 2}
			if _, plan, err := planOf(t, server, file, &active, statements...); err != nil || plan.EstimatedRows != 2 || plan.Comparison != "compared with snapshot before" {
				t.Errorf("planned %+v, %v", plan, err)
			}
		})
	})
}
