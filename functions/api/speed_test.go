package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/settings"
	"recsys/shared/store/vectorstore"
)

// BenchmarkRequests asks for customers of a trained model of 10,000 products and 16,000 customers, over HTTP connections that are
// kept. The items are searched in memory, or by the index of the database. The bare limit beside it is one search for the customer's vector as a prepared statement, and nothing else.
func BenchmarkRequests(b *testing.B) {
	w := setup(b)
	shop := versiontest.Train(b, versiontest.LargeSample())
	number := versiontest.LoadTrained(w, w.loader, w.artifacts, shop)
	customers := slices.Sorted(maps.Keys(shop.Users))
	bare := fmt.Sprintf(`select i.id from %s i order by i.embedding %s (select u.embedding from %s u where u.id = $1) limit 5`,
		vectorstore.ItemTable(number), shop.Metric.Operator(), vectorstore.UserTable(number))
	for _, clients := range []int{1, 8, 32} {
		for _, search := range []struct {
			name         string
			inMemoryUpTo int64
		}{{"memory", settings.Default[settings.API]().InMemoryUpTo}, {"index", 0}} {
			b.Run(fmt.Sprintf("%s/%d", search.name, clients), func(b *testing.B) {
				s := settings.Default[settings.API]()
				s.InMemoryUpTo = search.inMemoryUpTo
				http, address := client(b, clients), w.serve(clients, s)
				drive(b, clients, func(i int) error {
					return whole(http, fmt.Sprintf("%s/v1/customers/%d/recommendations", address, customers[i%len(customers)]))
				})
			})
		}
		b.Run(fmt.Sprintf("bare/%d", clients), func(b *testing.B) {
			pool := w.Pool(vectorstore.LoaderRole, func(c *vectorstore.Config) { c.MaxConns, c.Repeating = int32(clients), true })
			drive(b, clients, func(i int) error { return search(b, pool, bare, customers[i%len(customers)]) })
		})
	}
}

// BenchmarkColdStart is the first request of a new instance: it connects, prepares its statements and reads the model.
func BenchmarkColdStart(b *testing.B) {
	w := setup(b)
	shop := versiontest.Train(b, versiontest.LargeSample())
	versiontest.LoadTrained(w, w.loader, w.artifacts, shop)
	customer := slices.Min(slices.Collect(maps.Keys(shop.Users)))
	for b.Loop() {
		address := w.serve(1, settings.Default[settings.API]())
		w.Must(whole(http.DefaultClient, fmt.Sprintf("%s/v1/customers/%d/recommendations", address, customer)))
	}
}

// whole wants a full answer.
func whole(client *http.Client, url string) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %w", response.StatusCode, err)
	}
	return nil
}

func search(b *testing.B, pool *pgxpool.Pool, sql string, customer int32) error {
	rows, err := pool.Query(b.Context(), sql, customer)
	if err != nil {
		return err
	}
	found := 0
	for rows.Next() {
		found++
	}
	if found != 5 {
		return fmt.Errorf("%d products were found", found)
	}
	return rows.Err()
}

// drive lets clients ask b.N times together, and reports how long they waited. Each asks a few times before, for the connections.
func drive(b *testing.B, clients int, ask func(i int) error) {
	const warm = 5
	var each sync.WaitGroup
	for range clients {
		each.Go(func() {
			for i := range warm {
				if err := ask(i); err != nil {
					b.Error(err)
				}
			}
		})
	}
	each.Wait()
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	b.ResetTimer()
	for range clients {
		each.Go(func() {
			for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
				began := time.Now()
				if err := ask(i); err != nil {
					b.Error(err)
				}
				took[i] = time.Since(began)
			}
		})
	}
	each.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric(float64(took[b.N/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds())/1000, "p99-ms")
}
