package main

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/parquet-go/parquet-go"

	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// texts is a shop with text ids and a file a range.
var texts = shape.Shop{
	Name: "texts", Hash: "1f", Layout: shape.ByRange,
	Customer: shape.ID{Name: "customer", Type: shape.Text}, Product: shape.ID{Name: "product", Type: shape.Text},
	InteractionColumns: []shape.Column{{Name: "type", Role: shape.Kind, Type: shape.Text}, {Name: "at", Role: shape.Time, Type: shape.Timestamp}},
	Source:             shape.Source{Interactions: []shape.Query{{SQL: "SELECT 1"}}},
}

// setupTexts puts a range's file of so many customers with so many rows each.
func setupTexts(t *testing.T, customers, rows int) Handler {
	t.Helper()
	store, _ := s3test.ForTest(t, "lake")
	file, err := objectstore.Scratch()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := training.NewRowWriter(texts, file)
	for c := range customers {
		for p := range rows {
			row := []parquet.Value{
				parquet.ValueOf(fmt.Sprint("S", p)).Level(0, 0, 0), parquet.ValueOf("view").Level(0, 0, 1),
				parquet.ValueOf(int64(1108375200000+p)).Level(0, 1, 2), parquet.ValueOf(fmt.Sprintf("customer-%05d", c)).Level(0, 0, 3),
			}
			if err := w.Append(row); err != nil {
				t.Fatal(err)
			}
		}
	}
	facts := training.NewFacts()
	facts.Kinds["view"], facts.Skipped[training.Guest], facts.Newest = int64(customers*rows), 5, 1108375200000
	if err := w.SetFacts(texts, facts); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	in := event(t)
	if _, err := store.PutFile(t.Context(), lake.RangeKey(in.ID, in.Range.Index), file); err != nil {
		t.Fatal(err)
	}
	if _, err := store.PutJSON(t.Context(), lake.ShapeKey(in.ID), texts); err != nil {
		t.Fatal(err)
	}
	return Handler{Lake: store, Uploads: 4}
}

// A range is one object with the id as a column. The statistics of its row groups tell where a customer is.
func TestARangeIsOneObject(t *testing.T) {
	const customers, rows = 3000, 50
	h, in := setupTexts(t, customers, rows), event(t)
	out, err := h.Handle(t.Context(), in)
	if err != nil || out.Partitions != 1 || out.Rows != customers*rows {
		t.Fatalf("got %+v, %v", out, err)
	}
	var report lake.RangeReport
	if _, err := h.Lake.GetJSON(t.Context(), lake.RangeReportKey(in.ID, 7), 1<<20, &report); err != nil {
		t.Fatal(err)
	}
	content, _, err := h.Lake.Get(t.Context(), lake.PartKey(in.ID, 7), 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	want := lake.Part{Range: 7, Customers: customers, Rows: customers * rows, Bytes: int64(len(content))}
	if report.Part == nil || *report.Part != want || len(report.Partitions) != 0 {
		t.Errorf("report %+v, want %+v", report.Part, want)
	}
	if report.Kinds["view"] != want.Rows || report.Skipped["guest"] != 5 || report.Newest == nil || report.Newest.UnixMilli() != 1108375200000 {
		t.Errorf("report %+v", report)
	}
	file, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	if groups := file.Metadata().RowGroups; len(groups) < 2 {
		t.Fatalf("%d row groups", len(groups))
	}
	last := ""
	for i, group := range file.Metadata().RowGroups {
		id := group.Columns[len(group.Columns)-1].MetaData
		low, high := string(id.Statistics.MinValue), string(id.Statistics.MaxValue)
		if id.PathInSchema[0] != "customer" || low == "" || low < last || high < low {
			t.Errorf("row group %d has %s from %q to %q", i, id.PathInSchema, low, high)
		}
		last = high
	}
}

// Without rows the object is there too, so that none of an earlier attempt stays.
func TestARangeWithoutRows(t *testing.T) {
	h := setupTexts(t, 0, 0)
	if out, err := h.Handle(t.Context(), event(t)); err != nil || out.Rows != 0 {
		t.Fatalf("got %+v, %v", out, err)
	}
	if _, err := h.Lake.Head(t.Context(), lake.PartKey(event(t).ID, 7)); err != nil {
		t.Error(err)
	}
}
