package main

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// clicks is a shop with text ids, times and weights. It lists no products.
var clicks = shape.Shop{
	Name: "clicks", Hash: "1f", Layout: shape.ByRange,
	Customer: shape.ID{Name: "customer", Type: shape.Text}, Product: shape.ID{Name: "product", Type: shape.BigInt},
	CustomerColumns:    []shape.Column{{Name: "region", Role: shape.Category, Type: shape.Text}},
	InteractionColumns: []shape.Column{{Name: "type", Role: shape.Kind, Type: shape.Text}, {Name: "at", Role: shape.Time, Type: shape.Timestamp}},
	Group:              "region",
	Meaning:            shape.Meaning{Weights: map[string]float64{"view": 0.5}, HalfLife: 30},
	Source:             shape.Source{Interactions: []shape.Query{{SQL: "SELECT 1"}}, Customers: shape.Query{SQL: "SELECT 1"}},
}

var newest = time.Date(2005, 3, 1, 0, 0, 0, 0, time.UTC)

// click is a row of clicks. Its age is in days, negative for an unknown time.
type click struct {
	customer, region string
	product          int64
	kind             string
	age              int
}

func (b bundle) prepareClicks(t *testing.T, run workflow.Run, ranges ...[]click) {
	t.Helper()
	b.put(t, lake.ShapeKey(run.ID), clicks)
	plan := workflow.Plan{Run: run, Source: "shop"}
	for i, rows := range ranges {
		plan.Ranges = append(plan.Ranges, workflow.Range{Index: i})
		b.putClicks(t, lake.RangeKey(run.ID, i), rows)
		at := newest.AddDate(0, 0, -i)
		b.put(t, lake.RangeReportKey(run.ID, i), lake.RangeReport{
			Range: i, Rows: int64(len(rows)), Part: &lake.Part{Range: i, Customers: 2, Rows: int64(len(rows)), Bytes: 11},
			Skipped: map[string]int64{"guest": 500}, Kinds: map[string]int64{"view": 1, "purchase": int64(len(rows)) - 1}, Newest: &at,
		})
	}
	b.put(t, lake.PlanKey(run.ID), plan)
}

func (b bundle) putClicks(t *testing.T, key string, rows []click) {
	t.Helper()
	file, err := objectstore.Scratch()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := training.NewRowWriter(clicks, file)
	for _, row := range rows {
		at := parquet.NullValue().Level(0, 0, 3)
		if row.age >= 0 {
			at = parquet.ValueOf(newest.AddDate(0, 0, -row.age).UnixMilli()).Level(0, 1, 3)
		}
		region := parquet.NullValue().Level(0, 0, 0)
		if row.region != "" {
			region = parquet.ValueOf(row.region).Level(0, 1, 0)
		}
		err := w.Append([]parquet.Value{region, parquet.ValueOf(row.product).Level(0, 0, 1), parquet.ValueOf(row.kind).Level(0, 0, 2), at,
			parquet.ValueOf(row.customer).Level(0, 0, 4)})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Lake.PutFile(t.Context(), key, file); err != nil {
		t.Fatal(err)
	}
}

// The manifest carries the shop and its facts, the pointer the file's hash and the layout. Skips stop no run.
func TestPublishAShopFile(t *testing.T) {
	b := setup(t)
	run := b.run("clicks", 0)
	b.prepareClicks(t, run, []click{{"a", "north", 7, "purchase", 0}, {"a", "north", 7, "view", 30}, {"b", "", 8, "purchase", -1}},
		[]click{{"c", "south", 7, "purchase", 60}, {"d", "north", 12, "view", 0}})
	out, err := b.Handle(t.Context(), run)
	if want := (workflow.Published{Status: "published", Snapshot: run.ID, Partitions: 2, Rows: 5, Skipped: 1000, Comparison: out.Comparison}); err != nil || out != want {
		t.Fatalf("got %+v, %v", out, err)
	}
	var manifest lake.Manifest
	if _, err := b.Lake.GetJSON(t.Context(), lake.ManifestKey(run.ID), 1<<20, &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Shop == nil || manifest.Shop.Hash != "1f" || manifest.Customers != 4 || manifest.Products != 3 || manifest.Newest == nil || !manifest.Newest.Equal(newest) ||
		manifest.Kinds["view"] != 2 || manifest.Skipped["guest"] != 1000 || len(manifest.Parts) != 2 || manifest.Parts[1].Range != 1 {
		t.Errorf("manifest %+v", manifest)
	}
	if latest, _, err := b.latest(t.Context()); err != nil || latest.Shop != "1f" || latest.Layout != shape.ByRange {
		t.Errorf("pointer %+v, %v", latest, err)
	}
	var popularity lake.Popularity
	if _, err := b.Lake.GetJSON(t.Context(), lake.PopularityKey(run.ID), 1<<20, &popularity); err != nil {
		t.Fatal(err)
	}
	want := []lake.ItemCount{{Item: "12", Group: "north", Count: 0.5}, {Item: "7", Group: "north", Count: 1.25}, {Item: "7", Group: "south", Count: 0.25}, {Item: "8", Count: 1}}
	if !slices.Equal(popularity.Items, want) {
		t.Errorf("popularity %+v, want %+v", popularity.Items, want)
	}
	b.wantProducts(t, run.ID, "12", "7", "8")
}

// wantProducts compares the list of products.
func (b bundle) wantProducts(t *testing.T, run string, want ...string) {
	t.Helper()
	table, err := training.OpenCatalogue(t.Context(), b.Lake, clicks, lake.ProductsKey(run))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	var got []string
	for product, err := table.Next(); err == nil; product, err = table.Next() {
		got = append(got, product.ID+string(product.Reason))
	}
	if !slices.Equal(got, want) {
		t.Errorf("products %q, want %q", got, want)
	}
}

// Glue's columns and projection are those of one file a range.
func TestTheTableOfAShopFile(t *testing.T) {
	b := setup(t)
	run := b.run("clicks", 0)
	b.prepareClicks(t, run, []click{{"a", "north", 7, "purchase", 0}}, []click{{"c", "south", 7, "purchase", 60}})
	if _, err := b.Handle(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	table := b.table(t)
	for key, want := range map[string]string{
		"projection.part.type": "integer", "projection.part.range": "0,1", "projection.part.digits": "4",
		"storage.location.template": "s3://lake/ratings_ml_training/snapshot=clicks/part=${part}/",
	} {
		if got := table.Parameters[key]; got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	var columns []string
	for _, column := range slices.Concat(table.StorageDescriptor.Columns, table.PartitionKeys) {
		columns = append(columns, *column.Name+" "+*column.Type)
	}
	want := []string{"region string", "product bigint", "type string", "at timestamp", "customer string", "part int"}
	if !slices.Equal(columns, want) {
		t.Errorf("columns %q, want %q", columns, want)
	}
}

// A snapshot of another shop file is no measure. The same file is.
func TestAChangedShopFileIsNotCompared(t *testing.T) {
	b := setup(t)
	b.Shrinkage = 1
	rows := []click{{"a", "north", 7, "purchase", 0}, {"a", "north", 8, "purchase", 0}}
	b.prepareClicks(t, b.run("first", 0), rows)
	if _, err := b.Handle(t.Context(), b.run("first", 0)); err != nil {
		t.Fatal(err)
	}
	b.prepareClicks(t, b.run("fewer", 1), rows[:1])
	if _, err := b.Handle(t.Context(), b.run("fewer", 1)); !errors.Is(err, failure.SourceShrank) {
		t.Errorf("the same file: %v", err)
	}
	b.prepareClicks(t, b.run("changed", 2), rows[:1])
	changed := clicks
	changed.Hash = "2f"
	b.put(t, lake.ShapeKey("changed"), changed)
	if out, err := b.Handle(t.Context(), b.run("changed", 2)); err != nil || out.Status != published {
		t.Errorf("a changed file: %+v, %v", out, err)
	}
}

// Athena's projection has a place for every range that a plan may have.
func TestThePartsAreInOrder(t *testing.T) {
	for part, want := range map[int]string{0: "part=0000/", 399: "part=0399/"} {
		if got := lake.PartKey("r", part); got != lake.SnapshotPrefix("r")+want+"part-0000.parquet" {
			t.Errorf("part %d is %s", part, got)
		}
	}
}
