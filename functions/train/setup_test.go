package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"recsys/infra/local/aws/s3"
	"recsys/infra/local/testbed/s3test"
	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/als"
	"recsys/shared/shop/sampleshop"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// bench is a handler on a real S3, with empty buckets.
type bench struct {
	*Handler
	t  testing.TB
	s3 *s3.Server
}

func setup(t testing.TB) *bench {
	t.Helper()
	stores, server := s3test.Buckets(t, "lake", "artifacts")
	options := als.Default()
	options.Factors, options.Iterations = 8, 3
	options.Pinned = settings.Pinned{Factors: true, Iterations: true}
	return &bench{&Handler{
		Lake: stores[0], Artifacts: stores[1], ByDefault: true, HeldOut: lake.HoldOut{Seed: 1, Fraction: 0.2}, Options: options,
	}, t, server}
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// publish makes the training rows of a small sample shop the newest snapshot.
func (b *bench) publish(name string, seed uint64) {
	b.t.Helper()
	b.publishShop(name, seed, 60, 30, 300)
}

// publishShop is publish for a shop of another size.
func (b *bench) publishShop(name string, seed uint64, customers, items, ratings int) {
	b.t.Helper()
	o := sampleshop.Default()
	o.Seed, o.Customers, o.Products, o.Ratings = seed, customers, items, ratings
	var text bytes.Buffer
	b.must(sampleshop.WriteTraining(&text, o))
	records, err := csv.NewReader(&text).ReadAll()
	b.must(err)
	rows := make([]trainingtest.Row, 0, len(records))
	for _, r := range records[1:] {
		rows = append(rows, trainingtest.Row{
			CustomerNumber: int32(whole(b, r[0])), City: r[1], Country: r[4], CreditLimit: money(b, r[5]),
			ProductCode: r[6], ProductLine: r[7], ProductScale: r[8], BuyPrice: *money(b, r[10]), MSRP: *money(b, r[11]),
			ProductRating: int32(whole(b, r[12])),
		})
	}
	slices.SortStableFunc(rows, func(a, b trainingtest.Row) int { return int(a.CustomerNumber - b.CustomerNumber) })
	b.putRows(name, rows)
	var products bytes.Buffer
	b.must(sampleshop.WriteProducts(&products, o))
	listed, err := csv.NewReader(&products).ReadAll()
	b.must(err)
	var catalogue []training.CatalogueRow
	for _, r := range listed[1:] {
		catalogue = append(catalogue, training.CatalogueRow{
			ProductCode: r[0], ProductLine: r[1], ProductScale: r[2], BuyPrice: *money(b, r[4]), MSRP: *money(b, r[5])})
	}
	putTable(b, lake.ProductsKey(name), catalogue)
}

func (b *bench) putRows(name string, rows []trainingtest.Row) {
	b.t.Helper()
	putTable(b, lake.RangeKey(name, 0), rows)
	b.put(lake.ManifestKey(name), lake.Manifest{Snapshot: name, Ranges: 1, Rows: int64(len(rows))})
	b.put(lake.LatestKey, lake.Latest{Snapshot: name})
}

func whole(b *bench, text string) int {
	b.t.Helper()
	n, err := strconv.Atoi(text)
	b.must(err)
	return n
}

func money(b *bench, text string) *int64 {
	b.t.Helper()
	if text == "" {
		return nil
	}
	hundredths, _, err := training.ParseHundredths(text)
	b.must(err)
	return &hundredths
}

func putTable[T any](b *bench, key string, rows []T) {
	b.t.Helper()
	file, err := objectstore.Scratch()
	b.must(err)
	defer file.Close()
	w := training.NewWriter[T](file)
	for _, row := range rows {
		b.must(w.Append(row))
	}
	b.must(w.Close())
	_, err = b.Lake.PutFile(b.t.Context(), key, file)
	b.must(err)
}

func (b *bench) put(key string, value any) {
	b.t.Helper()
	_, err := b.Lake.PutJSON(b.t.Context(), key, value)
	b.must(err)
}

// handOver does a data scientist's last step.
func (b *bench) handOver() {
	b.t.Helper()
	_, err := b.Artifacts.Put(b.t.Context(), lake.SuccessKey, bytes.NewReader(nil))
	b.must(err)
}

func input(run, execution string) workflow.TrainInput {
	return workflow.TrainInput{
		Run:   workflow.Run{ID: run, StartedAt: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)},
		Input: json.RawMessage(execution),
	}
}

func (b *bench) train(run, execution string) workflow.Trained {
	b.t.Helper()
	out, err := b.Handle(b.t.Context(), input(run, execution))
	b.must(err)
	return out
}

// trained are the artifacts of a run, by their keys.
func (b *bench) trained(run string) map[string][]byte {
	b.t.Helper()
	found := map[string][]byte{}
	b.must(b.Artifacts.List(b.t.Context(), lake.TrainedPrefix(run), func(o objectstore.Object) error {
		content, _, err := b.Artifacts.Get(b.t.Context(), o.Key, 1<<24)
		found[o.Key[len(lake.TrainedPrefix(run)):]] = content
		return err
	}))
	return found
}

// endsTheSameInPieces runs attempts that have time for little, until one ends, and compares the artifacts with those of the
// run undisturbed.
func (b *bench) endsTheSameInPieces(attempts int) {
	b.t.Helper()
	for attempt := 1; ; attempt++ {
		ctx, cancel := context.WithTimeout(b.t.Context(), reserve/2)
		_, err := b.Handle(ctx, input("short", `{}`))
		cancel()
		if err == nil {
			break
		}
		if failure.KindOf(err) != failure.OutOfTime || attempt > attempts {
			b.t.Fatalf("attempt %d: %v", attempt, err)
		}
	}
	if !maps.EqualFunc(b.trained("short"), b.trained("undisturbed"), bytes.Equal) {
		b.t.Error("in pieces it ends otherwise")
	}
}
