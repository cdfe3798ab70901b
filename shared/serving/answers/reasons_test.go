package answers

import (
	"fmt"
	"strings"
	"testing"

	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/neighbours"
)

// TestReasons: customer 103 has rated item-000 and stands near it. item-050 goes with item-020 and nothing else does.
func TestReasons(t *testing.T) {
	t.Parallel()
	w := setup(t)
	v := versiontest.Small()
	v.Metric, v.Users[104], v.Rated = distance.InnerProduct, v.Users[103], [][]any{{int32(103), "item-000"}}
	items := []string{"item-020", "item-050"}
	v.Neighbours = &blend.Neighbours{Kind: lake.KNN, Beta: 0.9, Items: items, Table: &neighbours.Table{Start: []int64{0, 1, 1}, Items: []int32{1}, Weights: []float32{0.5}}}
	versiontest.Load(w, w.loader, w.artifacts, v)
	for name, c := range map[string]struct{ record, want string }{
		"a product that was rated":  {`{"customer_number":103}`, "stored-vector near-history item-000"},
		"no product":                {`{"customer_number":104}`, "stored-vector fits-taste "},
		"neighbours of the cart":    {`{"customer_number":104,"browse_history":[{"product_code":"ITEM-020","in_shopping_cart":true}]}`, "stored-vector near-cart item-020"},
		"neighbours of the session": {`{"customer_number":103,"browse_history":[{"product_code":"item-020"}]}`, "stored-vector near-session item-020"},
		"the nearest of a stranger": {`{"session_id":"s","browse_history":[{"product_code":"item-070"},{"product_code":"item-071"},{"product_code":"item-080"}]}`, "history near-session item-071"},
		"the group":                 {`{"session_id":"s","country":"Norway"}`, "popular-in-group popular-in-group Norway"},
		"everyone":                  {`{"session_id":"s"}`, "popular popular "},
	} {
		for _, upTo := range []int64{0, 400} {
			options := w.service.Options
			options.InMemoryUpTo, options.TrendingHalfLife, options.SessionWeight = upTo, 0, 0.9
			questions := batchOf(t, []string{c.record})
			questions.Reasons = true
			answers, err := New(w.service.pool, w.artifacts, options, w.service.timeout).Answer(t.Context(), questions)
			w.Must(err)
			first := answers[0].Recommended[0]
			if got := fmt.Sprint(first.Strategy, " ", first.Reason.Code, " ", first.Reason.Of); got != c.want {
				t.Errorf("%s, in memory up to %d: %s because of %s, want %s", name, upTo, first.ID, got, c.want)
			}
			questions.Reasons = false
			answers, err = New(w.service.pool, w.artifacts, options, w.service.timeout).Answer(t.Context(), questions)
			w.Must(err)
			if got := answers[0].Recommended[0]; got.Reason.Code != "" || !strings.HasPrefix(c.want, string(got.Strategy)) {
				t.Errorf("%s: %+v, though nobody asked for reasons", name, got)
			}
		}
	}
}
