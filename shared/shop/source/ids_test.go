package source

import (
	"slices"
	"strings"
	"testing"

	"recsys/infra/local/db/mysql"
	"recsys/shared/contract/shape"
)

// Ids of every type come as the server compares them, guests first, and every interaction is in one range.
func idsAsShopsHaveThem(t *testing.T, server *mysql.Server) {
	type columns struct {
		customer, product  string // types
		ids, goods         string // three and two values
		customers          shape.Type
		products           shape.Type
		wantIDs, wantGoods []string
	}
	tests := map[string]columns{
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
	}
	if server.Engine() == mysql.MariaDB { // MySQL has no such type
		tests["type UUID"] = columns{"UUID", "UUID",
			"'ffeeddcc-bbaa-4988-b766-554433221100', '00112233-4455-4677-8899-aabbccddeeff', '0a000000-0000-4000-8000-00000000275c'",
			"'ffeeddcc-bbaa-4988-b766-554433221100', '00112233-4455-4677-8899-aabbccddeeff'", shape.Text, shape.Text,
			// MariaDB sorts them by their last digits.
			[]string{"0a000000-0000-4000-8000-00000000275c", "ffeeddcc-bbaa-4988-b766-554433221100", "00112233-4455-4677-8899-aabbccddeeff"},
			[]string{"ffeeddcc-bbaa-4988-b766-554433221100", "00112233-4455-4677-8899-aabbccddeeff"}}
	}
	for name, test := range tests {
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
