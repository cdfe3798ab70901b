package source

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
)

// replaced is setup's shop with other tables.
func replaced(tb testing.TB, server *mysql.Server, statements ...string) *Database {
	tb.Helper()
	database, _ := setup(tb, server, append([]string{"DROP TABLE ratings", "DROP TABLE customers", "DROP TABLE products"}, statements...)...)
	return database
}

// read returns the ratings and the products of a shop as one line each.
func read(tb testing.TB, database *Database, span workflow.Range) (ratings, products []string, kind shape.Type) {
	tb.Helper()
	err := database.Snapshot(tb.Context(), shape.Lab, func(s *Snapshot) error {
		kind = s.Shop().InteractionColumns[0].Type
		err := s.Interactions(tb.Context(), span, func(r training.Raw) error {
			ratings = append(ratings, strings.Join([]string{cmp.Or(r[0], "NULL"), r[1], r[2]}, " "))
			return nil
		})
		if err != nil {
			return err
		}
		return s.Products(tb.Context(), func(raw training.Raw) error {
			p := trainingtest.ProductOf(raw)
			products = append(products, strings.Join([]string{p.ProductCode, p.QuantityInStock, p.BuyPrice, p.MSRP}, " "))
			return nil
		})
	})
	if err != nil {
		tb.Fatal(err)
	}
	return ratings, products, kind
}

const customersOf = "CREATE TABLE customers (customerNumber BIGINT UNSIGNED, city VARCHAR(50), state VARCHAR(50), postalCode INT(5) ZEROFILL, country ENUM('Norway','Japan'), creditLimit DOUBLE)"

// Values arrive as the server has them, on both sides of int32 and int64. Codes of different integer types are the
// same digits, without ZEROFILL's zeros.
func typesAsShopsHaveThem(t *testing.T, server *mysql.Server) {
	for name, test := range map[string]struct {
		statements        []string
		ratings, products []string
		kind              shape.Type
	}{
		"unsigned keys and codes": {[]string{customersOf,
			"CREATE TABLE products (productCode BIGINT UNSIGNED PRIMARY KEY, productLine TEXT, productScale ENUM('1:10'), quantityInStock DECIMAL(12,4), buyPrice DECIMAL(20,6), MSRP DOUBLE)",
			"CREATE TABLE ratings (customerNumber BIGINT UNSIGNED, productCode INT(6) UNSIGNED ZEROFILL, productRating DECIMAL(3,0), PRIMARY KEY (customerNumber, productCode))",
			"INSERT INTO products VALUES (42, 'a', '1:10', 1.2500, 8.333333, 9.995), (18446744073709551615, 'a', '1:10', 0, 1, 1e300)",
			"INSERT INTO ratings VALUES (7, 42, 5), (7, 0, 1), (2147483648, 42, 4), (18446744073709551615, 42, 3)"},
			[]string{"7 0 1", "7 42 5", "2147483648 42 4", "18446744073709551615 42 3"},
			[]string{"42 1.2500 8.333333 9.995", "18446744073709551615 0.0000 1.000000 1e+300"}, shape.Int},
		"half stars": {[]string{customersOf,
			"CREATE TABLE products (productCode CHAR(8) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, productLine TEXT, productScale TEXT, quantityInStock TINYINT, buyPrice FLOAT, MSRP DECIMAL(30,10))",
			"CREATE TABLE ratings (customerNumber DECIMAL(12,0), productCode ENUM('ab','AB') COLLATE utf8mb4_bin, productRating DECIMAL(2,1))",
			"INSERT INTO products VALUES ('AB', 'a', 'b', -1, 2.5, 0.1)",
			"INSERT INTO ratings VALUES (7, 'ab', 3.5), (7, 'AB', 5.0)"},
			[]string{"7 ab 3.5", "7 AB 5.0"}, []string{"AB -1 2.5 0.1000000000"}, Fractional},
		"capitals": {[]string{strings.Replace(customersOf, "customers", "CUSTOMERS", 1),
			"CREATE TABLE Products (PRODUCTCODE MEDIUMINT, productline TEXT, ProductScale TEXT, QUANTITYINSTOCK INT, BuyPrice INT, msrp INT)",
			"CREATE TABLE RATINGS (CUSTOMERNUMBER SMALLINT, PRODUCTCODE VARCHAR(9), PRODUCTRATING FLOAT)",
			"INSERT INTO Products VALUES (1, 'a', 'b', 1, 2, 3)",
			"INSERT INTO RATINGS VALUES (7, '1', 4.25)"},
			[]string{"7 1 4.25"}, []string{"1 1 2 3"}, Fractional},
		"exactly first": {[]string{customersOf, "CREATE TABLE RATINGS (x INT)",
			"CREATE TABLE products (productCode INT, productLine INT, productScale INT, quantityInStock INT, buyPrice INT, MSRP INT)",
			"CREATE TABLE ratings (customerNumber INT, productCode INT, productRating TINYINT)",
			"INSERT INTO ratings VALUES (7, 1, 4)"},
			[]string{"7 1 4"}, nil, shape.Int},
	} {
		t.Run(name, func(t *testing.T) {
			ratings, products, kind := read(t, replaced(t, server, test.statements...), workflow.Range{})
			if !slices.Equal(ratings, test.ratings) {
				t.Errorf("ratings %q, want %q", ratings, test.ratings)
			}
			if !slices.Equal(products, test.products) {
				t.Errorf("products %q, want %q", products, test.products)
			}
			if kind != test.kind {
				t.Errorf("ratings are %s, want %s", kind, test.kind)
			}
		})
	}
}

// Numbers beyond int64 cut ranges like all others.
func aSurveyOfUnsignedNumbers(t *testing.T, server *mysql.Server) {
	database, _ := setup(t, server, "ALTER TABLE ratings MODIFY customerNumber BIGINT UNSIGNED",
		"INSERT INTO ratings VALUES (NULL,'a',1),(1,'a',1),(1,'b',1),(9223372036854775807,'a',1),(9223372036854775808,'a',1),(18446744073709551615,'a',1)")
	var customers []string
	found, err := database.Survey(t.Context(), shape.Lab, func(key *string, _ int64) {
		if key != nil {
			customers = append(customers, *key)
		}
	})
	want := []string{"1", "9223372036854775807", "9223372036854775808", "18446744073709551615"}
	if err != nil || found.Interactions != 6 || found.Customers != 4 || !slices.Equal(customers, want) {
		t.Errorf("got %+v, %v, %v", found, customers, err)
	}
	if ratings, _, _ := read(t, database, workflow.Range{After: &want[2]}); len(ratings) != 1 {
		t.Errorf("the last range has %q", ratings)
	}
	two := "2"
	if ratings, _, _ := read(t, database, workflow.Range{After: &two}); len(ratings) != 3 {
		t.Errorf("the last range has %q", ratings)
	}
}

// A number in a column of text is as the shop shows it, with the zeros of ZEROFILL.
func postalCodesKeepTheirZeros(t *testing.T, server *mysql.Server) {
	database, _ := setup(t, server, "ALTER TABLE customers MODIFY postalCode INT(5) ZEROFILL, MODIFY state SMALLINT",
		"INSERT INTO customers VALUES (1,'Boston',7,2134,'USA',NULL),(2,'Oslo',NULL,NULL,'Norway',1)")
	var got []string
	err := database.Snapshot(t.Context(), shape.Lab, func(s *Snapshot) error {
		return s.Customers(t.Context(), workflow.Range{}, func(raw training.Raw) error {
			c := trainingtest.CustomerOf(raw)
			got = append(got, strings.Join([]string{c.City, c.State, c.PostalCode, c.CreditLimit}, "|"))
			return nil
		})
	})
	if want := []string{"Boston|7|02134|", "Oslo|||1.00"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

// Without a key the highest of several ratings comes first, for any order of the table.
func duplicatesComeInOneOrder(t *testing.T, server *mysql.Server) {
	want := []string{"7 a 5", "7 a 2", "7 b 3"}
	for _, rows := range []string{"(7,'a',2),(7,'a',5),(7,'b',3)", "(7,'b',3),(7,'a',5),(7,'a',2)"} {
		database, _ := setup(t, server, "INSERT INTO ratings VALUES "+rows)
		if got, _, _ := read(t, database, workflow.Range{}); !slices.Equal(got, want) {
			t.Errorf("%s is read as %q, want %q", rows, got, want)
		}
	}
}

// A view that is broken is no table without columns: the error has the server's own words.
func aBrokenViewIsNamed(t *testing.T, server *mysql.Server) {
	database, _ := setup(t, server, "RENAME TABLE products TO goods", "CREATE VIEW products AS SELECT * FROM goods", "DROP TABLE goods")
	_, err := database.Survey(t.Context(), shape.Lab, func(*string, int64) {})
	if !errors.Is(err, failure.SchemaMismatch) || !strings.Contains(err.Error(), "1356") || !strings.Contains(err.Error(), "mend the view") {
		t.Errorf("got %v", err)
	}
}

// ordersAreReadThroughAView wants one range's ratings from a view that counts orders.
func ordersAreReadThroughAView(t *testing.T, server *mysql.Server) {
	const view = `CREATE VIEW ratings AS
		SELECT customerNumber, productCode, LEAST(COUNT(*) + 2, 5) AS productRating
		FROM orders JOIN orderdetails USING (orderNumber) GROUP BY customerNumber, productCode`
	database, _ := setup(t, server, "DROP TABLE ratings",
		"CREATE TABLE orders (orderNumber INT PRIMARY KEY, customerNumber INT)",
		"CREATE TABLE orderdetails (orderNumber INT, productCode VARCHAR(15))",
		"INSERT INTO orders VALUES (1, 7), (2, 7), (3, 7), (4, 7), (5, 8)",
		"INSERT INTO orderdetails VALUES (1,'a'), (2,'a'), (3,'a'), (4,'a'), (1,'b'), (2,'c'), (3,'c'), (5,'a')", view)
	six, seven := "6", "7"
	ratings, _, kind := read(t, database, workflow.Range{After: &six, UpTo: &seven})
	if want := []string{"7 a 5", "7 b 3", "7 c 4"}; !slices.Equal(ratings, want) || kind != shape.Int {
		t.Errorf("got %q of type %s, want %q", ratings, kind, want)
	}
}
