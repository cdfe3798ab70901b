package answers

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
)

// randomShop has random vectors, and customers who have a little, much or everything of it. Some have no vector.
func randomShop(chance *rand.Rand, metric distance.Metric) versiontest.Version {
	const items, customers, dimension = 80, 40, 8
	v := versiontest.Version{Metric: metric, Items: map[string][]float32{}, Users: map[int32][]float32{}, Whole: true}
	vector := func() []float32 {
		vector := make([]float32, dimension)
		for k := range vector {
			vector[k] = float32(chance.NormFloat64() * 3)
		}
		return vector
	}
	for i := range items {
		v.Items[itemID(i)] = vector()
		v.Popularity = append(v.Popularity, []any{"norway", itemID(i), int64(i * i % 97)})
		if i%11 > 0 { // others are gone
			v.Attributes = append(v.Attributes, []any{itemID(i), fmt.Sprintf("line %d", i%5), int32(i % 6)})
		}
	}
	for customer := range int32(customers) {
		if customer%4 > 0 {
			v.Users[customer] = vector()
		}
		for _, item := range chance.Perm(items)[:(items+1)*int(customer)/customers] {
			v.Rated = append(v.Rated, []any{customer, itemID(item)})
		}
	}
	return v
}

func itemID(n int) string { return fmt.Sprintf("Item-%02d", n) }

// visits are records of those customers and of strangers. Their sessions spell products in several ways, and name unknown ones.
func visits(chance *rand.Rand) (lines []string) {
	for visit := range 200 {
		var history []string
		for range chance.IntN(6) {
			product := itemID(chance.IntN(90))
			if chance.IntN(3) == 0 {
				product = strings.ToLower(product)
			}
			history = append(history, fmt.Sprintf(`{"product_code":%q,"quantity":%d,"in_shopping_cart":%t}`, product, chance.IntN(4), chance.IntN(2) == 0))
		}
		lines = append(lines, fmt.Sprintf(`{"session_id":"s%d","customer_number":%d,"country":"Norway","browse_history":[%s]}`, visit, chance.IntN(50), strings.Join(history, ",")))
	}
	return lines
}

// batchOf reads lines as records.
func batchOf(t *testing.T, lines []string) Batch {
	return Batch{Now: time.Unix(1_800_000_000, 0), Read: func(form *activity.Form) []*activity.Record {
		var records []*activity.Record
		for _, line := range lines {
			record, err := activity.Parse([]byte(line), form)
			if err != nil {
				t.Error(err)
			}
			records = append(records, &record)
		}
		return records
	}}
}

// TestMemoryAnswersAsTheDatabase: without neighbours, the same questions have the same answers in memory and in PostgreSQL, which
// has no index here and so is exact. Distances differ in their last bits.
func TestMemoryAnswersAsTheDatabase(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, metric := range []distance.Metric{distance.Cosine, distance.InnerProduct, distance.L2} {
		chance := rand.New(rand.NewPCG(5, 5))
		number := versiontest.Load(w, w.loader, w.artifacts, randomShop(chance, metric))
		_, err := w.loader.Exec(t.Context(), `drop index recsys.`+vectorstore.ItemIndex(number))
		w.Must(err)
		questions := batchOf(t, visits(chance))
		for name, change := range map[string]func(*settings.Ranking){
			"defaults":          func(*settings.Ranking) {},
			"everything":        func(s *settings.Ranking) { s.IncludeRated, s.IncludeSession, s.IncludeOutOfStock = true, true, true },
			"the session alone": func(s *settings.Ranking) { s.SessionWeight, s.Limit = 1, 50 },
			"no session":        func(s *settings.Ranking) { s.SessionWeight, s.TrendingHalfLife = 0, 0 },
			"diverse":           func(s *settings.Ranking) { s.Diversity, s.Limit = 0.5, 10 },
		} {
			t.Run(string(metric)+", "+name, func(t *testing.T) {
				options := settings.Default[settings.Recommend]().Ranking
				change(&options)
				inMemory := New(w.service.pool, w.artifacts, options, w.service.timeout)
				options.InMemoryUpTo = 0
				byDatabase := New(w.service.pool, w.artifacts, options, w.service.timeout)
				_, err := inMemory.Answer(t.Context(), questions) // counts the carts, which are trends from then on
				w.Must(err)
				got, err := inMemory.Answer(t.Context(), questions)
				w.Must(err)
				want, err := byDatabase.Answer(t.Context(), questions)
				w.Must(err)
				if inMemory.inMemory.kept.kept[0].part == nil || byDatabase.inMemory.kept.kept[0].part != nil {
					t.Fatal("both searched in the same way")
				}
				for i := range got {
					if a, b := spelled(got[i]), spelled(want[i]); a != b {
						t.Errorf("record %d: in memory\n%s\nby the database\n%s", i, a, b)
					}
					if wrong := furthest(got[i], want[i]); wrong > 1e-5 {
						t.Errorf("record %d: scores differ by %v", i, wrong)
					}
				}
			})
		}
	}
}

// spelled returns an answer without its scores. The items are in the order of their ids, because equally good ones may come in any.
func spelled(a activity.Answer) string {
	var recommended, similar []string
	for _, item := range a.Recommended {
		recommended = append(recommended, item.ID)
	}
	for _, item := range a.Similar.Items {
		similar = append(similar, item.ID)
	}
	slices.Sort(recommended)
	slices.Sort(similar)
	return fmt.Sprint(a.Recommendation.ModelVersion, a.Recommendation.Strategy, recommended, " similar to ", a.Similar.To, similar)
}

// furthest returns the largest difference between scores and distances of the same places.
func furthest(a, b activity.Answer) (most float64) {
	for i := range min(len(a.Recommended), len(b.Recommended)) {
		most = max(most, math.Abs(a.Recommended[i].Score-b.Recommended[i].Score)/(1+math.Abs(b.Recommended[i].Score)))
	}
	for i := range min(len(a.Similar.Items), len(b.Similar.Items)) {
		most = max(most, math.Abs(a.Similar.Items[i].Distance-b.Similar.Items[i].Distance)/(1+math.Abs(b.Similar.Items[i].Distance)))
	}
	return most
}

// TestACatalogueThatCannotBeUsed: the database searches a version whose catalogue is missing, damaged or too large.
func TestACatalogueThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	number := versiontest.Load(w, w.loader, w.artifacts, versiontest.Small())
	key := lake.VersionKey(number, lake.CatalogueKey)
	whole, _, err := w.artifacts.Get(t.Context(), key, 1<<20)
	w.Must(err)
	put := func(content []byte) {
		_, err := w.artifacts.Put(t.Context(), key, bytes.NewReader(content))
		w.Must(err)
	}
	sum := func(sum string) {
		_, err := w.loader.Exec(t.Context(), `update recsys.embedding_version set catalogue = $1`, sum)
		w.Must(err)
	}
	active, _, err := vectorstore.ReadActive(t.Context(), w.loader)
	w.Must(err)
	for name, c := range map[string]struct {
		spoil  func()
		upTo   int64
		usable bool
	}{
		"whole":              {func() {}, 400, true},
		"too large":          {func() {}, 399, false},
		"cut short":          {func() { put(whole[:len(whole)-7]) }, 400, false},
		"a bit has turned":   {func() { put(slices.Concat(whole[:40], []byte{whole[40] ^ 1}, whole[41:])) }, 400, false},
		"of another version": {func() { sum("00000000") }, 400, false},
		"of no version":      {func() { sum("") }, 400, false},
		"gone":               {func() { _, err := w.artifacts.DeletePrefix(t.Context(), key); w.Must(err) }, 400, false},
	} {
		put(whole)
		sum(active.Catalogue)
		c.spoil()
		options := w.service.Options
		options.InMemoryUpTo = c.upTo
		service := New(w.service.pool, w.artifacts, options, w.service.timeout)
		answers, err := service.Answer(t.Context(), batchOf(t, []string{`{"customer_number":103}`}))
		if err != nil || len(answers) != 1 || len(answers[0].Recommended) != 5 || answers[0].Recommendation.Strategy != activity.StoredVector {
			t.Errorf("%s: %+v, %v", name, answers, err)
		}
		if used := service.inMemory.kept.kept[0].part != nil; used != c.usable {
			t.Errorf("%s: the catalogue is used: %t", name, used)
		}
	}
}
