package source

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/shopfile"
	"recsys/shared/shop/training"
)

// TestShopFiles runs its tests on both engines, each test in a database of its own.
func TestShopFiles(t *testing.T) {
	mysqltest.Each(t, func(t *testing.T, server *mysql.Server) {
		for name, test := range map[string]func(*testing.T, *mysql.Server){
			"IDsAsShopsHaveThem":          idsAsShopsHaveThem,
			"SeveralQueriesAreOneTable":   severalQueriesAreOneTable,
			"TimesBecomeUTC":              timesBecomeUTC,
			"TypesOfColumns":              typesOfColumns,
			"EMailAddressesStay":          eMailAddressesStay,
			"CollationsMayDiffer":         collationsMayDiffer,
			"AKeyThatIsNotTheID":          aKeyThatIsNotTheID,
			"MistakesAreNamed":            mistakesAreNamed,
			"AMissingIndexIsAWarning":     aMissingIndexIsAWarning,
			"CountsOfTheFile":             countsOfTheFile,
			"AShopOfInteractionsAlone":    aShopOfInteractionsAlone,
			"InspectingChangesNothing":    inspectingChangesNothing,
			"AReaderThatMayOnlySelect":    aReaderThatMayOnlySelect,
			"OnlyOneSelectRuns":           onlyOneSelectRuns,
			"HostileQueriesChangeNothing": hostileQueriesChangeNothing,
			"AQueryThatSleepsStops":       aQueryThatSleepsStops,
			"LateCustomersAreInSomeRange": lateCustomersAreInSomeRange,
		} {
			t.Run(name, func(t *testing.T) { test(t, server) })
		}
	})
}

// shopOf makes a database of the statements and reads a shop file. The file is plain YAML.
func shopOf(tb testing.TB, server *mysql.Server, file string, statements ...string) (*Database, shape.Shop, *sql.DB) {
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
	for _, statement := range statements {
		if _, err := db.ExecContext(tb.Context(), statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
	database, err := Open(tb.Context(), settings.Source{DSN: dsn})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { database.Close() })
	shop, err := shopfile.Parse([]byte(file), "shop.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	return database, shop, db
}

// readAll surveys a shop, cuts a range after each of the customers, and returns the rows of all ranges: interactions and
// customers as text, one line a row, a range's lines under each other.
func readAll(tb testing.TB, database *Database, shop shape.Shop) (found Survey, interactions, customers, products []string) {
	tb.Helper()
	var keys []string
	found, err := database.Survey(tb.Context(), shop, func(key *string, _ int64) {
		if key != nil && !slices.Contains(keys, *key) {
			keys = append(keys, *key)
		}
	})
	if err != nil {
		tb.Fatal(err)
	}
	for i := range len(keys) + 1 {
		span := workflow.Range{Index: i}
		if i > 0 {
			span.After = &keys[i-1]
		}
		if i < len(keys) {
			span.UpTo = &keys[i]
		}
		err := database.Snapshot(tb.Context(), found.Shop, func(s *Snapshot) error {
			products = nil
			if err := s.Interactions(tb.Context(), span, lines(&interactions)); err != nil {
				return err
			}
			if err := s.Customers(tb.Context(), span, lines(&customers)); err != nil {
				return err
			}
			return s.Products(tb.Context(), lines(&products))
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return found, interactions, customers, products
}

func lines(into *[]string) func(training.Raw) error {
	return func(raw training.Raw) error {
		*into = append(*into, strings.Join(raw, "|"))
		return nil
	}
}

func equal(tb testing.TB, name string, got []string, want ...string) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("%s %q, want %q", name, got, want)
	}
}

// plainShop is a file of the tables orders, people and goods.
const plainShop = `
interactions:
  orders:
    type: purchase
    query: SELECT o.customer_id AS customer, o.product_id AS product, o.at FROM orders o WHERE {{range o.customer_id}}
customers: {query: 'SELECT id AS customer, city FROM people WHERE {{range id}}', columns: {city: category}, group: city}
products: {query: 'SELECT id AS product, title, price FROM goods', columns: {title: name, price: price}}
`

// All interactions of a customer are neighbours, whichever queries they are from. A column that a query lacks is NULL.
func severalQueriesAreOneTable(t *testing.T, server *mysql.Server) {
	const file = `
interactions:
  orders:
    type: purchase
    query: SELECT customer_id AS customer, sku AS product, at, pieces AS quantity, pieces * price AS value FROM orders WHERE {{range customer_id}}
  reviews:
    type: rating
    query: SELECT user AS customer, sku AS product, at, stars AS rating FROM reviews WHERE {{range user}}
  events:
    query: SELECT user AS customer, sku AS product, kind AS type, seconds AS at FROM events WHERE {{range user}}
products: {query: SELECT DISTINCT sku AS product FROM orders}
`
	database, shop, _ := shopOf(t, server, file,
		"CREATE TABLE orders (customer_id INT, sku VARCHAR(9) CHARACTER SET latin1, at DATETIME(3), pieces SMALLINT, price DECIMAL(10,2))",
		"CREATE TABLE reviews (user BIGINT UNSIGNED, sku VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, at TIMESTAMP NULL, stars DECIMAL(2,1))",
		"CREATE TABLE events (user SMALLINT, sku CHAR(9) CHARACTER SET ascii, kind ENUM('view','wish'), seconds BIGINT)",
		"INSERT INTO orders VALUES (2,'a','2020-01-01 10:00:00.250',2,1.5), (1,'b',NULL,1,3), (NULL,'a','2020-01-01',1,1)",
		"INSERT INTO reviews VALUES (2,'a','2020-01-02 10:00:00',4.5), (5000000000,'a',NULL,NULL)",
		"INSERT INTO events VALUES (2,'a','wish',1577836800), (1,'b','view',0), (1,'a','view',253402300800)")
	found, interactions, _, _ := readAll(t, database, shop)
	equal(t, "interactions", interactions,
		"|a|purchase|2020-01-01 00:00:00.000|1|1.00|",
		"1|a|view|253402300800|||",
		"1|b|purchase||1|3.00|",
		"1|b|view|1970-01-01 00:00:00|||",
		"2|a|wish|2020-01-01 00:00:00|||",
		"2|a|purchase|2020-01-01 10:00:00.250|2|3.00|",
		"2|a|rating|2020-01-02 10:00:00|||4.5",
		"5000000000|a|rating||||")
	if found.Shop.Customer.Type != shape.BigInt || found.Interactions != 8 || found.Customers != 3 {
		t.Errorf("found %+v", found)
	}
	var roles []string
	for _, column := range found.Shop.InteractionColumns {
		roles = append(roles, column.Name+" "+string(column.Type))
	}
	equal(t, "columns", roles, "type string", "at timestamp", "quantity decimal(12,4)", "value decimal(18,4)", "rating decimal(3,2)")
}

// DATETIME and DATE are in the shop's zone, summer and winter. TIMESTAMP is an instant. No time stays as it is.
func timesBecomeUTC(t *testing.T, server *mysql.Server) {
	const file = `
timezone: %s
interactions:
  orders:
    type: purchase
    query: SELECT id AS customer, 1 AS product, %s AS at FROM orders WHERE {{range id}}
`
	statements := []string{
		"SET SESSION sql_mode = ''",
		"CREATE TABLE orders (id INT, local DATETIME(6), instant TIMESTAMP NULL, day DATE, seconds INT UNSIGNED)",
		"SET SESSION time_zone = '+00:00'",
		"INSERT INTO orders VALUES (1,'2024-01-15 12:30:45.123456','2024-01-15 12:30:45','2024-01-15',1705321845), (2,'2024-07-15 00:30:00','2024-07-15 00:30:00','2024-07-15',0), (3,'0000-00-00 00:00:00',NULL,'0000-00-00',NULL), (4,NULL,NULL,NULL,4294967295)",
	}
	for _, test := range []struct {
		zone, column string
		want         []string
	}{
		{"Europe/Paris", "local", []string{"2024-01-15 11:30:45.123456", "2024-07-14 22:30:00.000000", "0000-00-00 00:00:00.000000", ""}},
		{"Europe/Paris", "instant", []string{"2024-01-15 12:30:45", "2024-07-15 00:30:00", "", ""}},
		{"Europe/Paris", "day", []string{"2024-01-14 23:00:00", "2024-07-14 22:00:00", "0000-00-00", ""}},
		{"Europe/Paris", "seconds", []string{"2024-01-15 12:30:45", "1970-01-01 00:00:00", "", "2106-02-07 06:28:15"}},
		{"Asia/Kolkata", "local", []string{"2024-01-15 07:00:45.123456", "2024-07-14 19:00:00.000000", "0000-00-00 00:00:00.000000", ""}},
		{"UTC", "local", []string{"2024-01-15 12:30:45.123456", "2024-07-15 00:30:00.000000", "0000-00-00 00:00:00.000000", ""}},
		{"UTC", "day", []string{"2024-01-15 00:00:00", "2024-07-15 00:00:00", "0000-00-00", ""}},
	} {
		dsn, err := server.NewDatabase(t.Context(), fmt.Sprint("shop", databases.Add(1)))
		if err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("mysql", dsn)
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1) // the statements set their session
		for _, statement := range statements {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		db.Close()
		database, err := Open(t.Context(), settings.Source{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		shop, err := shopfile.Parse(fmt.Appendf(nil, file, test.zone, test.column), "shop.yaml")
		if err != nil {
			t.Fatal(err)
		}
		_, interactions, _, _ := readAll(t, database, shop)
		database.Close()
		var got []string
		for _, line := range interactions {
			got = append(got, strings.SplitN(line, "|", 4)[3])
		}
		equal(t, test.column+" in "+test.zone, got, test.want...)
	}
}

// Columns get the types of their roles. A number that is a category stays a text, with the zeros of ZEROFILL.
func typesOfColumns(t *testing.T, server *mysql.Server) {
	const file = `
interactions:
  orders: {type: purchase, query: 'SELECT person AS customer, good AS product FROM orders WHERE {{range person}}'}
customers:
  query: SELECT id AS customer, zip, member, born, balance, points, weight FROM people WHERE {{range id}}
  columns: {zip: category, member: number, born: text, balance: number, points: number, weight: number}
products:
  query: SELECT id AS product, tags, SUM(price) AS price, SUM(pieces) AS stock, MAX(ready) AS ready FROM goods GROUP BY id, tags
  columns: {tags: text, price: price, stock: stock, ready: availability}
`
	database, shop, _ := shopOf(t, server, file,
		"CREATE TABLE orders (person INT, good INT)",
		"CREATE TABLE people (id INT, zip INT(5) ZEROFILL, member BIT(1), born DATE, balance DECIMAL(20,4), points INT UNSIGNED, weight FLOAT)",
		"CREATE TABLE goods (id INT, tags SET('a','b'), price DECIMAL(10,2), pieces DECIMAL(12,4), ready BOOLEAN)",
		"INSERT INTO people VALUES (1, 2134, b'1', '1990-05-06', -1.5, 4000000000, 0.5), (2, NULL, b'0', NULL, NULL, NULL, NULL)",
		"INSERT INTO goods VALUES (1, 'a,b', 1.25, 3, TRUE), (1, 'a,b', 1, 0.5, FALSE)")
	found, _, customers, products := readAll(t, database, shop)
	equal(t, "customers", customers, "1|02134|1|1990-05-06|-1.5000|4000000000|0.5", "2||0||||")
	equal(t, "products", products, "1|a,b|2.25|3.5000|1")
	var types []string
	for _, column := range found.Shop.Columns() {
		types = append(types, column.Name+" "+string(column.Type))
	}
	equal(t, "types", types, "zip string", "member bigint", "born string", "balance decimal(18,4)", "points bigint", "weight double",
		"tags string", "price decimal(18,2)", "stock int", "ready int", "type string")
}

// A statement of the file that counts may count orders. Then nothing but the ranges depends on it.
func countsOfTheFile(t *testing.T, server *mysql.Server) {
	const file = `
interactions:
  orders:
    type: purchase
    query: SELECT o.person AS customer, i.good AS product FROM orders o JOIN items i ON i.order_id = o.id WHERE {{range o.person}}
    count: SELECT COUNT(*) AS n, person AS range_key FROM orders GROUP BY person -- orders alone
  wishes: {type: wish, query: 'SELECT person AS customer, good AS product FROM wishes WHERE {{range person}}'}
`
	database, shop, _ := shopOf(t, server, file,
		"CREATE TABLE orders (id INT, person INT)", "CREATE TABLE items (order_id INT, good INT)", "CREATE TABLE wishes (person INT, good INT)",
		"INSERT INTO orders VALUES (1,7), (2,7), (3,8)", "INSERT INTO items VALUES (1,1), (1,2), (2,1), (3,1)", "INSERT INTO wishes VALUES (7,5), (9,5)")
	var counts []string
	found, err := database.Survey(t.Context(), shop, func(key *string, n int64) { counts = append(counts, fmt.Sprint(*key, "=", n)) })
	if err != nil || !Estimated(found.Shop) || found.Interactions != 5 {
		t.Fatalf("found %+v, %v", found, err)
	}
	equal(t, "counts", counts, "7=3", "8=1", "9=1")
	_, interactions, _, _ := readAll(t, database, shop)
	equal(t, "interactions", interactions, "7|1|purchase", "7|1|purchase", "7|2|purchase", "7|5|wish", "8|1|purchase", "9|5|wish")
}

func aShopOfInteractionsAlone(t *testing.T, server *mysql.Server) {
	const file = `interactions: {views: {type: view, query: 'SELECT u AS customer, i AS product FROM views WHERE {{range u}}'}}`
	database, shop, _ := shopOf(t, server, file, "CREATE TABLE views (u INT, i INT)", "INSERT INTO views VALUES (1,2), (2,1)")
	found, interactions, customers, products := readAll(t, database, shop)
	equal(t, "interactions", interactions, "1|2|view", "2|1|view")
	if len(customers) != 0 || len(products) != 0 || found.Products != 0 {
		t.Errorf("customers %q, products %q, found %+v", customers, products, found)
	}
}

// Customers who come after the plan are in one of its ranges.
func lateCustomersAreInSomeRange(t *testing.T, server *mysql.Server) {
	database, shop, db := shopOf(t, server, plainShop,
		"CREATE TABLE orders (customer_id VARCHAR(9), product_id INT, at DATETIME)", "CREATE TABLE people (id VARCHAR(9), city VARCHAR(9))",
		"CREATE TABLE goods (id INT, title TEXT, price DECIMAL(10,2))", "INSERT INTO orders VALUES ('k',1,NULL), ('m',1,NULL)")
	if _, err := database.Survey(t.Context(), shop, func(*string, int64) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO orders VALUES ('a',1,NULL), ('l',1,NULL), ('z',1,NULL), (NULL,1,NULL)"); err != nil {
		t.Fatal(err)
	}
	k, m := "k", "m"
	var got []string
	for _, span := range []workflow.Range{{UpTo: &k}, {After: &k, UpTo: &m}, {After: &m}} {
		if err := database.Snapshot(t.Context(), shop, func(s *Snapshot) error {
			return s.Interactions(t.Context(), span, lines(&got))
		}); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "interactions", got, "|1|purchase|", "a|1|purchase|", "k|1|purchase|", "l|1|purchase|", "m|1|purchase|", "z|1|purchase|")
}
