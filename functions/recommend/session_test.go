package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"recsys/shared/sampleshop"
	"recsys/shared/settings"
)

// TestSessionsTellWhatComesNext: of sessions that follow planted tastes the last product is held out; with the session's
// default weight it is recommended more often than without the session.
func TestSessionsTellWhatComesNext(t *testing.T) {
	payloads, next := heldOut(t, 2000)
	w := setup(t)
	w.load(handedOver(t, sampleArtifacts))
	hitRate := func(weight ...float64) float64 {
		w.handler = w.newHandler(w.readerURL, w.handler.delivery.client, func(s *settings.Ranking) {
			if len(weight) > 0 {
				s.SessionWeight = &weight[0]
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

// heldOut are sessions of the sample's shop of two products and more, without their last one, and that.
func heldOut(t *testing.T, n int) (payloads, next []string) {
	t.Helper()
	var lines bytes.Buffer
	if err := sampleshop.WriteSessions(&lines, sampleshop.Default(), n); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(lines.String()) {
		var session sampleshop.Session
		if err := json.Unmarshal([]byte(line), &session); err != nil {
			t.Fatal(err)
		}
		last := len(session.BrowseHistory) - 1
		if last < 1 || slices.ContainsFunc(session.BrowseHistory[:last], func(b sampleshop.Browse) bool {
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
