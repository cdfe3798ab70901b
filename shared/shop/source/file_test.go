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

// Ids of every type come as the server compares them, guests first, and every interaction is in one range.
func idsAsShopsHaveThem(t *testing.T, server *mysql.Server) {
	for name, test := range map[string]struct {
		customer, product  string // types
		ids, goods         string // three and two values
		customers          shape.Type
		products           shape.Type
		wantIDs, wantGoods []string
	}{
		"int": {"MEDIUMINT", "INT", "7, -2, 100", "1, 2", shape.Int, shape.Int, []string{"-2", "7", "100"}, []string{"1", "2"}},
		"bigint": {"BIGINT", "BIGINT UNSIGNED", "4294967297, 5, 9223372036854775807", "18446744073709551615, 3", shape.BigInt, shape.BigInt,
			[]string{"5", "4294967297", "9223372036854775807"}, []string{"3", "18446744073709551615"}},
		"unsigned with zeros": {"BIGINT(9) UNSIGNED ZEROFILL", "INT UNSIGNED", "18446744073709551615, 42, 4294967296", "4294967295, 1", shape.BigInt, shape.BigInt,
			[]string{"42", "4294967296", "18446744073709551615"}, []string{"1", "4294967295"}},
		"latin1": {"VARCHAR(20) CHARACTER SET latin1", "CHAR(8) CHARACTER SET latin1", "'Zoë', 'anna', 'Bert'", "'x''\\\\', '007'", shape.Text, shape.Text,
			[]string{"anna", "Bert", "Zoë"}, []string{"007", `x'\`}},
		"utf8mb4 with case": {"VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "VARCHAR(40) CHARACTER SET utf8mb4", "'b', 'B', '客'", "'b😀', 'a'", shape.Text, shape.Text,
			[]string{"B", "b", "客"}, []string{"a", "b😀"}},
		"UUID": {"BINARY(16)", "VARBINARY(16)",
			"UNHEX('ffeeddccbbaa99887766554433221100'), UNHEX('00112233445566778899aabbccddeeff'), UNHEX('0a00000000000000000000000000275c')",
			"UNHEX('00112233445566778899aabbccddeeff'), UNHEX('abcd')", shape.Text, shape.Text,
			[]string{"00112233-4455-6677-8899-aabbccddeeff", "0a000000-0000-0000-0000-00000000275c", "ffeeddcc-bbaa-9988-7766-554433221100"},
			[]string{"00112233-4455-6677-8899-aabbccddeeff", "abcd"}},
	} {
		t.Run(name, func(t *testing.T) {
			ids, goods := strings.Split(test.ids, ", "), strings.Split(test.goods, ", ")
			statements := []string{
				"CREATE TABLE orders (customer_id " + test.customer + " NULL, product_id " + test.product + ", at DATETIME, KEY (customer_id))",
				"CREATE TABLE people (id " + test.customer + " NULL, city VARCHAR(20), KEY (id))",
				"CREATE TABLE goods (id " + test.product + ", title TEXT, price DECIMAL(10,2))",
				"INSERT INTO orders VALUES (NULL, " + goods[0] + ", '2020-01-01')",
			}
			for _, id := range ids {
				statements = append(statements, "INSERT INTO people VALUES ("+id+", 'Oslo')")
				for _, good := range goods {
					statements = append(statements, "INSERT INTO orders VALUES ("+id+", "+good+", '2020-01-02 03:04:05')")
				}
			}
			for _, good := range goods {
				statements = append(statements, "INSERT INTO goods VALUES ("+good+", 'a thing', 9.5)")
			}
			database, shop, _ := shopOf(t, server, plainShop, statements...)
			found, interactions, customers, products := readAll(t, database, shop)
			if found.Shop.Customer.Type != test.customers || found.Shop.Product.Type != test.products {
				t.Errorf("types %s and %s, want %s and %s", found.Shop.Customer.Type, found.Shop.Product.Type, test.customers, test.products)
			}
			if found.Interactions != 7 || found.Customers != 3 || found.Products != 2 {
				t.Errorf("found %+v", found)
			}
			var wantInteractions, wantCustomers, wantProducts []string
			for _, id := range test.wantIDs {
				wantCustomers = append(wantCustomers, id+"|Oslo")
				for _, good := range test.wantGoods {
					wantInteractions = append(wantInteractions, id+"|"+good+"|purchase|2020-01-02 03:04:05")
				}
			}
			for _, good := range test.wantGoods {
				wantProducts = append(wantProducts, good+"|a thing|9.50")
			}
			if len(interactions) == 0 || !strings.HasPrefix(interactions[0], "|") {
				t.Fatalf("interactions %q: the guest's is not the first", interactions)
			}
			equal(t, "interactions", interactions[1:], wantInteractions...)
			equal(t, "customers", customers, wantCustomers...)
			equal(t, "products", products, wantProducts...)
		})
	}
}

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

// An e-mail address is hashed by the server, in lower case. Bounds have its first letters alone.
func eMailAddressesStay(t *testing.T, server *mysql.Server) {
	const file = `
interactions:
  orders: {type: purchase, query: 'SELECT mail AS customer, good AS product FROM orders WHERE {{range mail}}'}
customers: {id: hashed, query: 'SELECT mail AS customer, city FROM people WHERE {{range mail}}', columns: {city: category}}
`
	database, shop, _ := shopOf(t, server, file,
		"CREATE TABLE orders (mail VARCHAR(99), good INT, KEY (mail))",
		"CREATE TABLE people (mail VARCHAR(99), city VARCHAR(9))",
		"INSERT INTO orders VALUES ('anna@example.com', 1), (' Anna@Example.com', 2), ('annabel@example.com', 3), ('zoe@example.com', 4), ('', 5), (NULL, 6)",
		"INSERT INTO people VALUES ('ANNA@example.com', 'Oslo'), ('annabel@example.com', 'Rome')")
	var bounds []string
	if _, err := database.Survey(t.Context(), shop, func(key *string, _ int64) {
		if key != nil {
			bounds = append(bounds, *key)
		}
	}); err != nil {
		t.Fatal(err)
	}
	for _, bound := range bounds {
		if len(bound) > hashedLetters {
			t.Errorf("the bound %q tells an address", bound)
		}
	}
	found, interactions, customers, _ := readAll(t, database, shop)
	if found.Shop.Customer.Type != shape.Text {
		t.Errorf("ids are %s", found.Shop.Customer.Type)
	}
	slices.Sort(interactions)
	anna, annabel, zoe := shop.Customer.Stored("anna@example.com"), shop.Customer.Stored("annabel@example.com"), shop.Customer.Stored("zoe@example.com")
	want := []string{"|5|purchase", "|6|purchase", anna + "|1|purchase", anna + "|2|purchase", annabel + "|3|purchase", zoe + "|4|purchase"}
	slices.Sort(want)
	equal(t, "interactions", interactions, want...)
	slices.Sort(customers)
	want = []string{anna + "|Oslo", annabel + "|Rome"}
	slices.Sort(want)
	equal(t, "customers", customers, want...)
}

// Every customer is in the range of its interactions, though MySQL sorts the two tables in different orders and the
// character set of one cannot hold all keys of the other.
func collationsMayDiffer(t *testing.T, server *mysql.Server) {
	database, shop, _ := shopOf(t, server, plainShop,
		"CREATE TABLE orders (customer_id VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, product_id INT, at DATETIME)",
		"CREATE TABLE people (id VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_swedish_ci, city VARCHAR(9))",
		"CREATE TABLE goods (id INT, title TEXT, price DECIMAL(10,2))",
		"INSERT INTO orders VALUES ('b',1,NULL), ('C',1,NULL), ('a',1,NULL), ('Ü',1,NULL), ('客',1,NULL)",
		"INSERT INTO people VALUES ('a','Oslo'), ('b','Rome'), ('C','Bern'), ('Ü','Köln')")
	found, err := database.Survey(t.Context(), shop, func(*string, int64) {})
	if err != nil || len(found.Warnings) == 0 || !strings.Contains(found.Warnings[0], "collation") {
		t.Fatalf("warnings %q, %v", found.Warnings, err)
	}
	_, interactions, customers, _ := readAll(t, database, shop)
	equal(t, "interactions", interactions, "C|1|purchase|", "a|1|purchase|", "b|1|purchase|", "Ü|1|purchase|", "客|1|purchase|")
	equal(t, "customers", customers, "C|Bern", "a|Oslo", "b|Rome", "Ü|Köln")
}

// The customer may be another value than the key that ranges go by.
func aKeyThatIsNotTheID(t *testing.T, server *mysql.Server) {
	const file = `
interactions:
  orders: {type: purchase, query: "SELECT CONCAT('c', o.person) AS customer, good AS product, o.person AS range_key FROM orders o WHERE {{range o.person}}"}
customers: {query: "SELECT CONCAT('c', id) AS customer, city, id AS range_key FROM people WHERE {{range id}}", columns: {city: category}}
`
	database, shop, _ := shopOf(t, server, file,
		"CREATE TABLE orders (person INT, good INT, KEY (person))", "CREATE TABLE people (id INT, city VARCHAR(9))",
		"INSERT INTO orders VALUES (2,1), (10,1), (10,2)", "INSERT INTO people VALUES (2,'Oslo'), (10,'Rome'), (11,'Bern')")
	_, interactions, customers, _ := readAll(t, database, shop)
	equal(t, "interactions", interactions, "c2|1|purchase", "c10|1|purchase", "c10|2|purchase")
	equal(t, "customers", customers, "c2|Oslo", "c10|Rome", "c11|Bern")
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
