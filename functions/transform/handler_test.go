package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/s3test"
	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

func event(tb testing.TB) workflow.RangeInput { return testbed.Event[workflow.RangeInput](tb) }

func put[T any](tb testing.TB, store *objectstore.Store, table string, rows []T) {
	tb.Helper()
	file, err := objectstore.Scratch()
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	w := training.NewWriter[T](file)
	for _, row := range rows {
		if err := w.Append(row); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	in := event(tb)
	if _, err := store.PutFile(tb.Context(), lake.RawKey(in.ID, table, in.Range.Index), file); err != nil {
		tb.Fatal(err)
	}
}

func putShop(tb testing.TB, store *objectstore.Store, shop shape.Shop) {
	tb.Helper()
	if _, err := store.PutJSON(tb.Context(), lake.ShapeKey(event(tb).ID), shop); err != nil {
		tb.Fatal(err)
	}
}

// setup puts raw tables of so many customers with so many ratings each. Every product's code is trimmed.
func setup(tb testing.TB, customers, products int) Handler {
	tb.Helper()
	store, _ := s3test.ForTest(tb, "lake")
	var (
		people  []trainingtest.RawCustomer
		items   []trainingtest.RawProduct
		ratings []trainingtest.RawRating
	)
	for p := range products {
		items = append(items, trainingtest.RawProduct{ProductCode: fmt.Sprint("S", p, " "), ProductLine: "Cars", ProductScale: "1:10",
			QuantityInStock: "7", BuyPrice: "48.81", MSRP: "95.70"})
	}
	for c := range customers {
		people = append(people, trainingtest.RawCustomer{CustomerNumber: number(int64(c)), City: "Oslo ", Country: "Norway", CreditLimit: "0.00"})
		for p := range products {
			ratings = append(ratings, trainingtest.RawRating{CustomerNumber: number(int64(c)), ProductCode: fmt.Sprint("S", p), ProductRating: number(5)})
		}
	}
	put(tb, store, "products", items)
	put(tb, store, "customers", people)
	put(tb, store, "ratings", ratings)
	putShop(tb, store, shape.Lab)
	return Handler{store}
}

func TestTransform(t *testing.T) {
	h, in := setup(t, 3, 4), event(t)
	bad := trainingtest.RawRating{CustomerNumber: number(9), ProductCode: "S1", ProductRating: number(5)}
	good := trainingtest.RawRating{CustomerNumber: number(2), ProductCode: "S1", ProductRating: number(1)}
	put(t, h.Lake, "ratings", []trainingtest.RawRating{good, bad})
	out, err := h.Handle(t.Context(), in)
	if want := (workflow.Transformed{Rows: 1, Rejected: 1}); err != nil || out != want {
		t.Fatalf("got %+v, %v", out, err)
	}
	lines, first, err := h.Lake.Get(t.Context(), lake.QuarantineKey(in.ID, 7), 1<<10)
	want := `{"reason":"unknown-customer","customerNumber":9,"productCode":"S1","productRating":5}` + "\n"
	if err != nil || string(lines) != want {
		t.Errorf("quarantine %s, %v", lines, err)
	}
	table, err := training.OpenTable[trainingtest.Row](t.Context(), h.Lake, lake.RangeKey(in.ID, 7))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	row, err := table.Next()
	if err != nil || row.CustomerNumber != 2 || row.City != "Oslo" || *row.CreditLimit != 0 || row.BuyPrice != 4881 || row.ProductRating != 1 {
		t.Errorf("got %+v, %v", row, err)
	}
	if facts, err := training.ReadFacts(table.File); err != nil || facts.Rejected[training.UnknownCustomer] != 1 || facts.Kinds["rating"] != 1 {
		t.Errorf("counted %+v, %v", facts, err)
	}

	// Without bad rows the quarantine of an earlier attempt is gone.
	put(t, h.Lake, "ratings", []trainingtest.RawRating{good})
	if _, err := h.Handle(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if again, err := h.Lake.Head(t.Context(), lake.QuarantineKey(in.ID, 7)); err != nil || again.Size != 0 || again.ETag == first.ETag {
		t.Errorf("%+v, %v", again, err)
	}
}

// The first range's transformation lists the products, rated or not. A product of a bad row is listed with its reason,
// unless the code itself is bad.
func TestTheCatalogue(t *testing.T) {
	h, in := setup(t, 1, 1), event(t)
	put(t, h.Lake, "products", []trainingtest.RawProduct{
		{ProductCode: "S18 ", ProductLine: "Cars", ProductScale: "1:18", QuantityInStock: "7", BuyPrice: "48.81", MSRP: "95.70"},
		{ProductCode: "S0", ProductLine: "Cars", ProductScale: "1:10", QuantityInStock: "0", BuyPrice: "1.00", MSRP: "2.00"},
		{ProductCode: "S50", ProductLine: "Cars", ProductScale: "1:50"},
		{ProductCode: "S51", QuantityInStock: "0"},
		{ProductCode: "S52", ProductLine: "Cars", ProductScale: "1:50", QuantityInStock: "9", BuyPrice: "1.00"},
		{ProductCode: "twice", ProductLine: "Cars", ProductScale: "1:10", QuantityInStock: "1", BuyPrice: "1.00", MSRP: "2.00"},
		{ProductCode: "twice ", ProductLine: "Cars", ProductScale: "1:10", QuantityInStock: "0", BuyPrice: "1.00", MSRP: "2.00"},
		{ProductCode: strings.Repeat("x", lake.MaxText+1)}, {ProductCode: " "}, {ProductCode: "nul\x00"},
	})
	if _, err := h.Handle(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Lake.Head(t.Context(), lake.ProductsKey(in.ID)); !errors.Is(err, objectstore.ErrNotFound) {
		t.Errorf("range %d: %v", in.Range.Index, err)
	}
	for _, raw := range []string{"products", "customers", "ratings"} {
		object, _, err := h.Lake.Get(t.Context(), lake.RawKey(in.ID, raw, in.Range.Index), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Lake.Put(t.Context(), lake.RawKey(in.ID, raw, catalogueRange), bytes.NewReader(object)); err != nil {
			t.Fatal(err)
		}
	}
	in.Range = workflow.Range{Index: catalogueRange}
	if _, err := h.Handle(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	table, err := training.OpenTable[training.CatalogueRow](t.Context(), h.Lake, lake.ProductsKey(in.ID))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	var got []training.CatalogueRow
	for row, err := table.Next(); err == nil; row, err = table.Next() {
		got = append(got, *row)
	}
	want := []training.CatalogueRow{
		{ProductCode: "S0", ProductLine: "Cars", ProductScale: "1:10", BuyPrice: 100, MSRP: 200},
		{ProductCode: "S18", ProductLine: "Cars", ProductScale: "1:18", QuantityInStock: 7, BuyPrice: 4881, MSRP: 9570},
		{ProductCode: "S50", Reason: training.NoQuantity, StockUnknown: true},
		{ProductCode: "S51", Reason: training.IncompleteProduct},
		{ProductCode: "S52", QuantityInStock: 9, Reason: training.NoPrice},
		{ProductCode: "twice", Reason: training.DuplicateProduct, StockUnknown: true},
	}
	if !training.ListsAllProducts(table.File) {
		t.Error("the list does not say that it is whole")
	}
	if !slices.Equal(got, want) {
		t.Errorf("products %+v, want %+v", got, want)
	}
}

func TestFaults(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	h := Handler{store}
	if _, err := h.Handle(t.Context(), workflow.RangeInput{}); !errors.Is(err, failure.InvalidInput) {
		t.Errorf("no run: %v", err)
	}
	if _, err := h.Handle(t.Context(), event(t)); !errors.Is(err, objectstore.ErrNotFound) {
		t.Errorf("nothing extracted: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	full := setup(t, 2, 2)
	cancel()
	if _, err := full.Handle(ctx, event(t)); err == nil {
		t.Error("a cancelled invocation went on")
	}
}

func BenchmarkTransform(b *testing.B) {
	const customers, products = 1000, 100
	h, in := setup(b, customers, products), event(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Handle(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*customers*products/b.Elapsed().Seconds(), "rows/s")
}
