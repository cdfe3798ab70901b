package source

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
)

// TestSource runs its tests on both engines, each test in a database of its own.
func TestSource(t *testing.T) {
	mysqltest.Each(t, func(t *testing.T, server *mysql.Server) {
		for name, test := range map[string]func(*testing.T, *mysql.Server){
			"ASnapshotIsOfOneMoment":              aSnapshotIsOfOneMoment,
			"RangesReadEveryRatingOnce":           rangesReadEveryRatingOnce,
			"GivingUp":                            givingUp,
			"ATableThatWentAwayIsASchemaMismatch": aTableThatWentAwayIsASchemaMismatch,
			"AViewThatCannotBeReadIsPermanent":    aViewThatCannotBeReadIsPermanent,
			"TypesAsShopsHaveThem":                typesAsShopsHaveThem,
			"ASurveyOfUnsignedNumbers":            aSurveyOfUnsignedNumbers,
			"PostalCodesKeepTheirZeros":           postalCodesKeepTheirZeros,
			"DuplicatesComeInOneOrder":            duplicatesComeInOneOrder,
			"ABrokenViewIsNamed":                  aBrokenViewIsNamed,
			"OrdersAreReadThroughAView":           ordersAreReadThroughAView,
		} {
			t.Run(name, func(t *testing.T) { test(t, server) })
		}
	})
}

var databases atomic.Int64

func setup(tb testing.TB, server *mysql.Server, statements ...string) (*Database, *sql.DB) {
	tb.Helper()
	dsn, err := server.NewDatabase(tb.Context(), fmt.Sprint("shop", databases.Add(1)))
	if err != nil {
		tb.Fatal(err)
	}
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	for _, statement := range append([]string{
		"CREATE TABLE customers (customerNumber INT, city VARCHAR(50), state VARCHAR(50), postalCode VARCHAR(15), country VARCHAR(50), creditLimit DECIMAL(10,2)) CHARACTER SET latin1",
		"CREATE TABLE products (productCode VARCHAR(15), productLine VARCHAR(50), productScale VARCHAR(10), quantityInStock SMALLINT, buyPrice DECIMAL(10,2), MSRP DECIMAL(10,2))",
		"CREATE TABLE ratings (customerNumber INT, productCode VARCHAR(15), productRating INT)",
	}, statements...) {
		if _, err := db.ExecContext(tb.Context(), statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
	database, err := Open(tb.Context(), settings.Source{DSN: dsn})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { database.Close() })
	return database, db
}

// Rows that are written while a range is read belong to no part of it.
func aSnapshotIsOfOneMoment(t *testing.T, server *mysql.Server) {
	database, db := setup(t, server, "INSERT INTO ratings VALUES (1,'a',1),(2,'b',2)", "INSERT INTO customers VALUES (1,'Montréal',NULL,'','Canada',0.10)")
	err := database.Snapshot(t.Context(), shape.Lab, func(s *Snapshot) error {
		for _, statement := range []string{"DELETE FROM ratings", "INSERT INTO products VALUES ('a','','',1,1,1)", "UPDATE customers SET city = 'x'"} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				return err
			}
		}
		ratings, products := 0, 0
		if err := s.Interactions(t.Context(), workflow.Range{}, func(training.Raw) error { ratings++; return nil }); err != nil {
			return err
		}
		if err := s.Products(t.Context(), func(training.Raw) error { products++; return nil }); err != nil {
			return err
		}
		if ratings != 2 || products != 0 {
			t.Errorf("%d ratings and %d products, want 2 and 0", ratings, products)
		}
		return s.Customers(t.Context(), workflow.Range{}, func(raw training.Raw) error {
			c := trainingtest.CustomerOf(raw)
			if c.City != "Montréal" || c.CreditLimit != "0.10" || c.State != "" {
				t.Errorf("got %+v", c)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Every rating is in exactly one range, those without a customer too, and equal keys are not lost.
func rangesReadEveryRatingOnce(t *testing.T, server *mysql.Server) {
	database, _ := setup(t, server, "INSERT INTO ratings VALUES (NULL,'a',1),(5,NULL,1),(5,'b',NULL),(5,'b',3),(-2,'a',1),(7,'a',9)")
	four, five := "4", "5"
	var got []string
	for _, span := range []workflow.Range{{UpTo: &four}, {After: &four, UpTo: &five}, {After: &five}} {
		err := database.Snapshot(t.Context(), shape.Lab, func(s *Snapshot) error {
			return s.Interactions(t.Context(), span, func(r training.Raw) error {
				got = append(got, cmp.Or(r[0], "NULL")+r[1]+r[2])
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 6 || got[0] != "NULLa1" || got[1] != "-2a1" || got[2] != "51" || got[5] != "7a9" {
		t.Errorf("got %q", got)
	}
}

// A reader that gives up leaves a database that can be read again, and its own error.
func givingUp(t *testing.T, server *mysql.Server) {
	database, _ := setup(t, server, "INSERT INTO ratings VALUES (1,'a',1),(2,'a',1)")
	enough := errors.New("enough")
	for range 2 {
		err := database.Snapshot(t.Context(), shape.Lab, func(s *Snapshot) error {
			return s.Interactions(t.Context(), workflow.Range{}, func(training.Raw) error { return enough })
		})
		if !errors.Is(err, enough) {
			t.Errorf("got %v", err)
		}
	}
}

func aTableThatWentAwayIsASchemaMismatch(t *testing.T, server *mysql.Server) {
	database, _ := setup(t, server, "DROP TABLE products")
	err := database.Snapshot(t.Context(), shape.Lab, func(s *Snapshot) error {
		return s.Products(t.Context(), func(training.Raw) error { return nil })
	})
	if !errors.Is(err, failure.SchemaMismatch) {
		t.Errorf("got %v", err)
	}
}
