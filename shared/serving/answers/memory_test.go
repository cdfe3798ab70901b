package answers

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
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
	"recsys/shared/learn/blend"
	"recsys/shared/learn/neighbours"
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
			t.Run(string(metric)+", "+name, func(t *testing.T) { w.answerAlike(t, questions, change) })
		}
	}
}

// answerAlike wants the same answers in memory and by the database.
func (w *world) answerAlike(t *testing.T, questions Batch, change func(*settings.Ranking)) {
	options := settings.Default[settings.Recommend]().Ranking
	change(&options)
	questions.Reasons = options.Limit <= 5 // there would be many pairs to compare
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
		if a, b := reasons(got[i]), reasons(want[i]); a != b {
			t.Errorf("record %d: reasons in memory\n%s\nby the database\n%s", i, a, b)
		}
		if wrong := furthest(got[i], want[i]); wrong > 1e-5 {
			t.Errorf("record %d: scores differ by %v", i, wrong)
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

// reasons returns why each item is in an answer.
func reasons(a activity.Answer) string {
	var all []string
	for _, item := range a.Recommended {
		all = append(all, fmt.Sprint(item.ID, " by ", item.Strategy, ": ", item.Reason))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
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

// randomNeighbours has 20 targets for most items of a shop, and an item that the shop does not have.
func randomNeighbours(chance *rand.Rand, items []string) *blend.Neighbours {
	n := &blend.Neighbours{Kind: lake.KNN, Beta: 0.4, Items: append([]string{"elsewhere"}, items...), Table: &neighbours.Table{Start: []int64{0}}}
	for source := range n.Items {
		for _, target := range slices.Sorted(slices.Values(chance.Perm(len(n.Items))[:20*(source%5)/4])) {
			n.Table.Items, n.Table.Weights = append(n.Table.Items, int32(target)), append(n.Table.Weights, float32(chance.NormFloat64()+0.5))
		}
		n.Table.Start = append(n.Table.Start, int64(len(n.Table.Items)))
	}
	return n
}

// TestNeighboursRankInMemory: the answers are those of package blend, by which evaluate measures a version. The history is that of
// the customer, also the part that may be recommended again, and the session.
func TestNeighboursRankInMemory(t *testing.T) {
	t.Parallel()
	w := setup(t)
	chance := rand.New(rand.NewPCG(6, 6))
	v := randomShop(chance, distance.InnerProduct)
	items := slices.Sorted(maps.Keys(v.Items))
	v.Neighbours = randomNeighbours(chance, items)
	place := map[string]int32{}
	model := blend.Model{Metric: v.Metric, Dimension: 8, Items: items, Neighbours: v.Neighbours.For(items), Beta: v.Neighbours.Beta}
	for i, id := range items {
		place[id] = int32(i)
		model.Vectors = append(model.Vectors, v.Items[id]...)
	}
	scorer, err := blend.NewScorer(model)
	w.Must(err)
	rated, history := map[string]bool{}, map[int32][]int32{}
	for _, row := range v.Rated {
		rated[fmt.Sprint(row[0], row[1])] = true
		history[row[0].(int32)] = append(history[row[0].(int32)], place[row[1].(string)])
	}
	for customer := range int32(40) {
		again := chance.IntN(80)
		v.Seen = append(v.Seen, []any{customer, items[again]})
		history[customer] = append(history[customer], int32(again))
	}
	versiontest.Load(w, w.loader, w.artifacts, v)
	stock := map[string]int32{} // of products that the shop holds: those with a row, and those that somebody has rated
	for _, row := range v.Rated {
		stock[row[1].(string)] = vectorstore.Unlimited
	}
	for _, row := range v.Attributes {
		stock[row[0].(string)] = row[2].(int32)
	}
	options := w.service.Options
	options.SessionWeight = 0
	service := New(w.service.pool, w.artifacts, options, w.service.timeout)
	var lines []string
	for customer := range int32(40) {
		lines = append(lines, fmt.Sprintf(`{"customer_number":%d,"browse_history":[{"product_code":%q}]}`, customer, items[customer]))
	}
	got, err := service.Answer(t.Context(), batchOf(t, lines))
	w.Must(err)
	if service.inMemory.kept.kept[0].part == nil {
		t.Fatal("the database has searched")
	}
	scores := make([]float32, len(items))
	for customer, answer := range got {
		session, vector := int32(customer), v.Users[int32(customer)]
		if vector == nil {
			vector = v.Items[items[session]]
		}
		all := slices.Compact(slices.Sorted(slices.Values(append(history[int32(customer)], session))))
		scorer.ScoreOne(scores, vector, all)
		var want []activity.Scored
		for i, id := range items {
			if stock[id] > 0 && int32(i) != session && !rated[fmt.Sprint(int32(customer), id)] {
				want = append(want, activity.Scored{ID: id, Score: float64(scores[i])})
			}
		}
		slices.SortFunc(want, func(a, b activity.Scored) int { return cmp.Compare(b.Score, a.Score) })
		if want = want[:min(len(want), options.Limit)]; len(want) == options.Limit && !slices.EqualFunc(answer.Recommended, want, sameItem) {
			t.Errorf("customer %d: %v by %s, want %v", customer, answer.Recommended, answer.Recommendation.Strategy, want)
		}
	}
}

func sameItem(a, b activity.Scored) bool { return a.ID == b.ID && a.Score == b.Score }

// TestACustomerWithoutAVectorHasNeighbours: a customer who came after the training is recommended by their history alone.
func TestACustomerWithoutAVectorHasNeighbours(t *testing.T) {
	t.Parallel()
	w := setup(t)
	v := versiontest.Small()
	v.Metric, v.Rated = distance.InnerProduct, [][]any{{int32(7), "item-050"}}
	v.Neighbours = &blend.Neighbours{Kind: lake.EASE, Beta: 0.5, Items: []string{"item-050", "item-020", "item-030"},
		Table: &neighbours.Table{Start: []int64{0, 2, 2, 2}, Items: []int32{1, 2}, Weights: []float32{0.25, 0.75}}}
	number := versiontest.Load(w, w.loader, w.artifacts, v)
	answers, err := w.service.Answer(t.Context(), batchOf(t, []string{`{"customer_number":7}`}))
	w.Must(err)
	if got := answers[0]; got.Recommendation.Strategy != activity.History || got.Recommended[0].ID != "item-030" || got.Recommended[1].ID != "item-020" {
		t.Errorf("%+v", got)
	}
	// Neighbours that cannot be read leave the version to the database.
	_, err = w.artifacts.DeletePrefix(t.Context(), lake.VersionKey(number, lake.NeighboursKey))
	w.Must(err)
	again := New(w.service.pool, w.artifacts, w.service.Options, w.service.timeout)
	if _, err := again.Answer(t.Context(), batchOf(t, []string{`{"customer_number":103}`})); err != nil || again.inMemory.kept.kept[0].part != nil {
		t.Errorf("%v, %+v", err, again.inMemory.kept.kept[0])
	}
}
