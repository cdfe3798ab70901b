package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// fileShop is a shop with a file: text ids, orders and ratings, and products with names.
func fileShop() shape.Shop {
	query := shape.Query{SQL: "SELECT 1"}
	return shape.Shop{
		Name: "plain", Hash: "1f",
		Customer: shape.ID{Name: "customer", Type: shape.Text}, Product: shape.ID{Name: "product", Type: shape.Text},
		CustomerColumns: []shape.Column{{Name: "country", Role: shape.Category, Type: shape.Text}},
		ProductColumns: []shape.Column{
			{Name: "title", Role: shape.Name, Type: shape.Text}, {Name: "price", Role: shape.Price, Type: "decimal(8,2)"},
			{Name: "stock", Role: shape.Stock, Type: shape.Int},
		},
		InteractionColumns: []shape.Column{
			{Name: "type", Role: shape.Kind, Type: shape.Text}, {Name: "at", Role: shape.Time, Type: shape.Timestamp},
			{Name: "rating", Role: shape.Stars, Type: "decimal(3,2)"},
		},
		Source: shape.Source{Interactions: []shape.Query{query}, Customers: query, Products: query},
		Layout: shape.ByRange,
	}
}

// putRaw puts a raw table of the event's range.
func putRaw(t *testing.T, store *objectstore.Store, shop shape.Shop, index int, table training.TableName, rows ...training.Raw) {
	t.Helper()
	file, err := objectstore.Scratch()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := training.NewRawWriter(shop, file, table)
	for _, row := range rows {
		if err := w.AppendRaw(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.PutFile(t.Context(), lake.RawKey(event(t).ID, string(table), index), file); err != nil {
		t.Fatal(err)
	}
}

// rowsOf returns a range's rows, their values parted by bars, and the facts.
func rowsOf(t *testing.T, store *objectstore.Store, shop shape.Shop, index int) (rows []string, facts training.Facts) {
	t.Helper()
	object, err := training.OpenFile(t.Context(), store, lake.RangeKey(event(t).ID, index))
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	if facts, err = training.ReadFacts(object.File); err != nil {
		t.Fatal(err)
	}
	reader := parquet.NewGenericReader[any](object.File, training.RowSchema(shop))
	defer reader.Close()
	values := make([]parquet.Row, object.File.NumRows())
	if n, _ := reader.ReadRows(values); n != len(values) {
		t.Fatalf("%d rows of %d", n, len(values))
	}
	for _, row := range values {
		var texts []string
		for _, value := range row {
			texts = append(texts, value.String())
		}
		rows = append(rows, strings.Join(texts, "|"))
	}
	return rows, facts
}

// transformed runs the first range.
func transformed(t *testing.T, store *objectstore.Store, shop shape.Shop) (workflow.Transformed, []string, training.Facts) {
	t.Helper()
	putShop(t, store, shop)
	in := event(t)
	in.Range = workflow.Range{Index: 0}
	out, err := Handler{store}.Handle(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	rows, facts := rowsOf(t, store, shop, 0)
	return out, rows, facts
}

// One row is one interaction. A purchase may repeat, a rating may not. Skips are counted by themselves.
func TestARangeOfAShopFile(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	shop := fileShop()
	putRaw(t, store, shop, 0, training.CustomerTable, training.Raw{"Ann", "Norway"}, training.Raw{"bob", ""})
	putRaw(t, store, shop, 0, training.ProductTable, training.Raw{"S10", "A car", "48.81", "7"}, training.Raw{"s11", "", "", ""},
		training.Raw{"S12", "Bad", "x", "3"})
	putRaw(t, store, shop, 0, training.InteractionTable,
		training.Raw{"", "S10", "purchase", "2005-02-14 10:00:00", ""},
		training.Raw{"ANN", "S10", "purchase", "2005-02-14 10:00:00", ""},
		training.Raw{"Ann", "s10", "purchase", "2005-02-15 10:00:00", ""},
		training.Raw{"ann", "S11", "rating", "", "4.5"},
		training.Raw{"ann", "S11", "rating", "", "3"},
		training.Raw{"ann", "S12", "view", "", ""},
		training.Raw{"Bob", "gone", "view", "", ""},
		training.Raw{"Bob", "S10", "view", "2003-02-15 10:00:00", ""},
		training.Raw{"carl", "S10", "view", "", ""},
	)
	out, rows, facts := transformed(t, store, shop)
	if want := (workflow.Transformed{Rows: 4, Rejected: 3, Skipped: 2}); out != want {
		t.Errorf("got %+v, want %+v", out, want)
	}
	want := []string{
		"Norway|S10|4881|7|purchase|1108375200000|<null>|Ann", "Norway|S10|4881|7|purchase|1108461600000|<null>|Ann",
		"Norway|s11|<null>|<null>|rating|<null>|450|Ann", "<null>|S10|4881|7|view|1045303200000|<null>|bob",
	}
	if !slices.Equal(rows, want) {
		t.Errorf("rows %q", rows)
	}
	if newest := facts.NewestTime(); newest == nil || !newest.Equal(time.Date(2005, 2, 15, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("newest %v", newest)
	}
	if facts.Kinds["purchase"] != 2 || facts.Kinds["rating"] != 1 || facts.Kinds["view"] != 1 || len(facts.Kinds) != 3 {
		t.Errorf("kinds %v", facts.Kinds)
	}
	if r := facts.Rejected; r[training.DuplicateRating] != 1 || r[training.BadProduct] != 1 || r[training.UnknownCustomer] != 1 {
		t.Errorf("rejected %v", r)
	}
	if s := facts.Skipped; s[training.Guest] != 1 || s[training.UnknownProduct] != 1 {
		t.Errorf("skipped %v", s)
	}
	lines, _, err := store.Get(t.Context(), lake.SkippedKey(event(t).ID, 0), 1<<10)
	if want := `{"reason":"guest","customer":"","product":"S10","type":"purchase","at":"2005-02-14 10:00:00","rating":null}` + "\n" +
		`{"reason":"unknown-product","customer":"Bob","product":"gone","type":"view","at":"","rating":null}` + "\n"; err != nil || string(lines) != want {
		t.Errorf("skipped lines %s, %v", lines, err)
	}
}

// The list of products has all columns, the name too, and reads back as it was.
func TestTheListOfProductsOfAShopFile(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	shop := fileShop()
	putRaw(t, store, shop, 0, training.CustomerTable)
	putRaw(t, store, shop, 0, training.InteractionTable)
	putRaw(t, store, shop, 0, training.ProductTable, training.Raw{"S10", "A car", "48.81", "7"}, training.Raw{"S12", "Bad", "x", "3"},
		training.Raw{"S11", "", "", ""})
	transformed(t, store, shop)
	table, err := training.OpenCatalogue(t.Context(), store, shop, lake.ProductsKey(event(t).ID))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	var got []string
	for product, err := table.Next(); err == nil; product, err = table.Next() {
		line := product.ID + "|" + string(product.Reason)
		for _, value := range product.Values {
			line += "|" + value.String()
		}
		if product.StockUnknown {
			line += "|unknown"
		}
		got = append(got, line)
	}
	if want := []string{"S10||A car|4881|7", "S11||<null>|<null>|<null>|unknown", "S12|bad-product|<null>|<null>|3"}; !slices.Equal(got, want) {
		t.Errorf("products %q, want %q", got, want)
	}
}

// Without lists every customer and every product of an interaction is one. Spellings of one customer come mixed if the
// database ignores case.
func TestInteractionsAlone(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	shop := fileShop()
	shop.CustomerColumns, shop.ProductColumns = nil, nil
	shop.Source.Customers, shop.Source.Products = shape.Query{}, shape.Query{}
	shop.InteractionColumns = shop.InteractionColumns[:1]
	putRaw(t, store, shop, 0, training.InteractionTable,
		training.Raw{"Ann", "p", "view"}, training.Raw{"ann", "p", "view"}, training.Raw{"Ann", "P", "view"},
		training.Raw{"é", "p", "view"}, training.Raw{"e", "p", "view"}, training.Raw{"é", "q", "view"},
	)
	_, rows, facts := transformed(t, store, shop)
	if want := []string{"p|view|Ann", "p|view|Ann", "P|view|Ann", "p|view|é", "p|view|e"}; !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
	if facts.Rejected[training.AmbiguousCustomer] != 1 || facts.NewestTime() != nil {
		t.Errorf("facts %+v", facts)
	}
	if _, err := store.Head(t.Context(), lake.ProductsKey(event(t).ID)); err == nil {
		t.Error("there is a list of products")
	}
}

// Customers above 2^32 are joined in the order of their numbers. Two rows of one customer that differ tell nothing.
func TestLargeNumbersOfCustomers(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	shop := fileShop()
	shop.Customer.Type, shop.Product.Type = shape.BigInt, shape.BigInt
	putRaw(t, store, shop, 0, training.CustomerTable, training.Raw{"", "Nowhere"}, training.Raw{"9", "Norway"}, training.Raw{"9", "Norway"},
		training.Raw{"4294967296", "Peru"}, training.Raw{"4294967297", "Peru"}, training.Raw{"4294967297", "Chile"})
	putRaw(t, store, shop, 0, training.ProductTable, training.Raw{"4294967299", "", "", ""})
	var raws []training.Raw
	for _, customer := range []string{"0", "9", "10", "4294967296", "4294967297"} {
		raws = append(raws, training.Raw{customer, "4294967299", "purchase", "", ""})
	}
	putRaw(t, store, shop, 0, training.InteractionTable, raws...)
	_, rows, facts := transformed(t, store, shop)
	if want := []string{"Norway|4294967299|<null>|<null>|purchase|<null>|<null>|9", "Peru|4294967299|<null>|<null>|purchase|<null>|<null>|4294967296"}; !slices.Equal(rows, want) {
		t.Errorf("rows %q", rows)
	}
	if r := facts.Rejected; r[training.DuplicateCustomer] != 1 || r[training.UnknownCustomer] != 1 || facts.Skipped[training.Guest] != 1 {
		t.Errorf("facts %+v", facts)
	}
}
