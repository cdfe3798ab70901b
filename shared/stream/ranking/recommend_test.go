package ranking_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/settings"
	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// rules are the defaults of the options, with a change.
func rules(change func(*ranking.Rules)) ranking.Rules {
	r := ranking.Rules{Ranking: settings.Default[settings.Ranking](), Metric: distance.Cosine}
	if change != nil {
		change(&r)
	}
	return r
}

func TestAllows(t *testing.T) {
	everything := func(r *ranking.Rules) { r.IncludeRated, r.IncludeSession, r.IncludeOutOfStock = true, true, true }
	for name, c := range map[string]struct {
		candidate ranking.Candidate
		change    func(*ranking.Rules)
		want      bool
	}{
		"nothing against it":              {ranking.Candidate{}, nil, true},
		"rated":                           {ranking.Candidate{Rated: true}, nil, false},
		"rated, and included":             {ranking.Candidate{Rated: true}, func(r *ranking.Rules) { r.IncludeRated = true }, true},
		"in the session":                  {ranking.Candidate{InSession: true}, nil, false},
		"in the session, and included":    {ranking.Candidate{InSession: true}, func(r *ranking.Rules) { r.IncludeSession = true }, true},
		"sold out":                        {ranking.Candidate{SoldOut: true}, nil, false},
		"sold out, and included":          {ranking.Candidate{SoldOut: true}, func(r *ranking.Rules) { r.IncludeOutOfStock = true }, true},
		"gone":                            {ranking.Candidate{Gone: true}, nil, false},
		"gone, whatever the options are":  {ranking.Candidate{Gone: true}, everything, false},
		"everything else, if included":    {ranking.Candidate{Rated: true, InSession: true, SoldOut: true}, everything, true},
		"rated, though another is chosen": {ranking.Candidate{Rated: true}, func(r *ranking.Rules) { r.IncludeSession, r.IncludeOutOfStock = true, true }, false},
	} {
		if got := rules(c.change).Allows(c.candidate); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestFilterKeepsTheOrderAndItsInput(t *testing.T) {
	in := []ranking.Candidate{{ID: "a"}, {ID: "b", Gone: true}, {ID: "c"}, {ID: "d", Rated: true}}
	before := slices.Clone(in)
	if got := rules(nil).Filter(in); !slices.Equal(got, []ranking.Candidate{{ID: "a"}, {ID: "c"}}) || !slices.Equal(in, before) {
		t.Errorf("got %+v of %+v", got, in)
	}
}

func TestScore(t *testing.T) {
	for _, c := range []struct {
		metric   distance.Metric
		strategy activity.Strategy
		value    float64
		want     float64
	}{
		{distance.Cosine, activity.Model, 0.25, 0.75}, {distance.InnerProduct, activity.StoredVector, -3, 3},
		{distance.L2, activity.History, 1, 0.5}, {distance.Cosine, activity.Trending, 2.5, 2.5},
		{distance.L2, activity.PopularInGroup, 9, 9}, {distance.InnerProduct, activity.Popular, 0, 0},
	} {
		r := rules(func(r *ranking.Rules) { r.Metric = c.metric })
		if got := r.Score(c.strategy, ranking.Candidate{Value: c.value}); got != c.want {
			t.Errorf("%s by %s: %v scores %v, want %v", c.strategy, c.metric, c.value, got, c.want)
		}
	}
}

func TestWantedAndFetch(t *testing.T) {
	for _, c := range []struct {
		limit         int
		diversity     float64
		strategy      activity.Strategy
		wanted, fetch int
	}{
		{5, 0, activity.Model, 5, 10}, {5, 0.3, activity.Model, 20, 25}, {5, 0.3, activity.Popular, 5, 10},
		{1, 0, activity.History, 1, 4}, {100, 0, activity.StoredVector, 100, 153},
	} {
		r := rules(func(r *ranking.Rules) { r.Limit, r.Diversity = c.limit, c.diversity })
		if wanted, fetch := r.Wanted(c.strategy), r.Fetch(c.strategy); wanted != c.wanted || fetch != c.fetch {
			t.Errorf("%+v: wants %d, fetches %d", c, wanted, fetch)
		}
	}
}

// named are candidates with values 1, 2, 3 and so on.
func named(ids ...string) (candidates []ranking.Candidate) {
	for i, id := range ids {
		candidates = append(candidates, ranking.Candidate{ID: id, Value: float64(i + 1)})
	}
	return candidates
}

func TestAnswer(t *testing.T) {
	rated := func(ids ...string) (candidates []ranking.Candidate) {
		for _, c := range named(ids...) {
			c.Rated = true
			candidates = append(candidates, c)
		}
		return candidates
	}
	lists := func(lists map[activity.Strategy][]ranking.Candidate) (c ranking.Candidates) {
		c.Lists = map[activity.Strategy]ranking.List{}
		for strategy, items := range lists {
			c.Lists[strategy] = ranking.List{Items: items}
		}
		return c
	}
	for name, c := range map[string]struct {
		found    ranking.Candidates
		change   func(*ranking.Rules)
		want     []string
		strategy activity.Strategy
	}{
		"nothing found": {ranking.Candidates{}, nil, nil, activity.None},
		"the nearest first, in whatever order they come": {
			lists(map[activity.Strategy][]ranking.Candidate{activity.Model: {{ID: "far", Value: 0.9}, {ID: "near", Value: 0.1}}}),
			nil, []string{"near", "far"}, activity.Model},
		"equally near ones by their ids": {
			lists(map[activity.Strategy][]ranking.Candidate{activity.History: {{ID: "b"}, {ID: "a"}, {ID: "c"}}}),
			func(r *ranking.Rules) { r.Limit = 2 }, []string{"a", "b"}, activity.History},
		"the most rated first": {
			lists(map[activity.Strategy][]ranking.Candidate{activity.Popular: named("least", "more", "most")}),
			nil, []string{"most", "more", "least"}, activity.Popular},
		"lower rungs fill, in the order of the strategies": {
			lists(map[activity.Strategy][]ranking.Candidate{
				activity.Popular: named("p"), activity.StoredVector: named("v"), activity.PopularInGroup: named("c"), activity.Trending: named("t")}),
			nil, []string{"v", "t", "c", "p"}, activity.StoredVector},
		"a rung of nothing allowed gives no name": {
			lists(map[activity.Strategy][]ranking.Candidate{activity.Model: rated("a", "b"), activity.Popular: named("p")}),
			nil, []string{"p"}, activity.Popular},
		"other lines first, with diversity": {
			lists(map[activity.Strategy][]ranking.Candidate{activity.Model: {
				{ID: "a", Value: 0.1, Line: "x"}, {ID: "b", Value: 0.2, Line: "x"}, {ID: "c", Value: 0.3, Line: "y"}}}),
			func(r *ranking.Rules) { r.Limit, r.Diversity = 2, 0.9 }, []string{"a", "c"}, activity.Model},
	} {
		t.Run(name, func(t *testing.T) {
			answer := rules(c.change).Answer(c.found)
			var got []string
			for _, item := range answer.Recommended {
				got = append(got, item.ID)
			}
			if !slices.Equal(got, c.want) || answer.Recommendation.Strategy != c.strategy {
				t.Errorf("%v by %s, want %v by %s", got, answer.Recommendation.Strategy, c.want, c.strategy)
			}
			if answer.Trending != nil {
				t.Errorf("nobody asked for trending items: %v", answer.Trending)
			}
		})
	}
}

func TestAnswerHasSimilarAndTrendingItems(t *testing.T) {
	found := ranking.Candidates{SimilarTo: "x", Similar: ranking.List{Items: []ranking.Candidate{{ID: "b", Value: 2}, {ID: "gone", Gone: true}, {ID: "a", Value: 1}}}}
	answer := rules(func(r *ranking.Rules) { r.TrendingItems = true }).Answer(found)
	if want := (activity.Similar{To: "x", Items: []activity.Near{{ID: "a", Distance: 1}, {ID: "b", Distance: 2}}}); !reflect.DeepEqual(answer.Similar, want) {
		t.Errorf("similar %+v", answer.Similar)
	}
	if answer.Trending == nil || len(answer.Trending) != 0 {
		t.Errorf("trending %v, want an empty list", answer.Trending)
	}
	found.Lists = map[activity.Strategy]ranking.List{activity.Trending: {Items: named("1", "2", "3", "4", "5", "6")}}
	if answer = rules(func(r *ranking.Rules) { r.TrendingItems = true }).Answer(found); len(answer.Trending) != 5 || answer.Trending[0] != (activity.Scored{ID: "6", Score: 6}) {
		t.Errorf("trending %v", answer.Trending)
	}
}

// many are n candidates, of which the first ones are rated.
func many(n, rated int) (candidates []ranking.Candidate) {
	for i := range n {
		candidates = append(candidates, ranking.Candidate{ID: fmt.Sprint(i), Rated: i < rated})
	}
	return candidates
}

func TestShort(t *testing.T) {
	list := func(n, rated int, cut bool) ranking.List { return ranking.List{Items: many(n, rated), Cut: cut} }
	by := func(lists map[activity.Strategy]ranking.List) ranking.Candidates {
		return ranking.Candidates{Lists: lists}
	}
	diverse := func(r *ranking.Rules) { r.Diversity = 0.5 }
	for name, c := range map[string]struct {
		found  ranking.Candidates
		change func(*ranking.Rules)
		want   bool
	}{
		"a full list":                               {by(map[activity.Strategy]ranking.List{activity.Model: list(12, 7, true)}), nil, false},
		"one item is missing":                       {by(map[activity.Strategy]ranking.List{activity.Model: list(12, 8, true)}), nil, true},
		"nothing was asked":                         {by(nil), nil, true},
		"all items were seen, and the rest unasked": {by(map[activity.Strategy]ranking.List{activity.Model: list(12, 8, false)}), nil, true},
		"all items were seen, on every rung": {by(map[activity.Strategy]ranking.List{
			activity.Model: list(12, 8, false), activity.Popular: list(12, 8, false)}), nil, false},
		"the last rung was cut":        {by(map[activity.Strategy]ranking.List{activity.Popular: list(12, 8, true)}), nil, true},
		"trends are full":              {by(map[activity.Strategy]ranking.List{activity.Trending: list(12, 0, true), activity.Popular: list(12, 12, true)}), nil, false},
		"trends were cut":              {by(map[activity.Strategy]ranking.List{activity.Trending: list(12, 9, true), activity.Popular: list(12, 0, true)}), nil, true},
		"too few to choose from":       {by(map[activity.Strategy]ranking.List{activity.Model: list(27, 8, true)}), diverse, true},
		"enough to choose from":        {by(map[activity.Strategy]ranking.List{activity.Model: list(27, 7, true)}), diverse, false},
		"all there are to choose from": {by(map[activity.Strategy]ranking.List{activity.Model: list(6, 0, false)}), diverse, false},
		"too few similar items": {ranking.Candidates{SimilarTo: "x", Similar: list(12, 8, true),
			Lists: map[activity.Strategy]ranking.List{activity.Model: list(12, 0, true)}}, nil, true},
		"all similar items": {ranking.Candidates{SimilarTo: "x", Similar: list(12, 8, false),
			Lists: map[activity.Strategy]ranking.List{activity.Model: list(12, 0, true)}}, nil, false},
		"too few trending items that go out by themselves": {by(map[activity.Strategy]ranking.List{
			activity.Model: list(12, 0, true), activity.Trending: list(12, 8, true)}), func(r *ranking.Rules) { r.TrendingItems = true }, true},
	} {
		if got := rules(c.change).Short(c.found); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
