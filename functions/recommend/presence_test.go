package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/settings"
	"recsys/shared/store/vectorstore"
)

// inShop is the attributes of items that the shop holds, each in stock.
func inShop(items ...string) (attributes [][]any) {
	for _, item := range items {
		attributes = append(attributes, []any{item, "line", int32(1)})
	}
	return attributes
}

// visits are records of a stored customer, of a session, and of an unknown visitor.
var visits = []string{
	`{"customer_number":1,"browse_history":[{"product_code":"item-011","in_shopping_cart":true}]}`,
	`{"session_id":"s","browse_history":[{"product_code":"item-002","in_shopping_cart":true}]}`,
	`{"session_id":"s","country":"Norway"}`,
}

// TestItemsThatAreGone: an item that the newest snapshot does not hold is in no list, for any options. One of which
// the stock alone is unknown stays.
func TestItemsThatAreGone(t *testing.T) {
	w := setup(t)
	v := version{Items: versiontest.Circle(12, 4), Users: map[int32][]float32{1: versiontest.Direction(0.1, 4)}, Whole: true,
		Popularity: [][]any{{"norway", itemID(4), int64(9)}, {"norway", "new", int64(8)}}}
	v.Attributes = append(inShop(itemID(1), itemID(3), itemID(5), itemID(7)), []any{itemID(8), "", nil}, []any{itemID(9), "line", int32(0)})
	w.load(v)
	_, err := w.pool.Exec(t.Context(), `insert into `+vectorstore.TrendingTable+` (items, scores, updated_at, counted_to) values ('{item-002,item-003}', '{9,5}', '2026-11-23', 0)`)
	w.Must(err)
	held := []string{itemID(1), itemID(3), itemID(4), itemID(5), itemID(7), itemID(8), "new"} // two of them were rated and came later
	for name, change := range map[string]func(*settings.Ranking){
		"defaults":      func(s *settings.Ranking) { s.Limit = 20 },
		"with trends":   func(s *settings.Ranking) { s.Limit, s.TrendingItems = 20, true },
		"diverse":       func(s *settings.Ranking) { s.Limit, s.Diversity = 20, 0.5 },
		"out of stock":  func(s *settings.Ranking) { s.Limit, s.IncludeOutOfStock = 20, true },
		"all that goes": func(s *settings.Ranking) { s.Limit, s.IncludeRated, s.IncludeSession = 20, true, true },
	} {
		t.Run(name, func(t *testing.T) {
			handler := w.newHandler(w.readerURL, w.client, change)
			if response, err := handler.Handle(t.Context(), batch(visits...)); err != nil || len(response.BatchItemFailures) > 0 {
				t.Fatal("not done", err)
			}
			want := slices.Clone(held)
			if handler.answers.Options.IncludeOutOfStock {
				want = append(want, itemID(9))
			}
			for _, o := range w.delivered() {
				ids := slices.Sorted(slices.Values(o.ids()))
				if !slices.Equal(ids, slices.Sorted(slices.Values(want))) {
					t.Errorf("recommended %v by %s, want %v", ids, o.Recommendation.Strategy, want)
				}
				for _, item := range o.Trending {
					if !slices.Contains(want, item.ID) {
						t.Errorf("trending %s is gone", item.ID)
					}
				}
				for _, id := range o.similarIDs() {
					if !slices.Contains(want, id) {
						t.Errorf("similar %s is gone", id)
					}
				}
			}
		})
	}
}

// TestItemsThatAreGoneInThePlainRetry: a batch that cannot be computed is asked again plainly, and holds nothing
// more.
func TestItemsThatAreGoneInThePlainRetry(t *testing.T) {
	w := setup(t, byIndex)
	v := version{Items: versiontest.Circle(12, 4), Users: map[int32][]float32{1: {1, 1e-45, 0, 0}}, Popularity: versiontest.Popularity, Whole: true}
	v.Items["tiny"] = []float32{1, 2e-45, 1e-45, 0}
	v.Popularity, v.Attributes = nil, inShop(itemID(3), itemID(4))
	w.load(v)
	if notDone := w.handle(`{"customer_number":1,"browse_history":[{"product_code":"tiny"}]}`); notDone != "" {
		t.Fatal("not done")
	}
	if ids := w.delivered()[0].ids(); !slices.Equal(slices.Sorted(slices.Values(ids)), []string{itemID(3), itemID(4)}) {
		t.Errorf("recommended %v", ids)
	}
}

// TestARefreshTakesItemsOut: a version that stays active leaves out items that a newer snapshot does not hold, and
// takes in those that come back. Nothing is left out by a list of an earlier release, which lacks the products of bad
// rows.
func TestARefreshTakesItemsOut(t *testing.T) {
	w := setup(t)
	number := w.load(version{Items: versiontest.Circle(5, 4), Users: map[int32][]float32{1: versiontest.Direction(0.1, 4)}})
	every := []string{itemID(0), itemID(1), itemID(2), itemID(3), itemID(4)}
	for i, snapshot := range []struct {
		products [][]any
		whole    bool
		want     []string
	}{
		{inShop(every...), true, every},
		{inShop(every[1:]...), true, every[1:]},
		{inShop(every...), true, every},
		{inShop(every[2:]...), false, every},
	} {
		refreshed, err := vectorstore.Refresh(t.Context(), w.loader, number, vectorstore.Snapshot{Name: fmt.Sprint(i),
			Of: time.Unix(int64(10+i), 0), Products: pgx.CopyFromRows(snapshot.products), Whole: snapshot.whole})
		if err != nil || !refreshed {
			t.Fatal(refreshed, err)
		}
		if notDone := w.handle(`{"customer_number":1}`); notDone != "" {
			t.Fatal("not done")
		}
		if ids := slices.Sorted(slices.Values(w.delivered()[0].ids())); !slices.Equal(ids, snapshot.want) {
			t.Errorf("snapshot %d: recommended %v, want %v", i, ids, snapshot.want)
		}
	}
}

// TestCodesWithoutRegardToCase: a code finds its product exactly, or else the only one that differs in case. That holds for
// the session, for similar items, for the session's vector and for carts in the trends.
func TestCodesWithoutRegardToCase(t *testing.T) {
	w := setup(t)
	v := version{Items: map[string][]float32{}, Whole: true}
	codes := []string{"P01", "ab00", "AB00", "Größe", "5003", "was-Here", "P02"}
	for i, code := range codes {
		v.Items[code] = versiontest.Direction(float64(i)/7, 2)
	}
	// "New" has no vector yet. WAS-HERE is the shop's present name of was-Here.
	v.Attributes = inShop("P01", "ab00", "AB00", "Größe", "5003", "P02", "New", "WAS-HERE")
	v.Popularity = [][]any{{"norway", "New", int64(1)}, {"norway", "WAS-HERE", int64(1)}}
	w.load(v)
	for code, want := range map[string]struct{ similarTo, excluded string }{
		"p01": {"P01", "P01"}, "P01": {"P01", "P01"}, "ab00": {"ab00", "ab00"}, "AB00": {"AB00", "AB00"},
		"aB00": {"", ""}, "GRÖßE": {"Größe", "Größe"}, "5003": {"5003", "5003"}, "05003": {"", ""},
		"NEW": {"", "New"}, "was-here": {"", "WAS-HERE"}, "nothing": {"", ""},
	} {
		handler := w.newHandler(w.readerURL, w.client, func(s *settings.Ranking) { s.Limit = 20 })
		payload := fmt.Sprintf(`{"session_id":"s","browse_history":[{"product_code":%q,"in_shopping_cart":true}]}`, code)
		if response, err := handler.Handle(t.Context(), batch(payload)); err != nil || len(response.BatchItemFailures) > 0 {
			t.Fatal("not done", err)
		}
		o := w.delivered()[0]
		similarTo := ""
		if o.Similar.ProductCode != nil {
			similarTo = *o.Similar.ProductCode
		}
		left := 8
		if want.excluded != "" {
			left--
		}
		if similarTo != want.similarTo || slices.Contains(o.ids(), want.excluded) || len(o.ids()) != left {
			t.Errorf("%q: similar to %q, want %q; recommended %v", code, similarTo, want.similarTo, o.ids())
		}
	}
	for item, want := range map[string]int{"P01": 1, "ab00": 1, "AB00": 1, "Größe": 1, "p01": 0, "aB00": 0} {
		var carts int
		w.Must(w.loader.QueryRow(t.Context(), `select count(*) from `+vectorstore.CartTable+` where item = $1`, item).Scan(&carts))
		if carts != want {
			t.Errorf("%s is in %v carts, want %d", item, carts, want)
		}
	}
}

// TestOneProductSpelledTwice: it moves the session's vector once, and is one product of the answer.
func TestOneProductSpelledTwice(t *testing.T) {
	w := setup(t)
	v := version{Items: versiontest.Circle(12, 4), Attributes: inShop(itemID(0), itemID(1), itemID(2), itemID(3), itemID(4), itemID(5)), Whole: true}
	w.load(v)
	once := `{"session_id":"s","browse_history":[{"product_code":"item-001"},{"product_code":"item-004"}]}`
	twice := `{"session_id":"s","browse_history":[{"product_code":"ITEM-001"},{"product_code":"item-001"},{"product_code":"item-004"}]}`
	if notDone := w.handle(once, twice); notDone != "" {
		t.Fatal("not done")
	}
	answers := w.delivered()
	if !slices.Equal(answers[0].Recommended, answers[1].Recommended) || len(answers[0].Recommended) != 4 {
		t.Errorf("%v differs from %v", answers[0].Recommended, answers[1].Recommended)
	}
}
