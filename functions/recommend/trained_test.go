package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/pgvector/pgvector-go"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/als"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/model"
	"recsys/shared/learn/neighbours"
	"recsys/shared/learn/sparse"
	"recsys/shared/shop/sampleshop"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
)

// trainedShop is a sample shop with the factors that ALS and the neighbours that item kNN learn from its ratings.
type trainedShop struct {
	version
	linear []byte // the model for customers without a vector
}

// rating is a line of sampleshop.WriteTraining.
type rating struct {
	customer int32
	product  string
	stars    int
}

// train generates a shop and trains on it as functions/train does, with the default options.
func train(tb testing.TB, o sampleshop.Options) (shop trainedShop) {
	tb.Helper()
	users, items := map[int32]model.Record{}, map[string]model.Record{}
	counted := map[[2]string]int64{}
	var ratings []rating
	number := func(text string) float64 {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return math.NaN()
		}
		return x
	}
	readCSV(tb, func(w io.Writer) error { return sampleshop.WriteProducts(w, o) }, func(row map[string]string) {
		items[row["productCode"]] = model.Record{Texts: []string{row["productLine"], row["productScale"]}, Numbers: []float64{number(row["buyPrice"]), number(row["MSRP"])}}
		shop.Attributes = append(shop.Attributes, []any{row["productCode"], row["productLine"], int32(number(row["quantityInStock"]))})
	})
	readCSV(tb, func(w io.Writer) error { return sampleshop.WriteTraining(w, o) }, func(row map[string]string) {
		customer := int32(number(row["customerNumber"]))
		users[customer] = model.Record{Texts: []string{row["city"], row["country"]}, Numbers: []float64{number(row["creditLimit"])}}
		ratings = append(ratings, rating{customer, row["productCode"], int(100 * number(row["productRating"]))})
		shop.Rated = append(shop.Rated, []any{customer, row["productCode"]})
		counted[[2]string{vectorstore.CountryKey(row["country"]), row["productCode"]}]++
	})
	for key, count := range counted {
		shop.Popularity = append(shop.Popularity, []any{key[0], key[1], count})
	}
	shop.fit(tb, users, items, ratings)
	return shop
}

func readCSV(tb testing.TB, write func(io.Writer) error, use func(row map[string]string)) {
	tb.Helper()
	var text bytes.Buffer
	if err := write(&text); err != nil {
		tb.Fatal(err)
	}
	lines, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		use(row)
	}
}

func (shop *trainedShop) fit(tb testing.TB, users map[int32]model.Record, items map[string]model.Record, ratings []rating) {
	tb.Helper()
	customers, products := slices.Sorted(maps.Keys(users)), slices.Sorted(maps.Keys(items))
	u, p := model.NewTable(model.ColumnsOf(shape.Lab.CustomerColumns)), model.NewTable(model.ColumnsOf(shape.Lab.ProductColumns))
	column, row := map[string]int32{}, map[int32][]rating{}
	for i, code := range products {
		column[code] = int32(i)
		p.Add(items[code])
	}
	for _, r := range ratings {
		row[r.customer] = append(row[r.customer], r)
	}
	matrix := &sparse.Matrix{Width: len(products), Start: []int64{0}}
	for _, customer := range customers {
		u.Add(users[customer])
		slices.SortFunc(row[customer], func(a, b rating) int { return int(column[a.product] - column[b.product]) })
		for _, r := range row[customer] {
			matrix.Columns, matrix.Ratings = append(matrix.Columns, column[r.product]), append(matrix.Ratings, uint16(r.stars))
		}
		matrix.Start = append(matrix.Start, int64(len(matrix.Columns)))
	}
	encoders := model.FitEncoders(u, p)
	options := als.Default()
	options.Factors = 128
	factors, err := als.Fit(tb.Context(), als.Data{Ratings: matrix, Users: encoders.Users(u), Items: encoders.Items(p)}, options, nil, nil)
	if err != nil {
		tb.Fatal(err)
	}
	if shop.linear, err = model.WriteLinear(encoders, factors.UserMap, factors.ItemMap); err != nil {
		tb.Fatal(err)
	}
	table, err := neighbours.KNN(tb.Context(), matrix, neighbours.DefaultKNN())
	if err != nil {
		tb.Fatal(err)
	}
	shop.Neighbours = &blend.Neighbours{Kind: lake.KNN, Beta: 0.4, Items: products, Table: table}
	shop.Metric, shop.Items, shop.Users, shop.Whole = distance.InnerProduct, map[string][]float32{}, map[int32][]float32{}, true
	for i, code := range products {
		shop.Items[code] = factors.Items[i*factors.Dimension:][:factors.Dimension]
	}
	for i, customer := range customers {
		shop.Users[customer] = factors.Users[i*factors.Dimension:][:factors.Dimension]
	}
}

// loadTrained is load for a version that functions/train has made.
func (w *world) loadTrained(shop trainedShop) (number int64) {
	w.Helper()
	number = w.load(shop.version)
	_, err := w.artifacts.Put(w.Context(), lake.VersionKey(number, lake.LinearModelKey), bytes.NewReader(shop.linear))
	w.Must(err)
	w.exec(fmt.Sprintf(`update %s set has_model = true, artifacts = artifacts || '{%q: "x"}' where version = %d`, vectorstore.VersionTable, lake.TrainingKey, number))
	return number
}

// shopSessions returns n activity records of the shop's visitors.
func shopSessions(tb testing.TB, o sampleshop.Options, n int) []string {
	tb.Helper()
	var lines bytes.Buffer
	if err := sampleshop.WriteSessions(&lines, o, n); err != nil {
		tb.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(lines.String()), "\n")
}

// largeSample is the shop of BenchmarkTrained.
func largeSample() sampleshop.Options {
	o := sampleshop.Default()
	o.Customers, o.Products, o.Ratings, o.OmitOrders = 16_000, 10_000, 400_000, true
	return o
}

// BenchmarkTrained answers batches of 500 from a trained model of 10,000 products and 16,000 customers: by the index, in memory,
// and both with item kNN next to the vectors. The bare limit beside them is two searches by the index for each record and nothing
// else, over two connections at the same time. They take turns, so their ratios hold on a busy machine. "one" is a record alone.
func BenchmarkTrained(b *testing.B) {
	const size = 500
	w := setup(b)
	shop := train(b, largeSample())
	payloads := shopSessions(b, largeSample(), size)
	byIndex := func(s *settings.Ranking) { s.InMemoryUpTo = 0 }
	handlers := map[string]*Handler{"index": w.newHandler(w.readerURL, accepting{}, byIndex), "memory": w.newHandler(w.readerURL, accepting{})}
	for _, ranks := range []string{"vectors", "blend"} {
		version := shop
		if ranks == "vectors" {
			version.Neighbours = nil
		}
		searches := w.bareSearches(shop, w.loadTrained(version), payloads)
		for _, way := range []string{"index", "memory"} {
			b.Run(ranks+"/"+way+"/500", func(b *testing.B) { inTurns(b, handlers[way], batch(payloads...), searches) })
			b.Run(ranks+"/"+way+"/one", func(b *testing.B) { alone(b, handlers[way], payloads) })
		}
		b.Run(ranks+"/cold", func(b *testing.B) { w.coldStarts(b, payloads[0]) })
	}
}

// inTurns reports the handler's throughput, and relative to the bare searches: medians of batches that take turns.
func inTurns(b *testing.B, handler *Handler, event events.KinesisEvent, searches func()) {
	timed := func(run func()) float64 {
		started := time.Now()
		run()
		return time.Since(started).Seconds()
	}
	ours := func() { answer(b, handler, event) }
	timed(ours) // prepares its statements
	timed(searches)
	var ratios, mine, bare []float64
	for b.Loop() {
		own, theirs := timed(ours), timed(searches)
		ratios, mine, bare = append(ratios, theirs/own), append(mine, own), append(bare, theirs)
	}
	size := float64(len(event.Records))
	b.ReportMetric(100*quantile(ratios, 0.5), "%-of-bare")
	b.ReportMetric(size/quantile(mine, 0.5), "records/s")
	b.ReportMetric(size/quantile(bare, 0.5), "bare-records/s")
}

// alone reports how long a record alone takes, for one after the other.
func alone(b *testing.B, handler *Handler, payloads []string) {
	var took []float64
	for b.Loop() {
		event := batch(payloads[len(took)%len(payloads)])
		started := time.Now()
		answer(b, handler, event)
		took = append(took, float64(time.Since(started).Microseconds())/1000)
	}
	b.ReportMetric(quantile(took, 0.5), "ms-median")
	b.ReportMetric(quantile(took, 0.99), "ms-p99")
}

// coldStarts reports the first answer of a new handler, which connects and loads the version, and the memory that it holds then.
func (w *world) coldStarts(b *testing.B, payload string) {
	var took []float64
	held := 0.0
	for b.Loop() {
		before := heap()
		handler := w.newHandler(w.readerURL, accepting{})
		started := time.Now()
		answer(b, handler, batch(payload))
		took = append(took, float64(time.Since(started).Microseconds())/1000)
		held = heap() - before
		runtime.KeepAlive(handler)
	}
	b.ReportMetric(quantile(took, 0.5), "ms-median")
	b.ReportMetric(held, "MB-held")
}

// heap returns the megabytes that are in use after a collection.
func heap() float64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc) / (1 << 20)
}

func quantile(values []float64, part float64) float64 {
	slices.Sort(values)
	return values[int(part*float64(len(values)-1))]
}

// bareSearches returns a function that searches the nearest five items of each record's customer and of its first product.
func (w *world) bareSearches(shop trainedShop, number int64, payloads []string) func() {
	w.Helper()
	var vectors [2][]pgvector.Vector
	some := pgvector.NewVector(shop.Items[slices.Min(slices.Collect(maps.Keys(shop.Items)))])
	for _, payload := range payloads {
		record, err := activity.Parse([]byte(payload), lab)
		w.Must(err)
		own, product := some, some
		if record.Customer != nil {
			id, err := shape.Int.Value(*record.Customer)
			w.Must(err)
			if v, known := shop.Users[id.(int32)]; known {
				own = pgvector.NewVector(v)
			}
		}
		if len(record.Products) > 0 {
			if v, known := shop.Items[record.Products[0].Code]; known {
				product = pgvector.NewVector(v)
			}
		}
		vectors[0], vectors[1] = append(vectors[0], own), append(vectors[1], product)
	}
	sql := fmt.Sprintf(`select count(near.id) from unnest($1::vector[]) q(v) cross join lateral
		(select id from %s i order by i.embedding %s q.v limit 5) near`, vectorstore.ItemTable(number), shop.Metric.Operator())
	return func() {
		var both sync.WaitGroup
		for _, half := range vectors {
			both.Go(func() {
				var found int
				if err := w.loader.QueryRow(w.Context(), sql, half).Scan(&found); err != nil || found != 5*len(half) {
					w.Error(found, err)
				}
			})
		}
		both.Wait()
	}
}
