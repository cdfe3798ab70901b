package source

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	mysqldriver "github.com/go-sql-driver/mysql"

	"recsys/infra/local/db/mysql"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/settings"
)

var mistakeTables = []string{
	"CREATE TABLE orders (customer_id INT, product_id INT, at DATETIME, note TEXT, token VARBINARY(20), mail VARCHAR(50), day TIME, KEY (customer_id))",
	"CREATE TABLE people (id INT, city VARCHAR(20), photo BLOB)", "CREATE TABLE goods (id INT, title TEXT, price VARCHAR(20))",
	"INSERT INTO orders VALUES (1,1,NULL,'','','',NULL), (2,1,NULL,'','','',NULL), (3,1,NULL,'','','',NULL)",
	"CREATE TABLE other (a INT, b INT)", "INSERT INTO other VALUES (1,3), (2,2), (3,1)",
}

// Every mistake is a SchemaMismatch with the file's line, the query, the column, and a remedy.
func mistakesAreNamed(t *testing.T, server *mysql.Server) {
	const (
		orders   = "SELECT customer_id AS customer, product_id AS product FROM orders WHERE {{range customer_id}}"
		people   = "customers: {query: 'SELECT id AS customer, city FROM people WHERE {{range id}}', columns: {city: category}}\n"
		goods    = "products: {query: 'SELECT id AS product, title FROM goods', columns: {title: name}}\n"
		purchase = "interactions:\n  bought:\n    type: purchase\n    query: |\n      "
	)
	for name, test := range map[string]struct {
		file string
		want []string
	}{
		"syntax":           {purchase + "SELECT customer_id AS customer,\n      FROM orders WHERE {{range customer_id}}\n", []string{"line 5, query bought", "1064", "line 6 of the shop file", "mend the query"}},
		"no such table":    {purchase + "SELECT customer_id AS customer, 1 AS product FROM gone WHERE {{range customer_id}}\n", []string{"line 5, query bought", "gone"}},
		"no such column":   {purchase + "SELECT nobody AS customer, 1 AS product FROM orders WHERE {{range customer_id}}\n", []string{"query bought", "1054", "nobody"}},
		"no such KEY":      {purchase + "SELECT customer_id AS customer, 1 AS product FROM orders WHERE {{range o.customer_id}}\n", []string{"query bought", "1054", "o.customer_id"}},
		"ambiguous column": {purchase + "SELECT x.id AS customer, 1 AS product FROM people x JOIN goods y WHERE {{range id}}\n", []string{"query bought", "1052", "write the table before it"}},
		"duplicate names":  {purchase + "SELECT customer_id AS customer, product_id AS customer FROM orders WHERE {{range customer_id}}\n", []string{"query bought", "1060", "customer", "AS"}},
		"no customer":      {purchase + "SELECT product_id AS product FROM orders WHERE {{range customer_id}}\n", []string{"query bought", "column customer is missing", "AS customer"}},
		"no product":       {purchase + "SELECT customer_id AS customer FROM orders WHERE {{range customer_id}}\n", []string{"query bought", "column product is missing"}},
		"mistyped":         {purchase + "SELECT customer_id AS customer, 1 AS product, 2 AS quantitty FROM orders WHERE {{range customer_id}}\n", []string{"query bought", "column quantitty is none of", "quantity"}},
		"time is text":     {purchase + "SELECT customer_id AS customer, 1 AS product, note AS at FROM orders WHERE {{range customer_id}}\n", []string{"query bought", "column at is", "DATETIME"}},
		"quantity is text": {purchase + "SELECT customer_id AS customer, 1 AS product, note AS quantity FROM orders WHERE {{range customer_id}}\n", []string{"column quantity is", "CAST"}},
		"id is a time":     {purchase + "SELECT day AS customer, 1 AS product FROM orders WHERE {{range day}}\n", []string{"column customer is TIME", "BINARY(16)"}},
		"no type":          {"interactions:\n  bought:\n    query: " + orders + "\n", []string{"line 3, query bought", "no type", "type: purchase"}},
		"two types":        {purchase + "SELECT customer_id AS customer, 1 AS product, 'view' AS type FROM orders WHERE {{range customer_id}}\n", []string{"column type", "leave one of them out"}},
		"missing column":   {purchase + orders + "\n" + strings.Replace(people, "{city: category}", "{city: category, country: category}", 1), []string{"query customers", "column country is missing", "AS country"}},
		"undeclared column": {purchase + orders + "\ncustomers: {query: 'SELECT id AS customer, city FROM people WHERE {{range id}}'}\n",
			[]string{"query customers", "column city is none of customer", "declare it"}},
		"bytes as a text": {purchase + orders + "\ncustomers: {query: 'SELECT id AS customer, photo FROM people WHERE {{range id}}', columns: {photo: category}}\n",
			[]string{"column photo is BLOB", "category", "HEX"}},
		"price is text": {purchase + orders + "\nproducts: {query: 'SELECT id AS product, price FROM goods', columns: {price: price}}\n",
			[]string{"query products", "column price is VARCHAR", "role price", "CAST"}},
		"ids of two types": {purchase + orders + "\n" + strings.Replace(people, "id AS", "city AS", 1), []string{"query customers", "column customer is VARCHAR", "INT in", "query bought", "CAST"}},
		"declared otherwise": {purchase + "SELECT mail AS customer, 1 AS product FROM orders WHERE {{range mail}}\ncustomers: {id: int, query: 'SELECT city AS customer FROM people WHERE {{range city}}'}\n",
			[]string{"column customer is VARCHAR", "declared as int"}},
		"KEY is another column": {purchase + "SELECT a AS customer, 1 AS product FROM other WHERE {{range b}}\n", []string{"query bought", "{{range b}}", "KEY has to be", "customer"}},
		"customers' KEY is another column": {purchase + "SELECT a AS customer, 1 AS product FROM other WHERE {{range a}}\ncustomers: {query: 'SELECT a AS customer FROM other WHERE {{range b}}'}\n",
			[]string{"query customers", "{{range b}}"}},
		"count without a key": {"interactions: {bought: {type: purchase, count: 'SELECT customer_id, COUNT(*) AS n FROM orders GROUP BY 1', query: '" + orders + "'}}\n", []string{"query bought", "count", "range_key"}},
		"count of a text":     {"interactions: {bought: {type: purchase, count: 'SELECT customer_id AS range_key, note FROM orders', query: '" + orders + "'}}\n", []string{"query bought", "column note of count", "COUNT(*)"}},
		"several mistakes":    {purchase + "SELECT customer_id AS customer FROM orders WHERE {{range customer_id}}\n" + strings.Replace(goods, "title FROM", "price FROM", 1), []string{"query bought", "column product is missing", "query products", "column title is missing"}},
		"a statement that changes": {purchase + "SELECT customer_id AS customer, 1 AS product FROM orders WHERE {{range customer_id}} INTO OUTFILE '/tmp/x'\n",
			[]string{"query bought"}},
	} {
		t.Run(name, func(t *testing.T) {
			database, shop, _ := shopOf(t, server, test.file, mistakeTables...)
			_, err := database.Survey(t.Context(), shop, func(*string, int64) {})
			if !errors.Is(err, failure.SchemaMismatch) {
				t.Fatalf("got %v", err)
			}
			for _, want := range append(test.want, "shop file shop") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

// A large table without an index on KEY is read in full for every range, which the plan says.
func aMissingIndexIsAWarning(t *testing.T, server *mysql.Server) {
	const file = `
interactions:
  bought: {type: purchase, query: 'SELECT o.person AS customer, o.good AS product FROM purchases o WHERE {{range o.person}}'}
`
	database, shop, db := shopOf(t, server, file,
		"CREATE TABLE purchases (id INT PRIMARY KEY AUTO_INCREMENT, person INT, good INT)", "INSERT INTO purchases (person, good) VALUES (1,1),(2,2),(3,3),(4,4)")
	for range 13 { // 32,768 rows
		if _, err := db.ExecContext(t.Context(), "INSERT INTO purchases (person, good) SELECT person + 4, good FROM purchases"); err != nil {
			t.Fatal(err)
		}
	}
	warned := func() []string {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), "ANALYZE TABLE purchases"); err != nil {
			t.Fatal(err)
		}
		found, err := database.Survey(t.Context(), shop, func(*string, int64) {})
		if err != nil {
			t.Fatal(err)
		}
		return found.Warnings
	}
	got := warned()
	if len(got) != 1 || !strings.Contains(got[0], "table purchases") || !strings.Contains(got[0], "index on its column person") || !strings.Contains(got[0], "query bought") {
		t.Errorf("warned %q", got)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE INDEX by_person ON purchases (person)"); err != nil {
		t.Fatal(err)
	}
	if got := warned(); len(got) != 0 {
		t.Errorf("with the index: warned %q", got)
	}
}

// shop-check's look finds types, counts and rows.
func inspectingChangesNothing(t *testing.T, server *mysql.Server) {
	const file = `
interactions:
  orders: {type: purchase, query: 'SELECT customer_id AS customer, product_id AS product, at FROM orders WHERE {{range customer_id}}'}
  events: {query: "SELECT a AS customer, b AS product, IF(b > 2, 'View', 'wish') AS type FROM other WHERE {{range a}}"}
products: {query: 'SELECT id AS product, title FROM goods', columns: {title: name}}
`
	database, shop, _ := shopOf(t, server, file, append(mistakeTables, "INSERT INTO goods VALUES (1,'a thing','')")...)
	found, err := database.Inspect(t.Context(), shop)
	if err != nil {
		t.Fatal(err)
	}
	if found.Interactions != 6 || found.Customers != 3 || found.Products != 1 || fmt.Sprint(found.Kinds) != "map[purchase:3 view:1 wish:2]" {
		t.Errorf("found %+v, %v", found.Survey, found.Kinds)
	}
	var samples []string
	for _, sample := range found.Samples {
		samples = append(samples, fmt.Sprint(sample.Query, " ", sample.Columns, " ", len(sample.Rows), " ", sample.Rows[0]))
	}
	equal(t, "samples", samples, "orders [customer product type at] 3 [1 1 purchase ]", "events [customer product type at] 3 [1 3 View ]", "products [product title] 1 [1 a thing]")
}

// The right to SELECT is enough.
func aReaderThatMayOnlySelect(t *testing.T, server *mysql.Server) {
	database, shop, db := shopOf(t, server, plainShop, "CREATE TABLE orders (customer_id INT, product_id INT, at DATETIME)",
		"CREATE TABLE people (id INT, city VARCHAR(9), name VARCHAR(9))", "CREATE TABLE goods (id INT, title TEXT, price DECIMAL(10,2))",
		"CREATE SQL SECURITY DEFINER VIEW visible AS SELECT * FROM orders", "INSERT INTO orders VALUES (1,1,NULL), (2,1,NULL)")
	database.Close()
	user := fmt.Sprint("reader", databases.Add(1))
	var name string
	if err := db.QueryRowContext(t.Context(), "SELECT DATABASE()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"CREATE USER " + user + "@'%' IDENTIFIED BY 'secret'", "GRANT SELECT ON " + name + ".visible TO " + user, "GRANT SELECT ON " + name + ".goods TO " + user,
		"GRANT SELECT (id, city) ON " + name + ".people TO " + user,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	config := serverConfig(t, server)
	config.User, config.Passwd, config.DBName = user, "secret", name
	reading, err := Open(t.Context(), settings.Source{DSN: config.FormatDSN()})
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	if _, err := reading.Survey(t.Context(), shop, func(*string, int64) {}); !errors.Is(err, failure.SchemaMismatch) || !strings.Contains(err.Error(), "grant") {
		t.Errorf("a table that it may not read: %v", err)
	}
	shop.Source.Interactions[0].SQL = strings.Replace(shop.Source.Interactions[0].SQL, "FROM orders o", "FROM visible o", 1)
	found, interactions, _, _ := readAll(t, reading, shop)
	equal(t, "interactions", interactions, "1|1|purchase|", "2|1|purchase|")
	if found.Interactions != 2 {
		t.Errorf("found %+v", found)
	}
}

// A query that is more than one SELECT never runs, whatever the DSN allows. Shop files refuse most of them before.
func onlyOneSelectRuns(t *testing.T, server *mysql.Server) {
	_, shop, db := shopOf(t, server, plainShop, "CREATE TABLE orders (customer_id INT, product_id INT, at DATETIME)",
		"CREATE TABLE people (id INT, city VARCHAR(9))", "CREATE TABLE goods (id INT, title TEXT, price DECIMAL(10,2))")
	var name string
	if err := db.QueryRowContext(t.Context(), "SELECT DATABASE()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	config := serverConfig(t, server)
	config.DBName, config.MultiStatements, config.ParseTime = name, true, true
	database, err := Open(t.Context(), settings.Source{DSN: config.FormatDSN()})
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	for _, sql := range []string{
		"SELECT 1 AS product, '' AS title, 1 AS price) q; DROP TABLE orders; SELECT * FROM (SELECT 1",
		"DELETE FROM orders", "SELECT id AS product, title, price FROM goods FOR UPDATE; DROP TABLE orders",
	} {
		shop.Source.Products.SQL = sql
		if _, err := database.Survey(t.Context(), shop, func(*string, int64) {}); !errors.Is(err, failure.SchemaMismatch) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	var orders int
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM orders").Scan(&orders); err != nil {
		t.Error(err)
	}
}

func serverConfig(tb testing.TB, server *mysql.Server) *mysqldriver.Config {
	tb.Helper()
	config, err := mysqldriver.ParseDSN(server.DSN())
	if err != nil {
		tb.Fatal(err)
	}
	return config
}
