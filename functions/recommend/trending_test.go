package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"recsys/shared/settings"
	"recsys/shared/vectorstore"
)

// cart is a record of a visitor with products in the cart.
func cart(products ...string) string {
	for i, product := range products {
		products[i] = fmt.Sprintf(`{"product_code":%q,"in_shopping_cart":true}`, product)
	}
	return `{"session_id":"s","browse_history":[` + strings.Join(products, ",") + `]}`
}

const nobody = `{"session_id":"nobody"}`

// TestTrendsDecay: what was put into carts counts half after a half-life, whatever order batches come in.
func TestTrendsDecay(t *testing.T) {
	w := setup(t)
	w.load(small())
	w.handler = w.newHandler(w.readerURL, w.handler.delivery.client, func(s *settings.Ranking) { s.TrendingItems = true })
	start, halfLife := w.handler.now(), *w.handler.index.options.TrendingHalfLife
	at := func(halfLives float64, payloads ...string) []output {
		t.Helper()
		w.handler.now = func() time.Time { return start.Add(time.Duration(halfLives * float64(halfLife))) }
		if notDone := w.handle(payloads...); notDone != "" {
			t.Fatal("not done")
		}
		return w.delivered()
	}
	if first := at(0, nobody, cart("item-001", "item-001", "unknown"), cart("item-001"), cart("item-001"), cart("item-001", "item-007")); len(first[0].Trending) != 0 {
		t.Errorf("a batch sees its own carts: %+v", first[0].Trending)
	}
	at(1, cart("item-002"), cart("item-002"), cart("item-002"))
	at(0, cart("item-002")) // late: worth half by now
	o := at(1, nobody)[0]
	want := []scored{{"item-002", 3.5}, {"item-001", 2}, {"item-007", 0.5}}
	for i, item := range want {
		if len(o.Trending) != len(want) || o.Trending[i].ID != item.ID || math.Abs(o.Trending[i].Score-item.Score) > 1e-9 {
			t.Fatalf("trending %+v, want %+v", o.Trending, want)
		}
	}
	if o.Recommendation.Strategy != "trending" || !sameItems(o.ids(), "item-002 item-001 item-007 item-003 item-050") {
		t.Errorf("recommended %v by %s", o.ids(), o.Recommendation.Strategy)
	}
	at(2000, cart("item-003")) // longer than a float8 can halve
	if o := at(2000, nobody)[0]; o.Trending[0] != (scored{"item-003", 1}) {
		t.Errorf("trending %+v", o.Trending)
	}
}

func (w *world) trends() (items int, score float64) {
	w.Helper()
	w.must(w.loader.QueryRow(w.Context(), `select count(*), coalesce(sum(score), 0) from `+vectorstore.TrendingTable).Scan(&items, &score))
	return items, score
}

// TestTrendsAreBounded: however many items are in carts, some hundred rows are kept, the best.
func TestTrendsAreBounded(t *testing.T) {
	w := setup(t)
	w.load(version{items: circle(2000, 3)})
	for start := 0; start < 2000; start += 400 {
		var payloads []string
		for i := start; i < start+400; i++ {
			payloads = append(payloads, cart(itemID(i)))
		}
		if notDone := w.handle(append(payloads, cart("item-999"), cart("item-999"))...); notDone != "" {
			t.Fatal("not done")
		}
		if items, _ := w.trends(); items > keptTrends {
			t.Fatalf("%d items are kept", items)
		}
	}
	if items, score := w.trends(); items != keptTrends || score != keptTrends-1+11 {
		t.Errorf("%d items of score %v, want item-999 with 11 among %d", items, score, keptTrends)
	}
}

// TestTrendsOfManyAtOnce: batches that have the same items in their carts, in another order each, wait for each other but
// never in a circle; none is lost.
func TestTrendsOfManyAtOnce(t *testing.T) {
	w := setup(t)
	w.load(small())
	const handlers, batches, items = 4, 15, 40
	var all errgroup.Group
	for h := range handlers {
		handler := w.newHandler(w.readerURL, accepting{})
		all.Go(func() error {
			for n := range batches {
				var payloads []string
				for i := range items {
					payloads = append(payloads, cart(itemID((i*(2*h+1)+n)%items)))
				}
				if response, err := handler.Handle(t.Context(), batch(payloads...)); err != nil || len(response.BatchItemFailures) > 0 {
					return fmt.Errorf("not done: %w", err)
				}
			}
			return nil
		})
	}
	w.must(all.Wait())
	if n, score := w.trends(); n != items || score != handlers*batches*items {
		t.Errorf("%d items of score %v, want %d of %d", n, score, items, handlers*batches*items)
	}
}

// TestACartCountsOnceWhateverBreaks: one of the two connections is dead, either one, and the batch is asked again.
func TestACartCountsOnceWhateverBreaks(t *testing.T) {
	w := setup(t)
	w.load(small())
	other, err := pgx.Connect(t.Context(), w.readerURL)
	w.must(err)
	defer other.Close(t.Context())
	for n, order := range []string{"asc", "desc"} {
		for range 2 { // the second batch has both connections
			w.handle(cart("item-001"))
		}
		var killed bool
		w.must(other.QueryRow(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity
			where application_name = 'recommend' order by pid `+order+` limit 1`).Scan(&killed))
		if notDone := w.handle(cart("item-001")); notDone != "" || !killed {
			t.Error("not done")
		}
		if _, score := w.trends(); score != float64(3*(n+1)) {
			t.Errorf("%d batches: score %v", 3*(n+1), score)
		}
	}
}

// hold keeps the locks of a statement until they are released.
func (w *world) hold(url, sql string) (release func()) {
	w.Helper()
	conn, err := pgx.Connect(w.Context(), url)
	w.must(err)
	_, err = conn.Exec(w.Context(), `begin; `+sql)
	w.must(err)
	return func() { w.must(conn.Close(w.Context())) }
}

// TestTrendsAreLocked against a connection that has yet to prepare their statements: the batch is answered all the same.
func TestTrendsAreLocked(t *testing.T) {
	w := setup(t)
	w.load(small())
	release := w.hold(w.ownerURL, `lock table `+vectorstore.TrendingTable+` in share mode`) // as CREATE INDEX does
	if notDone := w.handle(cart("item-001")); notDone != "" {
		t.Error("the batch waits for the trends")
	}
	release()
}

// TestTrendsCannotBeKept: somebody holds their table for longer than a batch waits; it is answered all the same.
func TestTrendsCannotBeKept(t *testing.T) {
	w := setup(t)
	w.load(small())
	w.handle(cart("item-001"))
	release := w.hold(w.readerURL, `update `+vectorstore.TrendingTable+` set score = score`)
	if notDone := w.handle(cart("item-001")); notDone != "" {
		t.Error("the batch waits for the trends")
	}
	release()
	if notDone := w.handle(cart("item-001")); notDone != "" {
		t.Error("the connection is lost")
	}
	if outputs := w.delivered(); len(outputs) != 3 {
		t.Errorf("%d answers", len(outputs))
	}
	if _, score := w.trends(); score != 2 {
		t.Errorf("score %v, want 2: the batch in between is not counted", score)
	}
}
