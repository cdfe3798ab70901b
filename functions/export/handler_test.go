package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/jackc/pgx/v5"
	"github.com/parquet-go/parquet-go"

	"recsys/infra/local/testbed/versiontest"
	"recsys/infra/local/testbed/world"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/serving/answers"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
)

// read returns the rows of a list, in the order of its files.
func read[Row any](t *testing.T, b *bench, run, list string) (rows []Row) {
	t.Helper()
	files := b.files(run)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasPrefix(name, list+"/") {
			continue
		}
		of, err := parquet.Read[Row](strings.NewReader(files[name]), int64(len(files[name])))
		b.Must(err)
		rows = append(rows, of...)
	}
	return rows
}

// TestEveryListIsTheAnswerOfTheOtherDoors: each customer's list is the answer to a record of that customer without a session. Each
// product's is that to a visitor who has looked at it. With and without neighbours, over several ranges.
func TestEveryListIsTheAnswerOfTheOtherDoors(t *testing.T) {
	for name, blends := range map[string]bool{"vectors alone": false, "with neighbours": true} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, server(t))
			v := shop(blends)
			number := versiontest.Load(t, b.loader, b.artifacts, v)
			_, out, err := b.whole(t.Context(), run(1))
			b.Must(err)
			if out.Status != "published" || out.Version != number || out.Products != 54 || out.Customers < 35 {
				t.Fatalf("%+v", out)
			}
			options := settings.Default[settings.Recommend]().Ranking
			service := answers.New(b.Pool(vectorstore.ReaderRole), b.artifacts, options, time.Minute)
			got := map[string][]string{}
			for _, row := range read[recommended[int32]](t, b, "run-1", lake.ExportedCustomers) {
				id := fmt.Sprint(row.Customer)
				got[id] = append(got[id], fmt.Sprint(row.Rank, row.Product, row.Score, row.Strategy, row.Version))
			}
			for customer := range int32(40) {
				record := fmt.Sprintf(`{"customer_number":%d}`, customer)
				answer := ask(t, service, record)
				var want []string
				for i, item := range answer.Recommended {
					want = append(want, fmt.Sprint(i+1, item.ID, item.Score, answer.Recommendation.Strategy, number))
				}
				if customer == 0 { // has neither a vector nor a history, so nobody knows them
					want = nil
				}
				if id := fmt.Sprint(customer); !slices.Equal(got[id], want) {
					t.Errorf("customer %d has\n%v\nwant\n%v", customer, got[id], want)
				}
			}
			near := map[string][]string{}
			for _, row := range read[similar](t, b, "run-1", lake.ExportedProducts) {
				near[row.Product] = append(near[row.Product], fmt.Sprint(row.Rank, row.Similar, row.Score))
			}
			for i := range 60 {
				answer := ask(t, service, fmt.Sprintf(`{"session_id":"s","browse_history":[{"product_code":%q,"quantity":1}]}`, productID(i)))
				var want []string
				for place, item := range answer.Similar.Items {
					want = append(want, fmt.Sprint(place+1, item.ID, v.Metric.Score(item.Distance)))
				}
				if i%11 == 0 { // is gone
					want = nil
				}
				if !slices.Equal(near[productID(i)], want) {
					t.Errorf("%s has\n%v\nwant\n%v", productID(i), near[productID(i)], want)
				}
			}
		})
	}
}

func ask(t *testing.T, service *answers.Service, line string) activity.Answer {
	t.Helper()
	found, err := service.Answer(t.Context(), answers.Batch{Limit: 20, Now: time.Now(), Read: func(form *activity.Form) []*activity.Record {
		record, err := activity.Parse([]byte(line), form)
		if err != nil {
			t.Fatal(err)
		}
		return []*activity.Record{&record}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return found[0]
}

// Customers without a vector get the ladder's lower rungs. No list has trends, though carts were counted.
func TestACustomerWithoutAVectorGetsTheLadder(t *testing.T) {
	b := setup(t, server(t))
	versiontest.Load(t, b.loader, b.artifacts, shop(false))
	service := answers.New(b.Pool(vectorstore.ReaderRole), b.artifacts, settings.Default[settings.Recommend]().Ranking, time.Minute)
	service.CountEvery = 0
	for range 2 { // the second one counts the carts of the first
		ask(t, service, `{"session_id":"s","browse_history":[{"product_code":"P-05","quantity":1,"in_shopping_cart":true}]}`)
	}
	if trending := ask(t, service, `{"session_id":"other"}`); trending.Recommendation.Strategy != activity.Trending {
		t.Fatalf("there are no trends: %+v", trending)
	}
	_, _, err := b.whole(t.Context(), run(1))
	b.Must(err)
	strategies := map[string]int{}
	for _, row := range read[recommended[int32]](t, b, "run-1", lake.ExportedCustomers) {
		strategies[row.Strategy]++
		if row.Customer%4 == 0 != (row.Strategy == "popular") {
			t.Errorf("customer %d has %s", row.Customer, row.Strategy)
		}
	}
	if len(strategies) != 2 || strategies["stored-vector"] == 0 {
		t.Errorf("strategies %v", strategies)
	}
}

// Ranges hold each customer and each product once, for ids of every type.
func TestRangesHoldEveryIDOnce(t *testing.T) {
	for of, ids := range map[shape.Type][]string{
		shape.Int: {"-7", "0", "9", "10", "11", "100"}, shape.BigInt: {"-5000000000", "3", "20", "5000000000"}, shape.Text: {"a", "A", "ä", "10", "9", "b c", "'"},
	} {
		t.Run(string(of), func(t *testing.T) {
			b := setup(t, server(t))
			described := shape.Shop{Name: "shop", Customer: shape.ID{Name: "customer", Type: of}, Product: shape.ID{Name: "product", Type: shape.Text}, Source: shape.Source{Interactions: []shape.Query{{}}}}
			v := versiontest.Version{Items: versiontest.Circle(30, 4), Named: map[string][]float32{}, Shop: &described}
			for i, id := range ids {
				v.Named[id] = versiontest.Direction(float64(i)/10, 4)
			}
			versiontest.Load(t, b.loader, b.artifacts, v)
			active, _, err := vectorstore.ReadActive(t.Context(), b.DB)
			b.Must(err)
			for size := range int64(len(ids)) + 2 {
				ranges, err := b.cutList(t.Context(), active, lake.ExportedCustomers, size+1)
				b.Must(err)
				var found []string
				for _, part := range ranges {
					inside, err := b.ids(t.Context(), active, part)
					b.Must(err)
					if found = append(found, inside...); len(inside) > int(size)+1 || len(inside) == 0 {
						t.Errorf("of size %d, range %d holds %v", size+1, part.Index, inside)
					}
				}
				if slices.Sort(found); !slices.Equal(found, slices.Sorted(slices.Values(ids))) {
					t.Errorf("of size %d, the ranges hold %v", size+1, found)
				}
			}
			_, out, err := b.whole(t.Context(), run(1))
			if b.Must(err); out.Customers != int64(len(ids)) || out.Products != 30 {
				t.Errorf("%+v", out)
			}
			columns := b.columns(lake.ExportedCustomers)
			if want := map[shape.Type]string{shape.Int: "int", shape.BigInt: "bigint", shape.Text: "string"}[of]; columns[0] != "customer "+want {
				t.Errorf("Glue's columns are %v", columns)
			}
		})
	}
}

// columns are those of a list's table in Glue.
func (b *bench) columns(list string) (columns []string) {
	b.Helper()
	out, err := b.glue.GetTable(b.Context(), &awsglue.GetTableInput{DatabaseName: aws.String(glueDatabase), Name: aws.String(lake.ExportTables[list])})
	b.Must(err)
	for _, column := range out.Table.StorageDescriptor.Columns {
		columns = append(columns, *column.Name+" "+*column.Type)
	}
	return append(columns, *out.Table.StorageDescriptor.Location)
}

// The columns of the files are those of the tables, in both formats.
func TestTablesHaveTheColumnsOfTheFiles(t *testing.T) {
	b := setup(t, server(t))
	versiontest.Load(t, b.loader, b.artifacts, shop(false))
	_, _, err := b.whole(t.Context(), run(1))
	b.Must(err)
	b.again(func(s *settings.Export) { s.ExportFormat = "ndjson" })
	_, out, err := b.whole(t.Context(), run(2))
	b.Must(err)
	total := int64(0)
	for list, schema := range map[string]*parquet.Schema{
		lake.ExportedCustomers: parquet.SchemaOf(recommended[int32]{}), lake.ExportedProducts: parquet.SchemaOf(similar{}),
	} {
		var names []string
		for _, column := range schema.Columns() {
			names = append(names, column[0])
		}
		var described []string
		columns := b.columns(list)
		for _, column := range columns[:len(columns)-1] {
			described = append(described, strings.Fields(column)[0])
		}
		if location := columns[len(columns)-1]; !slices.Equal(names, described) || location != "s3://lake/exports/export=run-2/"+list+"/" {
			t.Errorf("the files of the %s have %v, and the table %v at %s", list, names, described, location)
		}
		packed, err := gzip.NewReader(strings.NewReader(b.files("run-2")[list+"/part-0000.ndjson.gz"]))
		b.Must(err)
		for lines := json.NewDecoder(packed); lines.More(); total++ {
			line := map[string]any{}
			if err := lines.Decode(&line); err != nil || len(line) != len(names) {
				t.Fatalf("%v, %v", line, err)
			}
		}
	}
	if total != out.Rows || total != int64(len(read[recommended[int32]](t, b, "run-1", lake.ExportedCustomers))+len(read[similar](t, b, "run-1", lake.ExportedProducts))) {
		t.Errorf("%d lines, %+v", total, out)
	}
}

// Nothing is exported if nobody wants it, if no version is active, or if the version has no catalogue.
func TestNothingIsExportedWithoutReason(t *testing.T) {
	b := setup(t, server(t))
	plan := func(n int) workflow.ExportPlan {
		t.Helper()
		plan, err := do[workflow.ExportPlan](t.Context(), b.Handler, workflow.ExportInput{Run: run(n), Do: workflow.PlanExport})
		b.Must(err)
		return plan
	}
	if plan(1).Status != "no-version" {
		t.Errorf("%+v", plan(1))
	}
	versiontest.Load(t, b.loader, nil, versiontest.Small())
	if plan(2).Status != "no-catalogue" {
		t.Errorf("%+v", plan(2))
	}
	versiontest.Load(t, b.loader, b.artifacts, versiontest.Small())
	b.again(func(s *settings.Export) { s.Export = "off" })
	if plan(3).Status != "off" || len(b.exports()) != 0 {
		t.Errorf("%+v, exports %v", plan(3), b.exports())
	}
	b.again(func(s *settings.Export) { s.Export = "products" })
	if p := plan(4); p.Status != "planned" || len(p.Ranges) != 1 || p.Ranges[0].List != lake.ExportedProducts {
		t.Errorf("%+v", p)
	}
}

// A catalogue that is damaged fails under a name that is not retried, because the lists would not be exact.
func TestADamagedCatalogueIsRefused(t *testing.T) {
	b := setup(t, server(t))
	number := versiontest.Load(t, b.loader, b.artifacts, versiontest.Small())
	_, err := b.artifacts.Put(t.Context(), lake.VersionKey(number, lake.CatalogueKey), bytes.NewReader([]byte("damaged")))
	b.Must(err)
	if _, _, err := b.whole(t.Context(), run(1)); !errors.Is(err, failure.InvalidEmbeddings) {
		t.Errorf("got %v", err)
	}
}

// An export whose version is replaced meanwhile is not published, and neither is one whose snapshot is.
func TestAReplacedVersionIsNotPublished(t *testing.T) {
	for name, replace := range map[string]func(b *bench){
		"another version": func(b *bench) { versiontest.Load(t, b.loader, b.artifacts, versiontest.Small()) },
		"another snapshot": func(b *bench) {
			_, err := vectorstore.Refresh(b.Context(), b.loader, 1, vectorstore.Snapshot{Name: "later", Of: time.Unix(9, 0), Products: pgx.CopyFromRows(nil)})
			b.Must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, server(t))
			versiontest.Load(t, b.loader, b.artifacts, versiontest.Small())
			plan, err := do[workflow.ExportPlan](t.Context(), b.Handler, workflow.ExportInput{Run: run(1), Do: workflow.PlanExport})
			b.Must(err)
			replace(b)
			again, out, err := b.whole(t.Context(), run(1))
			b.Must(err)
			if again.Version != plan.Version || out.Status != superseded || out.Reason == "" {
				t.Errorf("plan %+v, %+v", again, out)
			}
			if _, _, err := b.latest(t.Context()); err == nil {
				t.Error("there is a pointer")
			}
		})
	}
}

// An older run never replaces the export of a newer one. Old exports go, and those that may be at work stay.
func TestTheNewestExportIsVisible(t *testing.T) {
	b := setup(t, server(t))
	b.again(func(s *settings.Export) { s.KeepExports = 2 })
	versiontest.Load(t, b.loader, b.artifacts, versiontest.Small())
	late, err := do[workflow.ExportPlan](t.Context(), b.Handler, workflow.ExportInput{Run: run(1), Do: workflow.PlanExport})
	b.Must(err)
	for _, n := range []int{2, 3, 4} {
		_, out, err := b.whole(t.Context(), run(n))
		if b.Must(err); out.Status != "published" {
			t.Errorf("%+v", out)
		}
	}
	if got := b.exports(); !slices.Equal(got, []string{"run-1", "run-3", "run-4"}) {
		t.Errorf("exports %v", got)
	}
	_, out, err := b.whole(t.Context(), late.Run)
	b.Must(err)
	latest, _, err := b.latest(t.Context())
	if b.Must(err); out.Status != superseded || !strings.Contains(out.Reason, "run-4") || latest.Export != "run-4" || latest.Customers != 2 {
		t.Errorf("%+v, the pointer %+v", out, latest)
	}
	if location := b.columns(lake.ExportedProducts); location[len(location)-1] != "s3://lake/exports/export=run-4/products/" {
		t.Errorf("Glue's table is at %v", location)
	}
	if plan, err := do[workflow.ExportPlan](t.Context(), b.Handler, workflow.ExportInput{Run: run(0), Do: workflow.PlanExport}); err != nil || plan.Status != superseded {
		t.Errorf("%+v, %v", plan, err)
	}
	abandoned := workflow.Run{ID: "run-5", StartedAt: began.Add(48 * time.Hour)}
	_, _, err = b.whole(t.Context(), abandoned)
	b.Must(err)
	if got := b.exports(); !slices.Equal(got, []string{"run-4", "run-5"}) {
		t.Errorf("a day later, exports %v", got)
	}
}

// TestInterruptedAnywhere: an export that is killed right before or after any write ends with the same bytes.
func TestInterruptedAnywhere(t *testing.T) {
	postgres := server(t)
	world.InterruptedAnywhere(t, func(t *testing.T, n int64) (state []string, points int64) {
		b := setup(t, postgres)
		versiontest.Load(t, b.loader, b.artifacts, shop(true))
		b.again(func(s *settings.Export) { s.KeepExports = 1 })
		_, _, err := b.whole(t.Context(), run(1))
		b.Must(err)
		passed := b.Interrupt(n)
		if _, _, err := b.whole(t.Context(), run(2)); err != nil && n == 0 {
			t.Fatal(err)
		}
		points = passed.Passed()
		_, out, err := b.whole(t.Context(), run(2))
		b.Must(err)
		for name, content := range b.files("run-2") {
			state = append(state, fmt.Sprintf("%s %x", name, sha256.Sum256([]byte(content))))
		}
		slices.Sort(state)
		return append(state, fmt.Sprintf("%+v %v %v", out, b.exports(), b.columns(lake.ExportedCustomers))), points
	})
}

// A part that is none is refused by its name.
func TestWrongPartsAreRefused(t *testing.T) {
	b := setup(t, server(t))
	versiontest.Load(t, b.loader, b.artifacts, versiontest.Small())
	_, err := do[workflow.ExportPlan](t.Context(), b.Handler, workflow.ExportInput{Run: run(1), Do: workflow.PlanExport})
	b.Must(err)
	for _, in := range []workflow.ExportInput{
		{Run: run(1)}, {Run: run(1), Do: "everything"}, {Run: run(1), Do: workflow.ExportRange}, {Do: workflow.PlanExport},
		{Run: run(1), Do: workflow.ExportRange, Range: &workflow.ListRange{List: "customers", Index: 9}},
		{Run: run(1), Do: workflow.ExportRange, Range: &workflow.ListRange{List: "nothing"}},
	} {
		if _, err := b.Handle(context.Background(), in); !errors.Is(err, failure.InvalidInput) {
			t.Errorf("%+v: %v", in, err)
		}
	}
}
