package main

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/settings"
	"recsys/shared/serving/answers"
	"recsys/shared/store/vectorstore"
)

// visitors numbers the sessions of cart.
var visitors atomic.Int64

// cart is a record of a visitor of its own with products in the cart.
func cart(products ...string) string {
	return cartOf(fmt.Sprint("visitor ", visitors.Add(1)), products...)
}

func cartOf(session string, products ...string) string {
	for i, product := range products {
		products[i] = fmt.Sprintf(`{"product_code":%q,"in_shopping_cart":true}`, product)
	}
	return fmt.Sprintf(`{"session_id":%q,"browse_history":[%s]}`, session, strings.Join(products, ","))
}

const nobody = `{"session_id":"nobody"}`

// TestTrendsDecay: a cart counts half after a half-life, for any order of the batches.
func TestTrendsDecay(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	w.handler = w.newHandler(w.readerURL, w.client, func(s *settings.Ranking) { s.TrendingItems = true })
	start, halfLife := w.handler.now(), w.handler.answers.Options.TrendingHalfLife
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
	w.Must(w.loader.QueryRow(w.Context(), `select count(*), coalesce(sum(score), 0)
		from `+vectorstore.TrendingTable+`, unnest(scores) score`).Scan(&items, &score))
	return items, score
}

// TestTrendsAreBounded: however many items are in carts, some hundred rows are kept, the best.
func TestTrendsAreBounded(t *testing.T) {
	w := setup(t)
	w.load(version{Items: versiontest.Circle(2000, 3)})
	for start := 0; start < 2000; start += 400 {
		var payloads []string
		for i := start; i < start+400; i++ {
			payloads = append(payloads, cart(itemID(i)))
		}
		if notDone := w.handle(append(payloads, cart("item-999"), cart("item-999"))...); notDone != "" {
			t.Fatal("not done")
		}
		if items, _ := w.trends(); items > answers.KeptTrends {
			t.Fatalf("%d items are kept", items)
		}
	}
	if items, score := w.trends(); items != answers.KeptTrends || score != answers.KeptTrends-1+11 {
		t.Errorf("%d items of score %v, want item-999 with 11 among %d", items, score, answers.KeptTrends)
	}
}

// TestTrendsOfManyAtOnce: batches that have the same items in their carts, in another order each, wait for each other
// but never in a circle. None is lost.
func TestTrendsOfManyAtOnce(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
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
	w.Must(all.Wait())
	if n, score := w.trends(); n != items || score != handlers*batches*items {
		t.Errorf("%d items of score %v, want %d of %d", n, score, items, handlers*batches*items)
	}
}

// TestACartCountsOnceDespiteFaults: one of the two connections is dead, either one, and the batch is asked again.
func TestACartCountsOnceDespiteFaults(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	other, err := pgx.Connect(t.Context(), w.readerURL)
	w.Must(err)
	defer other.Close(t.Context())
	for n, order := range []string{"asc", "desc"} {
		for range 2 { // the second batch has both connections
			w.handle(cart("item-001"))
		}
		var killed bool
		w.Must(other.QueryRow(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity
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
	w.Must(err)
	_, err = conn.Exec(w.Context(), `begin; `+sql)
	w.Must(err)
	return func() { w.Must(conn.Close(w.Context())) }
}

// TestTrendsAreLocked against a connection that has yet to prepare their statements, and later against one that has.
// The batch is answered all the same, and counts if its carts are there when the lock is gone.
func TestTrendsAreLocked(t *testing.T) {
	t.Parallel()
	for table, counted := range map[string]float64{vectorstore.CartTable: 1, vectorstore.TrendingTable: 3} {
		w := setup(t)
		w.load(versiontest.Small())
		for range 2 {
			release := w.hold(w.Owner, `lock table `+table+` in share mode`) // as CREATE INDEX does
			if notDone := w.handle(cart("item-001")); notDone != "" {
				t.Errorf("%s: the batch waits for the trends", table)
			}
			release()
		}
		if notDone := w.handle(cart("item-001")); notDone != "" {
			t.Errorf("%s: the connection is lost", table)
		}
		if outputs := w.delivered(); len(outputs) != 3 {
			t.Errorf("%d answers", len(outputs))
		}
		if _, score := w.trends(); score != counted {
			t.Errorf("%s: score %v, want %v", table, score, counted)
		}
	}
}

// TestASessionCountsOnce, however often its record is repeated, by Kinesis or by the visitor's next page.
func TestASessionCountsOnce(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	start := w.handler.now()
	at := func(after time.Duration, payloads ...string) {
		t.Helper()
		w.handler.now = func() time.Time { return start.Add(after) }
		if notDone := w.handle(payloads...); notDone != "" {
			t.Fatal("not done")
		}
	}
	w.handler.answers.Options.TrendingHalfLife = 1e6 * time.Hour
	at(0, cartOf("a", "item-001"), cartOf("a", "item-001", "item-002"), cartOf("b", "item-001"))
	for minutes := time.Duration(0); minutes <= 60; minutes += 10 { // across the ends of hours
		at(minutes*time.Minute, cartOf("a", "item-001", "item-002"), cartOf("b", "item-001"), cartOf("b", "item-001"))
	}
	if _, score := w.trends(); math.Abs(score-3) > 1e-3 {
		t.Errorf("score %v, want 3: two sessions with item-001, one with item-002", score)
	}
	customer := `{"customer_number":103,"browse_history":[{"product_code":"item-009","in_shopping_cart":1}]}`
	at(time.Hour, customer, customer)
	at(time.Hour, customer, strings.Replace(customer, "103", "104", 1))
	if _, score := w.trends(); math.Abs(score-5) > 1e-3 {
		t.Errorf("score %v, want 5: without a session each of two customers counts once", score)
	}
}

// TestACartCountsAgain after a pause of any length, also if no other carts come.
func TestACartCountsAgain(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	w.handler.answers.Options.TrendingHalfLife = 1e6 * time.Hour
	start := w.handler.now()
	for days := range 3 {
		for _, minutes := range []int{0, 1} {
			w.handler.now = func() time.Time { return start.Add(time.Duration(24*60*days+minutes) * time.Minute) }
			w.handle(cartOf("a", "item-001"))
			if _, score := w.trends(); math.Abs(score-float64(days+1)) > 1e-3 {
				t.Errorf("score %v after %d days and %d minutes", score, days, minutes)
			}
		}
	}
}

// TestASlotBegins on the clock of one batch, and only then a batch comes whose clock is two seconds behind.
func TestASlotBegins(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	w.handler.answers.Options.TrendingHalfLife = 1e6 * time.Hour
	begin := w.handler.now().Truncate(answers.SlotTime)
	ahead, behind := w.newHandler(w.readerURL, accepting{}), w.newHandler(w.readerURL, accepting{})
	ahead.answers.Options, behind.answers.Options = w.handler.answers.Options, w.handler.answers.Options
	ahead.now = func() time.Time { return begin.Add(time.Second) }
	behind.now = func() time.Time { return begin.Add(-time.Second) }
	for _, step := range []struct {
		handler *Handler
		session string
	}{{ahead, "a"}, {behind, "b"}, {ahead, "a"}, {behind, "b"}} {
		response, err := step.handler.Handle(t.Context(), batch(cartOf(step.session, "item-001")))
		if err != nil || len(response.BatchItemFailures) > 0 {
			t.Fatal("not done", err)
		}
	}
	if _, score := w.trends(); math.Abs(score-2) > 1e-3 {
		t.Errorf("score %v, want 2: each of two sessions counts once", score)
	}
}

// TestCartsAreForgotten after some slots, but not while somebody who dumps the database holds them.
func TestCartsAreForgotten(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	start := w.handler.now()
	carts := func() (n int) {
		t.Helper()
		w.Must(w.loader.QueryRow(t.Context(), `select count(*) from `+vectorstore.CartTable).Scan(&n))
		return n
	}
	after := func(slots int) {
		t.Helper()
		w.handler.now = func() time.Time { return start.Add(time.Duration(slots) * answers.SlotTime) }
		if notDone := w.handle(cart("item-001")); notDone != "" {
			t.Fatal("not done")
		}
	}
	for slots := range 10 {
		after(slots)
		if n := carts(); n > vectorstore.CartSlots-1 {
			t.Errorf("%d carts after %d slots", n, slots)
		}
	}
	release := w.hold(w.Owner, `lock table `+vectorstore.CartTable+` in access share mode`)
	for slots := range 10 {
		after(10 + slots)
	}
	if n := carts(); n != vectorstore.CartSlots-1+10 {
		t.Errorf("%d carts beside a dump", n)
	}
	release()
	for slots := range vectorstore.CartSlots {
		after(20 + slots)
	}
	if n := carts(); n > vectorstore.CartSlots {
		t.Errorf("%d carts after the dump", n)
	}
	if _, score := w.trends(); score < 5 {
		t.Errorf("score %v: forgotten carts do not count any more", score)
	}
}

// TestTrendsAreBehind: carts are counted once in a while, and none is counted twice or left out.
func TestTrendsAreBehind(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	w.handler.answers.CountEvery = answers.CountCartsEvery
	start := w.handler.now()
	for _, step := range []struct {
		after time.Duration
		score float64
	}{{0, 1}, {time.Second, 1}, {answers.CountCartsEvery - 1, 1}, {answers.CountCartsEvery, 4}, {answers.CountCartsEvery + 1, 4}, {-time.Hour, 6}, {time.Hour, 7}} {
		w.handler.answers.Options.TrendingHalfLife = 1e6 * time.Hour
		w.handler.now = func() time.Time { return start.Add(step.after) }
		w.handle(cart("item-001"))
		if _, score := w.trends(); math.Abs(score-step.score) > 1e-3 {
			t.Errorf("after %v: score %v, want %v", step.after, score, step.score)
		}
	}
}
