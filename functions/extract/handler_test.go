package main

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/infra/local/testbed/s3test"
	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/runshop"
	"recsys/shared/shop/source"
	"recsys/shared/shop/training"
)

func event(tb testing.TB) workflow.RangeInput { return testbed.Event[workflow.RangeInput](tb) }

// setup makes a shop in which so many customers, from 1, have rated so many products each.
func setup(tb testing.TB, customers, products int) Handler {
	tb.Helper()
	store, _ := s3test.ForTest(tb, "lake")
	dsn, err := mysqltest.ForTest(tb).NewDatabase(tb.Context(), "shop")
	if err != nil {
		tb.Fatal(err)
	}
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		"CREATE TABLE customers (customerNumber INT PRIMARY KEY, city VARCHAR(50), state VARCHAR(50), postalCode VARCHAR(15), country VARCHAR(50), creditLimit DECIMAL(10,2))",
		"CREATE TABLE products (productCode VARCHAR(15) PRIMARY KEY, productLine VARCHAR(50), productScale VARCHAR(10), quantityInStock SMALLINT, buyPrice DECIMAL(10,2), MSRP DECIMAL(10,2))",
		"CREATE TABLE ratings (customerNumber INT, productCode VARCHAR(15), productRating INT, PRIMARY KEY (customerNumber, productCode))",
		"CREATE TABLE numbers (n INT PRIMARY KEY)",
		"INSERT INTO numbers WITH RECURSIVE d(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM d WHERE n < 1000) SELECT n FROM d",
		fmt.Sprintf("INSERT INTO customers SELECT n, 'Oslo ', NULL, '4110', 'Norway', 81700 FROM numbers WHERE n <= %d", customers),
		fmt.Sprintf("INSERT INTO products SELECT CONCAT('S', n), 'Cars', '1:10', n, 48.81, 95.7 FROM numbers WHERE n <= %d", products),
		"INSERT INTO ratings SELECT customerNumber, productCode, 3 FROM customers, products",
	} {
		if _, err := db.ExecContext(tb.Context(), statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
	if err := runshop.Write(tb.Context(), store, event(tb).ID, shape.Lab); err != nil {
		tb.Fatal(err)
	}
	database, err := source.Open(tb.Context(), settings.Source{DSN: dsn})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { database.Close() })
	return Handler{Source: database, Lake: store}
}

// The event's range is 103 to 496 of 500 customers.
func TestExtract(t *testing.T) {
	h, in := setup(t, 500, 4), event(t)
	out, err := h.Handle(t.Context(), in)
	if want := (workflow.Extracted{Ratings: 394 * 4, Customers: 394, Products: 4}); err != nil || out != want {
		t.Fatalf("got %+v, %v", out, err)
	}
	ratings, err := training.OpenTable[trainingtest.RawRating](t.Context(), h.Lake, lake.RawKey(in.ID, "ratings", 7))
	if err != nil {
		t.Fatal(err)
	}
	defer ratings.Close()
	for i := range 394 * 4 {
		rating, err := ratings.Next()
		if err != nil || rating.CustomerNumber != fmt.Sprint(103+i/4) || rating.ProductCode != fmt.Sprint("S", i%4+1) || rating.ProductRating != "3" {
			t.Fatalf("rating %d: %v", i, err)
		}
	}
	products, err := training.OpenTable[trainingtest.RawProduct](t.Context(), h.Lake, lake.RawKey(in.ID, "products", 7))
	if err != nil {
		t.Fatal(err)
	}
	defer products.Close()
	if product, err := products.Next(); err != nil || product.MSRP != "95.70" || product.QuantityInStock != "1" {
		t.Errorf("got %+v, %v", product, err)
	}
}

// The plan was made of another type of ratings.
func TestATypeThatChangedMeanwhile(t *testing.T) {
	h, in := setup(t, 1, 1), event(t)
	if _, err := h.Lake.PutJSON(t.Context(), lake.ShapeKey(in.ID), shape.Lab.WithRatings("decimal(3,2)")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Handle(t.Context(), in); !errors.Is(err, failure.SchemaMismatch) {
		t.Errorf("got %v", err)
	}
}

func TestInvalidInput(t *testing.T) {
	if _, err := (Handler{}).Handle(t.Context(), workflow.RangeInput{}); !errors.Is(err, failure.InvalidInput) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkExtract(b *testing.B) {
	const customers, products = 1000, 100
	h, in := setup(b, customers, products), event(b)
	in.Range.After, in.Range.UpTo = nil, nil
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Handle(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*customers*products/b.Elapsed().Seconds(), "rows/s")
}
