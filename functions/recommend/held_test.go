package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/serving/answers"
	"recsys/shared/store/vectorstore"
)

// shoppers are n records of new sessions with two products of a version of 1,000 in the cart.
func shoppers(n int, chance *rand.Rand) []string {
	payloads := make([]string, n)
	for i := range payloads {
		payloads[i] = cart(fmt.Sprintf("item-%03d", chance.IntN(1000)), fmt.Sprintf("item-%03d", chance.IntN(1000)))
	}
	return payloads
}

// dump holds the snapshot and the locks of a pg_dump until it is released.
func (w *world) dump() (release func()) {
	w.Helper()
	return w.hold(w.Owner, `set transaction isolation level repeatable read; lock table `+vectorstore.CartTable+`, `+
		vectorstore.TrendingTable+` in access share mode; select count(*) from `+vectorstore.TrendingTable)
}

// TestALongTransactionLeavesTheTrendsSmall: the trends' rows that each batch reads must not grow while somebody holds
// a snapshot, although no dead row can be removed then.
func TestALongTransactionLeavesTheTrendsSmall(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.load(version{Items: versiontest.Circle(1000, 3)})
	chance := rand.New(rand.NewPCG(1, 1))
	release := w.dump()
	defer release()
	const batches = 60 // that count the carts, each: an hour of them
	for range batches {
		if notDone := w.handle(shoppers(20, chance)...); notDone != "" {
			t.Fatal("not done")
		}
	}
	var pages, valid int
	w.Must(w.loader.QueryRow(t.Context(), `select pg_relation_size('`+vectorstore.TrendingTable+`') / 8192, count(*) from `+vectorstore.TrendingTable).Scan(&pages, &valid))
	if pages > batches/5 || valid != 1 {
		t.Errorf("the trends are %d pages, %d rows of them valid; want one row, and a fraction of a page for each that is dead", pages, valid)
	}
}

// BenchmarkHeldSnapshot is an hour at 60 records/s, in batches of a second, with a pg_dump during all of it. It
// reports a batch's time before, at the end of the hour, and afterwards, and the size of the trends.
func BenchmarkHeldSnapshot(b *testing.B) {
	w := setup(b)
	w.load(version{Items: versiontest.Circle(1000, 32), Popularity: versiontest.Popularity})
	handler := w.newHandler(w.readerURL, accepting{})
	handler.answers.CountEvery = answers.CountCartsEvery
	chance, now := rand.New(rand.NewPCG(1, 1)), w.handler.now()
	handler.now = func() time.Time { return now }
	second := func() time.Duration {
		event := batch(shoppers(60, chance)...)
		started := time.Now()
		answer(b, handler, event)
		now = now.Add(time.Second)
		return time.Since(started)
	}
	median := func(batches int) float64 {
		took := make([]time.Duration, batches)
		for i := range took {
			took[i] = second()
		}
		slices.Sort(took)
		return float64(took[batches/2].Microseconds()) / 1000
	}
	kilobytes := func() (kB float64) {
		w.Must(w.loader.QueryRow(b.Context(), `select sum(pg_total_relation_size(oid)) / 1024 from pg_class
			where relkind = 'r' and (relname like 'cart_item%' or relname like 'trend%')`).Scan(&kB))
		return kB
	}
	for b.Loop() {
		median(20) // statements are prepared
		b.ReportMetric(median(100), "ms-before")
		release := w.dump()
		median(3500)
		b.ReportMetric(median(100), "ms-held-for-an-hour")
		b.ReportMetric(kilobytes(), "kB-held-for-an-hour")
		release()
		b.ReportMetric(median(100), "ms-released")
		for range vectorstore.CartSlots {
			now = now.Add(answers.SlotTime)
			second()
		}
		b.ReportMetric(kilobytes(), "kB-two-hours-later")
	}
}
