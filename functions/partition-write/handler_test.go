package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/parquet-go/parquet-go"

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

// setup puts a range's file whose customers, in order, have so many rows each.
func setup(tb testing.TB, customers []int32, rows int) Handler {
	tb.Helper()
	store, _ := s3test.ForTest(tb, "lake")
	file, err := objectstore.Scratch()
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	w := training.NewWriter[trainingtest.Row](file)
	for _, customer := range customers {
		for i := range rows {
			limit := int64(customer)
			row := trainingtest.Row{
				City: "Oslo", Country: "Norway", CreditLimit: &limit, ProductCode: fmt.Sprint("S", i), ProductLine: "Cars",
				ProductScale: "1:10", ProductRating: int32(i%5 + 1), CustomerNumber: customer,
			}
			if i%2 > 0 {
				row.CreditLimit = nil
			}
			if err := w.Append(row); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if err := training.SetRejected(w, map[training.Reason]int64{training.NoRating: 2}); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	in := event(tb)
	if _, err := store.PutFile(tb.Context(), lake.RangeKey(in.ID, in.Range.Index), file); err != nil {
		tb.Fatal(err)
	}
	if _, err := store.PutJSON(tb.Context(), lake.ShapeKey(in.ID), shape.Lab); err != nil {
		tb.Fatal(err)
	}
	return Handler{Lake: store, Uploads: 4}
}

// 1,500 rows a customer: customers end in the middle of the reader's batches, and batches in the middle of customers.
func TestEachCustomerHasAFile(t *testing.T) {
	const rows = 1500
	customers := []int32{-7, 0, 103, 2147483647}
	h, in := setup(t, customers, rows), event(t)
	out, err := h.Handle(t.Context(), in)
	if err != nil || out.Partitions != 4 || out.Rows != 4*rows {
		t.Fatalf("got %+v, %v", out, err)
	}
	var report lake.RangeReport
	if _, err := h.Lake.GetJSON(t.Context(), lake.RangeReportKey(in.ID, 7), 1<<20, &report); err != nil {
		t.Fatal(err)
	}
	if report.Rejected["no-rating"] != 2 || len(report.Partitions) != 4 || report.Rows != 4*rows {
		t.Errorf("report %+v", report)
	}
	for i, customer := range customers {
		object, err := h.Lake.Head(t.Context(), lake.PartitionKey(in.ID, customer))
		if err != nil || object.Size != report.Partitions[i].Bytes || report.Partitions[i].CustomerNumber != customer {
			t.Errorf("customer %d: %+v, %v", customer, object, err)
		}
		table, err := training.OpenTable[trainingtest.Example](t.Context(), h.Lake, lake.PartitionKey(in.ID, customer))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := table.File.Schema().String(), parquet.SchemaOf(trainingtest.Example{}).String(); got != want {
			t.Errorf("schema %s", got)
		}
		for i := range rows {
			row, err := table.Next()
			if err != nil {
				t.Fatal(err)
			}
			if row.ProductCode != fmt.Sprint("S", i) || (row.CreditLimit == nil) != (i%2 > 0) ||
				row.CreditLimit != nil && *row.CreditLimit != int64(customer) {
				t.Fatalf("customer %d, row %d: another row", customer, i)
			}
		}
		table.Close()
	}
}

func TestNoRows(t *testing.T) {
	h := setup(t, nil, 0)
	out, err := h.Handle(t.Context(), event(t))
	if err != nil || out.Partitions != 0 {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestFaults(t *testing.T) {
	h := setup(t, []int32{5, 3}, 10)
	if _, err := h.Handle(t.Context(), event(t)); err == nil {
		t.Error("customers in disorder passed")
	}
	for _, in := range []workflow.RangeInput{{}, {Run: event(t).Run, Range: workflow.Range{Index: -1}}} {
		if _, err := h.Handle(t.Context(), in); !errors.Is(err, failure.InvalidInput) {
			t.Errorf("%+v: %v", in, err)
		}
	}
	in := event(t)
	in.Range.Index = 8
	if _, err := h.Handle(t.Context(), in); !errors.Is(err, objectstore.ErrNotFound) {
		t.Errorf("a range that was never transformed: %v", err)
	}
}

func BenchmarkPartitionWrite(b *testing.B) {
	const customers, rows = 1000, 50
	var numbers []int32
	for i := range int32(customers) {
		numbers = append(numbers, i)
	}
	h := setup(b, numbers, rows)
	h.Uploads = 16
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Handle(b.Context(), event(b)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*customers*rows/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(b.N)*customers/b.Elapsed().Seconds(), "objects/s")
}
