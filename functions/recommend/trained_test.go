package main

import (
	"bytes"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/pgvector/pgvector-go"

	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/sampleshop"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
)

// shopSessions returns n activity records of the shop's visitors.
func shopSessions(tb testing.TB, o sampleshop.Options, n int) []string {
	tb.Helper()
	var lines bytes.Buffer
	if err := sampleshop.WriteSessions(&lines, o, n); err != nil {
		tb.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(lines.String()), "\n")
}

// BenchmarkTrained answers batches of 500 from a trained model of 10,000 products and 16,000 customers: by the index, in memory,
// and both with item kNN next to the vectors. The bare limit beside them is two searches by the index for each record and nothing
// else, over two connections at the same time. They take turns, so their ratios hold on a busy machine. "one" is a record alone.
func BenchmarkTrained(b *testing.B) {
	const size = 500
	w := setup(b)
	shop := versiontest.Train(b, versiontest.LargeSample())
	payloads := shopSessions(b, versiontest.LargeSample(), size)
	byIndex := func(s *settings.Ranking) { s.InMemoryUpTo = 0 }
	handlers := map[string]*Handler{"index": w.newHandler(w.readerURL, accepting{}, byIndex), "memory": w.newHandler(w.readerURL, accepting{})}
	for _, ranks := range []string{"vectors", "blend"} {
		version := shop
		if ranks == "vectors" {
			version.Neighbours = nil
		}
		searches := w.bareSearches(shop, versiontest.LoadTrained(w, w.loader, w.artifacts, version), payloads)
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
func (w *world) bareSearches(shop versiontest.Trained, number int64, payloads []string) func() {
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
