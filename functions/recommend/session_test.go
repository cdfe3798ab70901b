package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/settings"
	"recsys/shared/shop/sampleshop"
	"recsys/shared/stream/activity"
)

// TestSessionsTellTheNextProduct: of sessions that follow planted tastes the last product is held out. With the
// session's default weight it is recommended more often than without the session.
func TestSessionsTellTheNextProduct(t *testing.T) {
	t.Parallel()
	payloads, next := heldOut(t, 2000)
	w := setup(t)
	w.load(handedOver(t, sampleArtifacts))
	hitRate := func(weight ...float64) float64 {
		w.handler = w.newHandler(w.readerURL, w.client, func(s *settings.Ranking) {
			if len(weight) > 0 {
				s.SessionWeight = weight[0]
			}
		})
		if notDone := w.handle(payloads...); notDone != "" {
			t.Fatalf("not done from %s", notDone)
		}
		hits := 0
		for i, o := range w.delivered() {
			if slices.Contains(o.ids(), next[i]) {
				hits++
			}
		}
		return float64(hits) / float64(len(next))
	}
	without, with := hitRate(0), hitRate()
	t.Logf("%d sessions: the next product is among the 5 in %.4f of them without the session, in %.4f with it", len(next), without, with)
	if with <= without {
		t.Error("the session says nothing")
	}
}

// TestBlend: by every metric the session moves the customer's vector as far as its weight says, for any lengths.
func TestBlend(t *testing.T) {
	w := setup(t)
	chance := rand.New(rand.NewPCG(9, 9))
	vector := func(length float64) []float32 {
		v := make([]float32, 8)
		for i := range v {
			v[i] = float32(length * chance.NormFloat64())
		}
		return v
	}
	v := version{Items: map[string][]float32{}, Users: map[int32][]float32{}}
	for i := range 60 {
		v.Items[itemID(i)] = vector(0.5 + chance.Float64())
	}
	for user := int32(1); user <= 30; user++ {
		v.Users[user] = vector(float64(user) / 3)
	}
	weight := w.handler.answers.Options.SessionWeight
	for _, metric := range []distance.Metric{distance.Cosine, distance.InnerProduct, distance.L2} {
		v.Metric = metric
		w.load(v)
		var payloads []string
		for user := range int32(30) {
			payloads = append(payloads, fmt.Sprintf(`{"customer_number":%d,"browse_history":[{"product_code":%q,"quantity":2},{"product_code":%q,"in_shopping_cart":true}]}`,
				user+1, itemID(int(user)), itemID(int(user)+1)))
		}
		if notDone := w.handle(payloads...); notDone != "" {
			t.Fatal("not done")
		}
		for i, o := range w.delivered() {
			own, session := v.Users[int32(i+1)], make([]float32, 8)
			for k := range session { // 2 looked at, 1 in the cart
				session[k] = (2*v.Items[itemID(i)][k] + 3*v.Items[itemID(i+1)][k]) / 5
			}
			blend := blended(own, session, weight)
			if metric == distance.L2 {
				for k := range blend {
					blend[k] = float32((1-weight)*float64(own[k]) + weight*float64(session[k]))
				}
			}
			best, most := "", math.Inf(-1)
			for id, item := range v.Items {
				if score := metric.Score(distanceOf(metric, item, blend)); score > most && id != itemID(i) && id != itemID(i+1) {
					best, most = id, score
				}
			}
			if o.Recommended[0].ID != best || math.Abs(o.Recommended[0].Score-most) > 1e-4*(1+math.Abs(most)) {
				t.Errorf("%s, customer %d: got %+v, want %s with %v", metric, i+1, o.Recommended[0], best, most)
			}
		}
	}
}

func distanceOf(metric distance.Metric, a, b []float32) float64 {
	var dot, square float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		square += float64(a[i]-b[i]) * float64(a[i]-b[i])
	}
	switch metric {
	case distance.InnerProduct:
		return -dot
	case distance.L2:
		return math.Sqrt(square)
	}
	return 1 - cosine(a, b)
}

// heldOut are sessions of the sample's shop of two products and more, without their last one, and that.
func heldOut(t *testing.T, n int) (payloads, next []string) {
	t.Helper()
	var lines bytes.Buffer
	if err := sampleshop.WriteSessions(&lines, sampleshop.Default(), n); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(lines.String()) {
		var session activity.Session
		if err := json.Unmarshal([]byte(line), &session); err != nil {
			t.Fatal(err)
		}
		last := len(session.BrowseHistory) - 1
		if last < 1 || slices.ContainsFunc(session.BrowseHistory[:last], func(b activity.Browse) bool {
			return b.ProductCode == session.BrowseHistory[last].ProductCode
		}) {
			continue
		}
		next = append(next, session.BrowseHistory[last].ProductCode)
		session.BrowseHistory = session.BrowseHistory[:last]
		payload, err := json.Marshal(session)
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, string(payload))
	}
	return payloads, next
}
