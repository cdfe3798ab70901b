package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/settings"
	"recsys/shared/store/vectorstore"
)

// TestCustomerWhoHasNearlyEverything has rated 95 % of 20,000 items: any of them, or the very nearest, which is the worst for a
// search that goes outwards. One such record is searched exactly, many together by the index. The lists are full of the other
// items, by the first strategy.
func TestCustomerWhoHasNearlyEverything(t *testing.T) {
	t.Parallel()
	const items, customers, share = 20_000, 4, 0.95
	w := setup(t, byIndex)
	v := version{Items: versiontest.ManyItems(items), Users: versiontest.ManyUsers(customers), Popularity: versiontest.Popularity}
	has := map[int32]map[string]bool{}
	for user, vector := range v.Users {
		has[user] = map[string]bool{}
		for _, item := range ordered(v.Items, vector, user%2 == 0)[:items*share] {
			has[user][item] = true
			v.Rated = append(v.Rated, []any{user, item})
		}
	}
	for item := range v.Items {
		v.Attributes = append(v.Attributes, []any{item, "line", int32(1)})
	}
	w.load(v)
	var all []string
	for user := range v.Users {
		for k := range 8 {
			all = append(all, fmt.Sprintf(`{"customer_number":%d,"browse_history":[{"product_code":"item-%05d"}]}`, user, 100*int(user)+k))
		}
	}
	for name, size := range map[string]int{"one by one": 1, "all in one batch": len(all)} {
		t.Run(name, func(t *testing.T) {
			var took []time.Duration
			for payloads := range slices.Chunk(all, size) {
				started := time.Now()
				if notDone := w.handle(payloads...); notDone != "" {
					t.Fatal("not done")
				}
				took = append(took, time.Since(started))
			}
			outputs := w.delivered()
			for _, o := range outputs {
				for _, id := range append(o.ids(), o.similarIDs()...) {
					if has[int32(o.CustomerNumber)][id] {
						t.Errorf("customer %d has rated %s", o.CustomerNumber, id)
					}
				}
				if len(o.Recommended) != 5 || len(o.Similar.Items) != 5 || o.Recommendation.Strategy != "stored-vector" {
					t.Errorf("customer %d: %d items by %s, %d similar ones", o.CustomerNumber, len(o.Recommended), o.Recommendation.Strategy, len(o.Similar.Items))
				}
			}
			if len(outputs) != len(all) {
				t.Errorf("%d answers, want %d", len(outputs), len(all))
			}
			slices.Sort(took)
			t.Logf("%d batches of %d records: p50 %v, p99 %v", len(took), size, took[len(took)/2], took[len(took)*99/100])
		})
	}
}

// TestListsHoldEligibleItems: a list holds the limit or all eligible items, each once, and nothing else. Items that
// the customer has rated, has in the session or could not get are not eligible.
func TestListsHoldEligibleItems(t *testing.T) {
	t.Parallel()
	const items, customers, records = 24, 40, 120
	chance := rand.New(rand.NewPCG(8, 8))
	w := setup(t)
	v := version{Items: versiontest.Circle(items, 4), Users: map[int32][]float32{}, Popularity: versiontest.Popularity}
	rated, gone := map[int32]map[string]bool{}, map[string]bool{}
	for item := range items {
		if item%5 == 4 {
			gone[itemID(item)] = true
		}
		v.Attributes = append(v.Attributes, []any{itemID(item), fmt.Sprintf("line %d", item%4), int32(map[bool]int{true: 0, false: 7}[gone[itemID(item)]])})
	}
	for user := int32(1); user <= customers; user++ {
		rated[user] = map[string]bool{}
		for _, item := range chance.Perm(items)[:chance.IntN(items+1)] {
			rated[user][itemID(item)] = true
			v.Rated = append(v.Rated, []any{user, itemID(item)})
		}
		if user%3 > 0 { // every third has no vector
			v.Users[user] = versiontest.Direction(chance.Float64(), 4)
		}
	}
	w.load(v)
	type visit struct {
		customer int32
		session  map[string]bool
	}
	var payloads []string
	var visits []visit
	for range records {
		visit := visit{chance.Int32N(customers + 5), map[string]bool{}}
		var history []string
		for range chance.IntN(7) {
			id := itemID(chance.IntN(items + 2))
			visit.session[id] = true
			history = append(history, fmt.Sprintf(`{"product_code":%q,"quantity":%d,"in_shopping_cart":%t}`, id, chance.IntN(4), chance.IntN(2) == 0))
		}
		payloads = append(payloads, fmt.Sprintf(`{"session_id":"s","customer_number":%d,"country":%q,"browse_history":[%s]}`,
			visit.customer, []string{"", "Norway", "USA", "Chile"}[chance.IntN(4)], strings.Join(history, ",")))
		visits = append(visits, visit)
	}
	everything := map[string]bool{}
	for id := range v.Items {
		everything[id] = true
	}
	for _, row := range v.Popularity {
		everything[row[1].(string)] = true
	}
	for name, change := range map[string]func(*settings.Ranking){
		"defaults":             func(*settings.Ranking) {},
		"by the index":         byIndex,
		"everything":           func(s *settings.Ranking) { s.IncludeRated, s.IncludeSession, s.IncludeOutOfStock = true, true, true },
		"rated":                func(s *settings.Ranking) { s.IncludeRated = true },
		"only the session":     func(s *settings.Ranking) { s.SessionWeight, s.Limit = 1, 3 },
		"without a session":    func(s *settings.Ranking) { s.SessionWeight, s.Limit = 0, 100 },
		"diverse by the index": func(s *settings.Ranking) { s.Diversity, s.TrendingItems, s.InMemoryUpTo = 0.5, true, 0 },
		"diverse and trends":   func(s *settings.Ranking) { s.Diversity, s.TrendingItems = 0.5, true },
		"without trends":       func(s *settings.Ranking) { s.TrendingHalfLife, s.IncludeOutOfStock = 0, true },
	} {
		t.Run(name, func(t *testing.T) {
			handler := w.newHandler(w.readerURL, w.client, change)
			if response, err := handler.Handle(t.Context(), batch(payloads...)); err != nil || len(response.BatchItemFailures) > 0 {
				t.Fatal("not done", err)
			}
			options := handler.answers.Options
			for i, o := range w.delivered() {
				visit := visits[i]
				eligible := map[string]bool{}
				for id := range everything {
					eligible[id] = (options.IncludeRated || !rated[visit.customer][id]) && (options.IncludeSession || !visit.session[id]) &&
						(options.IncludeOutOfStock || !gone[id])
				}
				o.wantList(t, "recommended", o.ids(), eligible, options.Limit)
				for k := 1; k < len(o.Recommended) && options.Diversity == 0; k++ {
					if o.Recommended[k].Score > o.Recommended[k-1].Score {
						t.Errorf("scores rise: %+v", o.Recommended)
					}
				}
				known := map[string]bool{}
				for id := range v.Items {
					known[id] = eligible[id] && o.Similar.ProductCode != nil && id != *o.Similar.ProductCode
				}
				o.wantList(t, "similar", o.similarIDs(), known, options.Limit)
				for _, item := range o.Trending {
					if !eligible[item.ID] {
						t.Errorf("trending %+v", item)
					}
				}
			}
		})
	}
}

func itemID(n int) string { return fmt.Sprintf("item-%03d", n) }

// wantList wants as many of the eligible items as there are, up to the limit, each once.
func (o output) wantList(t *testing.T, name string, ids []string, eligible map[string]bool, limit int) {
	t.Helper()
	want := 0
	for _, may := range eligible {
		if may {
			want++
		}
	}
	if len(ids) != min(want, limit) || len(unique(ids)) != len(ids) || slices.ContainsFunc(ids, func(id string) bool { return !eligible[id] }) {
		t.Errorf("%s %v by %s for customer %d, %d are eligible", name, ids, o.Recommendation.Strategy, o.CustomerNumber, want)
	}
}

// TestEveryNumberIsACustomer: 0, a negative number and the largest one are answered like any other. Only a record without
// a number is of nobody.
func TestEveryNumberIsACustomer(t *testing.T) {
	w := setup(t)
	v := version{Items: versiontest.Circle(12, 4), Users: map[int32][]float32{}, Popularity: versiontest.Popularity}
	customers := []int32{0, -5, 1, math.MinInt32, math.MaxInt32}
	for i, customer := range customers {
		v.Users[customer] = versiontest.Direction(0.1, 4)
		v.Rated = append(v.Rated, []any{customer, itemID(1)}, []any{customer, itemID(2 + i)})
	}
	w.load(v)
	payloads := []string{`{"session_id":"nobody","customer_number":null}`}
	for _, customer := range customers {
		payloads = append(payloads, fmt.Sprintf(`{"customer_number":%d,"browse_history":[{"product_code":"item-011"}]}`, customer))
	}
	if notDone := w.handle(payloads...); notDone != "" {
		t.Fatal("not done")
	}
	answers := w.delivered()
	if strategy := answers[0].Recommendation.Strategy; strategy != "popular" {
		t.Errorf("nobody is answered by %s", strategy)
	}
	for i, o := range answers[1:] {
		if o.Recommendation.Strategy != "stored-vector" {
			t.Errorf("customer %d is answered by %s", customers[i], o.Recommendation.Strategy)
		}
		for _, id := range append(o.ids(), o.similarIDs()...) {
			if id == itemID(1) || id == itemID(2+i) {
				t.Errorf("customer %d has rated %s", customers[i], id)
			}
		}
	}
}

// TestNumbersThatCannotBeBlended: vectors of numbers next to zero make PostgreSQL refuse the batch. It is asked again
// without the session's weight, and the shard goes on.
func TestNumbersThatCannotBeBlended(t *testing.T) {
	w := setup(t, byIndex)
	v := versiontest.Small()
	v.Users[103] = []float32{1, 1e-45, 0, 0}
	v.Items["tiny"] = []float32{1, 2e-45, 1e-45, 0}
	w.load(v)
	if notDone := w.handle(`{"customer_number":103,"browse_history":[{"product_code":"tiny"}]}`, `{"customer_number":103}`); notDone != "" {
		t.Fatal("not done")
	}
	for _, o := range w.delivered() {
		if len(o.Recommended) != 5 || o.Recommendation.Strategy != "stored-vector" {
			t.Errorf("%d items by %s", len(o.Recommended), o.Recommendation.Strategy)
		}
	}
}

// TestEarlierRelease: a version and a database of an earlier release still give answers.
func TestEarlierRelease(t *testing.T) {
	w := setup(t)
	number := w.load(versiontest.Small())
	w.exec(`drop table ` + vectorstore.RatedTable(number) + `, ` + vectorstore.AttributeTable(number))
	owner, err := pgx.Connect(t.Context(), w.Owner)
	w.Must(err)
	defer owner.Close(t.Context())
	_, err = owner.Exec(t.Context(), `drop table `+vectorstore.TrendingTable)
	w.Must(err)
	if notDone := w.handle(`{"customer_number":103,"browse_history":[{"product_code":"item-010","in_shopping_cart":true}]}`); notDone != "" {
		t.Fatal("not done")
	}
	if o := w.delivered()[0]; len(o.Recommended) != 5 || slices.Contains(o.ids(), "item-010") {
		t.Errorf("recommended %v", o.ids())
	}
}

// ordered are the items' ids, the nearest to a vector first or in any order.
func ordered(items map[string][]float32, vector []float32, byDistance bool) []string {
	chance := rand.New(rand.NewPCG(4, 4))
	ids := make([]string, 0, len(items))
	distance := map[string]float64{}
	for id := range items {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		distance[id] = chance.Float64()
		if byDistance {
			distance[id] = -cosine(vector, items[id])
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(distance[a], distance[b]) })
	return ids
}
