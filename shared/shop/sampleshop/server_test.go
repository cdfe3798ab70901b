package sampleshop_test

import (
	"bytes"
	"database/sql"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"recsys/infra/local/testbed/mysqltest"
	"recsys/shared/contract/settings"
	"recsys/shared/shop/sampleshop"
)

// The server itself checks every key: the checks that the file turns off are left on here.
func TestServerTakesTheShop(t *testing.T) {
	server := mysqltest.ForTest(t)
	big := sampleshop.Options{SampleShop: settings.SampleShop{Seed: 5, Database: "big", Customers: 2_000, Products: 300, Ratings: 40_000, TasteStrength: 1}}
	for _, o := range []sampleshop.Options{sampleshop.Default(), big, sampleshop.Default()} {
		var text bytes.Buffer
		if err := sampleshop.WriteSQL(&text, o); err != nil {
			t.Fatal(err)
		}
		checked := strings.NewReplacer("FOREIGN_KEY_CHECKS=0", "FOREIGN_KEY_CHECKS=1", "UNIQUE_CHECKS=0", "UNIQUE_CHECKS=1").Replace(text.String())
		database, err := server.LoadSQL(t.Context(), strings.NewReader(checked))
		if err != nil {
			t.Fatal(err)
		}
		if database != o.Database {
			t.Errorf("the file ends in database %q, want %q", database, o.Database)
		}
		db, err := sql.Open("mysql", server.DSNOf(o.Database))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for query, want := range map[string]int{
			"SELECT count(*) FROM customers": o.Customers,
			"SELECT count(*) FROM products":  o.Products,
			"SELECT count(*) FROM ratings":   o.Ratings,
			"SELECT count(*) FROM ratings r WHERE NOT EXISTS (SELECT 1 FROM orders o JOIN orderdetails d USING (orderNumber)" +
				" WHERE o.customerNumber = r.customerNumber AND d.productCode = r.productCode)": 0,
			"SELECT count(*) = 0 FROM customers WHERE city = 'Tromsø'":                                        0,
			"SELECT count(*) = 0 FROM orders WHERE comments LIKE '%twice next%'":                              0,
			"SELECT count(*) = 0 FROM orders WHERE comments LIKE '%C:\\\\\\\\orders%'":                        0,
			"SELECT count(*) = 0 FROM orders WHERE comments LIKE '%\nPlease%'":                                0,
			"SELECT count(*) = 0 FROM customers WHERE country LIKE '%  '":                                     0,
			"SELECT count(*) FROM products p WHERE productCode NOT IN (SELECT productCode FROM orderdetails)": 1,
		} {
			var got int
			if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %s: %d (%v), want %d", o.Database, query, got, err, want)
			}
		}
	}
}
