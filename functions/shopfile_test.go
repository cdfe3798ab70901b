package functions

import (
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
)

// idShop is a shop file over the tables orders, people and goods.
const idShop = `
timezone: Europe/Paris
interactions:
  orders: {type: purchase, query: 'SELECT person AS customer, good AS product, at FROM orders WHERE {{range person}}'}
customers: {QUERY, columns: {city: category}, group: city}
products: {query: 'SELECT id AS product, title FROM goods', columns: {title: name}}
`

// Ids as shops have them come through the whole stage: from MySQL's type to the column of the snapshot's files.
func TestIDsOfAShopFile(t *testing.T) {
	mysqltest.Each(t, idsOfAShopFile)
}

func idsOfAShopFile(t *testing.T, server *mysql.Server) {
	hash := shape.ID{Type: shape.Text, Hashed: true}.Stored
	for name, test := range map[string]struct {
		customer, product string   // types
		people, goods     []string // SQL values, three and one
		hashed            bool
		wantType          shape.Type
		want              []string // customers
		wantProduct       string
	}{
		"uuid": {"BINARY(16)", "BINARY(16)",
			[]string{"UNHEX('00112233445566778899aabbccddeeff')", "UNHEX('8899aabbccddeeff0011223344556677')", "UNHEX('ffeeddccbbaa99887766554433221100')"},
			[]string{"UNHEX('0000000000000000000000000000275c')"}, false, shape.Text,
			[]string{"00112233-4455-6677-8899-aabbccddeeff", "8899aabb-ccdd-eeff-0011-223344556677", "ffeeddcc-bbaa-9988-7766-554433221100"},
			"00000000-0000-0000-0000-00000000275c"},
		"large": {"BIGINT UNSIGNED", "BIGINT UNSIGNED", []string{"4294967297", "9223372036854775807", "12"}, []string{"5000000000"}, false, shape.BigInt,
			[]string{"12", "4294967297", "9223372036854775807"}, "5000000000"},
		"texts": {"VARCHAR(40)", "VARCHAR(40)", []string{"'anna'", "'客'", "'Zoë/1'"}, []string{"'a=b&c'"}, false, shape.Text, []string{"Zoë/1", "anna", "客"}, "a=b&c"},
		"mails": {"VARCHAR(40)", "INT", []string{"'Anna@Example.com'", "'bob@example.com'", "'zoe@example.com'"}, []string{"7"}, true, shape.Text,
			[]string{hash("anna@example.com"), hash("bob@example.com"), hash("zoe@example.com")}, "7"},
	} {
		t.Run(name, func(t *testing.T) {
			dsn, err := server.NewDatabase(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			db, err := sql.Open("mysql", dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			statements := []string{
				"CREATE TABLE orders (person " + test.customer + " NULL, good " + test.product + ", at DATETIME, KEY (person))",
				"CREATE TABLE people (id " + test.customer + " PRIMARY KEY, city VARCHAR(20))", "CREATE TABLE goods (id " + test.product + " PRIMARY KEY, title TEXT)",
				"INSERT INTO goods VALUES (" + test.goods[0] + ", 'a thing')", "INSERT INTO orders VALUES (NULL, " + test.goods[0] + ", NULL)",
			}
			for _, person := range test.people {
				statements = append(statements, "INSERT INTO people VALUES ("+person+", 'Oslo')",
					"INSERT INTO orders VALUES ("+person+", "+test.goods[0]+", '2024-07-01 12:00:00')")
			}
			for _, statement := range statements {
				if _, err := db.ExecContext(t.Context(), statement); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
			query := "query: 'SELECT id AS customer, city FROM people WHERE {{range id}}'"
			if test.hashed {
				query = "id: hashed, " + query
			}
			file := filepath.Join(t.TempDir(), name+".yaml")
			if err := os.WriteFile(file, []byte(strings.Replace(idShop, "QUERY", query, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			s := setup(t, dsn, 1, file)
			run := runAt(name, 0)
			out := mustRun(t, s, run)
			if out.Status != "published" || out.Rows != 3 || out.Rejected != 0 {
				t.Fatalf("published %+v", out)
			}
			manifest := manifestOf(t, s, run)
			if manifest.Shop.Customer.Type != test.wantType || manifest.Customers != 3 || manifest.Skipped["guest"] != 1 ||
				!manifest.Newest.Equal(time.Date(2024, 7, 1, 10, 0, 0, 0, time.UTC)) {
				t.Errorf("manifest %+v", manifest)
			}
			customers, products := idsOf(t, s, run, *manifest.Shop)
			slices.Sort(test.want)
			if !slices.Equal(customers, test.want) || len(products) != 1 || products[0] != test.wantProduct {
				t.Errorf("customers %q and products %q, want %q and %q", customers, products, test.want, test.wantProduct)
			}
		})
	}
}

func manifestOf(t *testing.T, s stage, run workflow.Run) (manifest lake.Manifest) {
	t.Helper()
	if _, err := s.lake.GetJSON(t.Context(), lake.ManifestKey(run.ID), 1<<20, &manifest); err != nil {
		t.Fatal(err)
	}
	return manifest
}

// idsOf returns the ids in a snapshot's files, sorted by their texts.
func idsOf(t *testing.T, s stage, run workflow.Run, shop shape.Shop) (customers, products []string) {
	t.Helper()
	manifest := manifestOf(t, s, run)
	for i := range manifest.Ranges {
		key := lake.PartKey(run.ID, i)
		if shop.Customer.Type.Whole() {
			eachRow(t, s, key, func(row struct {
				Customer int64 `parquet:"customer"`
				Product  int64 `parquet:"product"`
			}) {
				customers, products = append(customers, strconv.FormatInt(row.Customer, 10)), append(products, strconv.FormatInt(row.Product, 10))
			})
			continue
		}
		if shop.Product.Type.Whole() {
			eachRow(t, s, key, func(row struct {
				Customer string `parquet:"customer"`
				Product  int32  `parquet:"product"`
			}) {
				customers, products = append(customers, row.Customer), append(products, strconv.Itoa(int(row.Product)))
			})
			continue
		}
		eachRow(t, s, key, func(row struct {
			Customer string `parquet:"customer"`
			Product  string `parquet:"product"`
		}) {
			customers, products = append(customers, row.Customer), append(products, row.Product)
		})
	}
	slices.Sort(customers)
	slices.Sort(products)
	return customers, slices.Compact(products)
}

func eachRow[T any](t *testing.T, s stage, key string, visit func(T)) {
	t.Helper()
	table, err := training.OpenTable[T](t.Context(), s.lake, key)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		visit(*row)
	}
}
