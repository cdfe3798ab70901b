package ranking_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

func TestByTelling(t *testing.T) {
	session := []activity.Product{
		{Code: "old", Quantity: 2}, {Code: "cart", InCart: true, Quantity: 1}, {Code: "more", Quantity: 9},
		{Code: "cart2", InCart: true, Quantity: 2}, {Code: "new", Quantity: 2}, {Code: "cart3", InCart: true, Quantity: 2},
	}
	before := slices.Clone(session)
	var got []string
	for _, p := range ranking.ByTelling(session) {
		got = append(got, p.Code)
	}
	if want := []string{"cart3", "cart2", "cart", "more", "new", "old"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !slices.Equal(session, before) {
		t.Error("the session was changed")
	}
}

func TestWeight(t *testing.T) {
	for _, c := range []struct {
		product activity.Product
		want    int
	}{
		{activity.Product{}, 1}, {activity.Product{Quantity: 2}, 2}, {activity.Product{Quantity: activity.MaxQuantity}, 3},
		{activity.Product{InCart: true}, 3}, {activity.Product{InCart: true, Quantity: 7}, 9},
	} {
		if got := ranking.Weight(c.product); got != c.want {
			t.Errorf("%+v weighs %d, want %d", c.product, got, c.want)
		}
	}
}

// scored are n different items of one universe of 20, best first.
func scored(random *rand.Rand, n int) []activity.Scored {
	items := make([]activity.Scored, n)
	for i, id := range random.Perm(20)[:n] {
		items[i] = activity.Scored{ID: fmt.Sprint(id), Score: float64(random.IntN(6))}
	}
	slices.SortStableFunc(items, func(a, b activity.Scored) int { return int(b.Score - a.Score) })
	return items
}

// TestLadder holds random rungs to the promise of Ladder.
func TestLadder(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	strategies := []activity.Strategy{activity.Model, activity.Trending, activity.PopularInGroup, activity.Popular}
	for range 5000 {
		limit := 1 + random.IntN(8)
		var rungs []ranking.Rung
		all, first := map[string]bool{}, activity.None
		for _, strategy := range strategies {
			rung := ranking.Rung{Strategy: strategy, Items: scored(random, random.IntN(7))}
			if strategy == activity.Model { // a metric's scores may be negative
				for i := range rung.Items {
					rung.Items[i].Score -= 7
				}
			}
			for _, item := range rung.Items {
				if len(all) == 0 {
					first = strategy
				}
				all[item.ID] = true
			}
			rungs = append(rungs, rung)
		}
		list, strategy := ranking.Ladder(limit, rungs...)
		if len(list) != min(limit, len(all)) || strategy != first {
			t.Fatalf("%d items by %s of %d, limit %d, first %s", len(list), strategy, len(all), limit, first)
		}
		seen := map[string]bool{}
		for i, item := range list {
			if seen[item.ID] || !all[item.ID] || i > 0 && item.Score > list[i-1].Score {
				t.Fatalf("item %d of %+v", i, list)
			}
			seen[item.ID] = true
		}
		for i, rung := 0, firstRung(rungs); i < min(limit, len(rung)); i++ {
			if want := rung[i]; list[i].ID != want.ID || list[i].Score != want.Score || list[i].Strategy != first {
				t.Fatalf("the first rung %+v became %+v", rung, list)
			}
		}
	}
}

func firstRung(rungs []ranking.Rung) []activity.Scored {
	for _, rung := range rungs {
		if len(rung.Items) > 0 {
			return rung.Items
		}
	}
	return nil
}

// TestDiverse holds random candidates to the promise of Diverse.
func TestDiverse(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 6))
	for range 3000 {
		var candidates []ranking.Ranked
		lines := map[string]bool{}
		for _, item := range scored(random, 1+random.IntN(20)) {
			line := fmt.Sprintf("line %d", random.IntN(5))
			lines[line] = true
			candidates = append(candidates, ranking.Ranked{Scored: item, Line: line})
		}
		limit := 1 + random.IntN(8)
		var before []int
		for _, diversity := range []float64{0, 0.3, 0.7, 1} {
			list := ranking.Diverse(candidates, limit, diversity)
			if len(list) != min(limit, len(candidates)) || list[0] != candidates[0].Scored {
				t.Fatalf("%d of %d candidates, limit %d, the first %+v", len(list), len(candidates), limit, list[0])
			}
			found := map[string]bool{}
			for i, item := range list {
				at := slices.IndexFunc(candidates, func(c ranking.Ranked) bool { return c.Scored == item })
				if at < 0 || slices.Contains(list[:i], item) || diversity == 0 && at != i {
					t.Fatalf("diversity %v: item %d of %+v", diversity, i, list)
				}
				found[candidates[at].Line] = true
			}
			before = append(before, len(found))
		}
		if most := min(limit, len(lines)); before[3] != most {
			t.Fatalf("lines by diversity %v, want %d at the most", before, most)
		}
	}
	if list := ranking.Diverse(nil, 5, 0.5); len(list) != 0 {
		t.Errorf("of nothing: %+v", list)
	}
}

func TestUnknownLinesAreNotAlike(t *testing.T) {
	candidates := []ranking.Ranked{{activity.Scored{ID: "a", Score: 3}, ""}, {activity.Scored{ID: "b", Score: 2}, ""}, {activity.Scored{ID: "c", Score: 1}, "x"}}
	if list := ranking.Diverse(candidates, 2, 0.9); list[1].ID != "b" {
		t.Errorf("got %+v", list)
	}
}
