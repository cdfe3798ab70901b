package training

import (
	"math"
	"strings"
	"testing"
	"time"

	"recsys/shared/contract/shape"
)

// orders is a shop with a file: purchases and reviews, customers by e-mail address, products by number.
var orders = shape.Shop{
	Name: "orders", Hash: "1f",
	Customer:        shape.ID{Name: "customer", Type: shape.Text},
	Product:         shape.ID{Name: "product", Type: shape.BigInt},
	CustomerColumns: []shape.Column{{Name: "country", Role: shape.Category, Type: shape.Text}, {Name: "score", Role: shape.Number, Type: shape.Double}},
	ProductColumns: []shape.Column{
		{Name: "title", Role: shape.Name, Type: shape.Text}, {Name: "genre", Role: shape.Category, Type: shape.Text},
		{Name: "price", Role: shape.Price, Type: "decimal(20,2)"}, {Name: "stock", Role: shape.Stock, Type: shape.Int},
	},
	InteractionColumns: []shape.Column{
		{Name: "type", Role: shape.Kind, Type: shape.Text}, {Name: "at", Role: shape.Time, Type: shape.Timestamp},
		{Name: "quantity", Role: shape.Quantity, Type: "decimal(12,4)"}, {Name: "value", Role: shape.Value, Type: "decimal(18,4)"},
		{Name: "rating", Role: shape.Stars, Type: "decimal(3,2)"},
	},
	Group: "country", Line: "genre",
	Source: shape.Source{Interactions: []shape.Query{{SQL: "SELECT"}}, Customers: shape.Query{SQL: "SELECT"}, Products: shape.Query{SQL: "SELECT"}},
	Layout: shape.ByRange,
}

// The schema and Glue's columns are a contract with Athena, Spark and DuckDB. A name enters neither.
func TestTheSchemaOfAShopFile(t *testing.T) {
	const want = `message Row {
	optional binary country (STRING);
	optional double score;
	required int64 product (INT(64,true));
	optional binary genre (STRING);
	optional fixed_len_byte_array(16) price (DECIMAL(20,2));
	optional int32 stock (INT(32,true));
	required binary type (STRING);
	optional int64 at (TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS));
	optional int64 quantity (DECIMAL(12,4));
	optional int64 value (DECIMAL(18,4));
	optional int32 rating (DECIMAL(3,2));
	required binary customer (STRING);
}`
	if got := RowSchema(orders).String(); got != want {
		t.Errorf("the schema is %s", got)
	}
	var columns []string
	for _, column := range Catalog(orders) {
		columns = append(columns, column.Name+" "+column.Type)
	}
	const glue = "country string, score double, product bigint, genre string, price decimal(20,2), stock int, type string, " +
		"at timestamp, quantity decimal(12,4), value decimal(18,4), rating decimal(3,2), customer string"
	if got := strings.Join(columns, ", "); got != glue || PartitionColumn(orders) != (CatalogColumn{"part", "int"}) {
		t.Errorf("Glue has %s by %v", got, PartitionColumn(orders))
	}
	folders := orders
	folders.Layout = shape.ByCustomer
	if columns := Catalog(folders); columns[len(columns)-1].Name != "rating" || PartitionColumn(folders).Name != "customer" {
		t.Errorf("with folders of customers Glue has %v by %v", columns, PartitionColumn(folders))
	}
}

// Each kind of dirt has a reason of its own.
func TestTheDirtOfInteractions(t *testing.T) {
	started := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	long := strings.Repeat("é", 256)
	for _, test := range []struct {
		raw  Raw // customer, product, type, at, quantity, value, rating
		want Reason
	}{
		{Raw{"a@b.c", "7", "purchase", "2005-02-14 10:00:00", "1", "9.99", ""}, ""},
		{Raw{" a@b.c ", "+007", " Purchase", "2005-02-14 10:00:00.123456", "0.0001", "-5", ""}, ""},
		{Raw{"a@b.c", "7", "rating", "", "", "", "4.5"}, ""},
		{Raw{"a@b.c", "7", "view", "1971-01-01 00:00:00", "", "", ""}, ""},
		{Raw{"", "7", "view", "", "", "", ""}, Guest},
		{Raw{"  ", "7", "view", "", "", "", ""}, Guest},
		{Raw{long, "7", "view", "", "", "", ""}, TextTooLong},
		{Raw{"a\xff", "7", "view", "", "", "", ""}, TextNotUTF8},
		{Raw{"a\x00", "7", "view", "", "", "", ""}, TextWithNUL},
		{Raw{"a", "", "view", "", "", "", ""}, NoProductCode},
		{Raw{"a", "9223372036854775808", "view", "", "", "", ""}, ProductOutOfRange},
		{Raw{"a", "7.0", "view", "", "", "", ""}, ProductOutOfRange},
		{Raw{"a", "7", " ", "", "", "", ""}, NoType},
		{Raw{"a", "7", "größe", "", "", "", ""}, BadType},
		{Raw{"a", "7", strings.Repeat("x", MaxKind+1), "", "", "", ""}, BadType},
		{Raw{"a", "7", "Refund", "", "", "", ""}, Refund},
		{Raw{"a", "7", "canceled", "", "", "", ""}, Cancelled},
		{Raw{"a", "7", "view", "0000-00-00 00:00:00", "", "", ""}, BadTime},
		{Raw{"a", "7", "view", "2005-02-30 00:00:00", "", "", ""}, BadTime},
		{Raw{"a", "7", "view", "1108374400", "", "", ""}, BadTime},
		{Raw{"a", "7", "view", "1970-01-01 00:00:00", "", "", ""}, TimeBefore1971},
		{Raw{"a", "7", "view", "2026-11-24 01:00:00", "", "", ""}, ""},
		{Raw{"a", "7", "view", "2026-11-24 01:00:01", "", "", ""}, FutureTime},
		{Raw{"a", "7", "purchase", "", "-1", "", ""}, NegativeAmount},
		{Raw{"a", "7", "purchase", "", "0.00001", "", ""}, ZeroAmount},
		{Raw{"a", "7", "purchase", "", "100000000", "", ""}, BadAmount},
		{Raw{"a", "7", "purchase", "", "many", "", ""}, BadAmount},
		{Raw{"a", "7", "purchase", "", "1", "1e300", ""}, BadValue},
		{Raw{"a", "7", "rating", "", "", "", ""}, NoRating},
		{Raw{"a", "7", "rating", "", "", "", "0.49"}, RatingOutOfRange},
		{Raw{"a", "7", "purchase", "", "", "", "9"}, RatingOutOfRange},
		{Raw{"a", "7", "rating", "", "", "", "4.333"}, RatingTooPrecise},
	} {
		var of Interaction
		if got := NewInteractions(orders, started).Clean(test.raw, &of); got != test.want {
			t.Errorf("%.60q: %q, want %q", test.raw, got, test.want)
		}
	}
}

// Values are those of the text: canonical ids, small letters for types, milliseconds, and ten-thousandths.
func TestTheValuesOfAnInteraction(t *testing.T) {
	var of Interaction
	raw := Raw{" a@b.c ", "+007", " Purchase", "2005-02-14 10:00:00.1235", "2.5", "19.99999", "4.5"}
	if reason := NewInteractions(orders, time.Now()).Clean(raw, &of); reason != "" {
		t.Fatal(reason)
	}
	if of.Customer != "a@b.c" || of.Product != "7" || of.Kind != "purchase" || of.At != 1108375200123 {
		t.Errorf("%+v", of)
	}
	for i, want := range []string{"purchase", "1108375200123", "25000", "200000", "450"} {
		if got := of.Values[i].String(); got != want || of.Values[i].Column() != 6+i {
			t.Errorf("column %d is %s in place %d, want %s", i, got, of.Values[i].Column(), want)
		}
	}
}

// Whole numbers: 0 is a guest, and each type has its bounds.
func TestTheNumbersOfCustomers(t *testing.T) {
	for _, test := range []struct {
		of   shape.Type
		text string
		want Reason
	}{
		{shape.Int, "0", Guest}, {shape.Int, "-7", ""}, {shape.Int, "2147483648", CustomerOutOfRange}, {shape.Int, "x", CustomerOutOfRange},
		{shape.BigInt, "2147483648", ""}, {shape.BigInt, "18446744073709551615", CustomerOutOfRange}, {shape.BigInt, "0", Guest},
	} {
		shop := orders
		shop.Customer.Type = test.of
		var of Interaction
		if got := NewInteractions(shop, time.Now()).Clean(Raw{test.text, "7", "view", "", "", "", ""}, &of); got != test.want {
			t.Errorf("%s as %s: %q, want %q", test.text, test.of, got, test.want)
		}
	}
}

// Data sets count customers from 0.
func TestCustomerZeroOfFiles(t *testing.T) {
	shop := orders
	shop.Customer.Type, shop.Source.Interactions = shape.Int, []shape.Query{{Files: "*.csv"}}
	var of Interaction
	if got := NewInteractions(shop, time.Now()).Clean(Raw{"0", "7", "view", "", "", "", ""}, &of); got != "" || of.Customer != "0" {
		t.Errorf("%q: %+v", got, of)
	}
}

func TestRulesOfAShop(t *testing.T) {
	strict := orders
	strict.Cleaning.Rules = map[string]shape.Rule{"guest": shape.Reject, "negative-quantity": shape.Skip}
	for _, test := range []struct {
		shop   shape.Shop
		reason Reason
		want   shape.Rule
	}{
		{shape.Lab, UnknownProduct, shape.Reject}, {orders, UnknownProduct, shape.Skip}, {orders, Guest, shape.Skip},
		{orders, UnknownCustomer, shape.Reject}, {orders, FutureTime, shape.Reject},
		{strict, Guest, shape.Reject}, {strict, NegativeAmount, shape.Skip}, {strict, UnknownProduct, shape.Skip},
	} {
		if got := RuleFor(test.shop, test.reason); got != test.want {
			t.Errorf("%q of %q: %s, want %s", test.reason, test.shop.Name, got, test.want)
		}
	}
	for reason := range RulesOfFiles {
		found := false
		for _, known := range ReasonsOfFiles {
			found = found || known == reason
		}
		if !found {
			t.Errorf("%s has a rule that a file cannot change", reason)
		}
	}
}

// A decimal of any width is the number that its text says, with halves rounded away from zero.
func TestDecimals(t *testing.T) {
	for _, test := range []struct {
		of   shape.Type
		text string
		want float64
		bad  bool
	}{
		{"decimal(3,2)", "-9.995", 0, true}, {"decimal(3,2)", "9.994", 9.99, false}, {"decimal(18,4)", "99999999999999.9999", 99999999999999.9999, false},
		{"decimal(18,0)", "999999999999999999", 999999999999999999, false}, {"decimal(18,4)", "100000000000000", 0, true},
		{"decimal(20,2)", "123456789012345678.905", 123456789012345678.91, false}, {"decimal(20,2)", "-0.005", -0.01, false},
		{"decimal(20,0)", "18446744073709551615", 18446744073709551615, false}, {"decimal(20,2)", "1234567890123456789", 0, true},
		{"decimal(38,10)", "1e-11", 0, false}, {"decimal(20,2)", "999999999999999999.995", 0, true}, {"decimal(38,10)", "-1", -1, false}, {"decimal(20,2)", "x", 0, true},
	} {
		value, fits := parse(shape.Column{Type: test.of}, test.text)
		if fits == test.bad {
			t.Errorf("%s as %s fits: %v", test.text, test.of, fits)
		}
		if got := Number(test.of, value); fits && math.Abs(got-test.want) > 1e-15*math.Abs(got) {
			t.Errorf("%s as %s is %v, want %v", test.text, test.of, got, test.want)
		}
	}
}
