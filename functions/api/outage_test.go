package main

import (
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
)

var outage = flag.Duration("outage", 0, "how long TestTheDatabaseStops keeps the database away at least, a sixth of its time")

// TestTheDatabaseStops has 32 clients ask all the time. The database stops in the middle and comes back. Answers without it are
// popular products and say that they are degraded.
//
//	go test -count=1 -run TheDatabaseStops -v ./functions/api -args -outage 10s
func TestTheDatabaseStops(t *testing.T) {
	const clients = 32
	logger := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // a line for each degraded answer
	t.Cleanup(func() { slog.SetDefault(logger) })
	w := setup(t)
	versiontest.Load(w, w.loader, nil, versiontest.Small())
	w.put(lake.LatestKey, lake.Latest{Snapshot: "s"})
	w.put(lake.PopularityKey("s"), lake.Popularity{Snapshot: "s", Items: []lake.ItemCount{{Item: "item-007", Count: 2}, {Item: "item-008", Count: 3}}})
	s := settings.Default[settings.API]()
	crowd := crowd{began: time.Now(), client: client(t, clients), url: w.serve(clients, s) + "/v1/customers/103/recommendations"}
	end := crowd.ask(t, clients)

	crowd.wait(t, &crowd.full, *outage*5/2)
	w.Must(w.Postgres.Pause())
	crowd.wait(t, &crowd.degraded, *outage)
	w.Must(w.Postgres.Restart(t.Context()))
	back := time.Since(crowd.began)
	crowd.wait(t, &crowd.full, *outage*5/2)
	crowd.judge(t, end(), back, s.RequestTimeout)
}

// reply is what a client got, and when. The times are since the beginning.
type reply struct {
	asked, answered time.Duration
	status          int
	degraded        bool
	items           int
}

// crowd is clients that ask one question.
type crowd struct {
	began          time.Time
	client         *http.Client
	url            string
	full, degraded atomic.Int64 // answers so far
}

// ask lets n clients ask until the end, which returns their answers.
func (c *crowd) ask(t *testing.T, n int) (end func() []reply) {
	stop, all := make(chan struct{}), make([][]reply, n)
	var each sync.WaitGroup
	for i := range n {
		each.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					all[i] = append(all[i], c.once(t))
				}
			}
		})
	}
	return func() []reply {
		close(stop)
		each.Wait()
		return slices.Concat(all...)
	}
}

func (c *crowd) once(t *testing.T) reply {
	r := reply{asked: time.Since(c.began)}
	response, err := c.client.Get(c.url)
	if err != nil {
		t.Error(err)
		return r
	}
	defer response.Body.Close()
	var answer struct {
		Degraded bool
		Items    []json.RawMessage
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Error(err)
	}
	r.answered, r.status, r.degraded, r.items = time.Since(c.began), response.StatusCode, answer.Degraded, len(answer.Items)
	switch {
	case r.degraded:
		c.degraded.Add(1)
	case r.status == http.StatusOK:
		c.full.Add(1)
	}
	return r
}

// wait waits until there are 100 more answers of a kind, and at least for so long.
func (c *crowd) wait(t *testing.T, kind *atomic.Int64, least time.Duration) {
	t.Helper()
	until, enough := time.Now().Add(least), kind.Load()+100
	testbed.Eventually(t, "more answers", func() bool { return kind.Load() >= enough && !time.Now().Before(until) })
}

// judge asserts nothing about time but tells it, because the machine may be busy.
func (c *crowd) judge(t *testing.T, replies []reply, back, timeout time.Duration) {
	t.Helper()
	var fine, empty int
	var slowest, slowestDegraded, last time.Duration
	for _, r := range replies {
		if r.status == http.StatusOK {
			fine++
		}
		if r.items == 0 {
			empty++
		}
		slowest = max(slowest, r.answered-r.asked)
		if r.degraded {
			slowestDegraded, last = max(slowestDegraded, r.answered-r.asked), max(last, r.answered)
		}
	}
	t.Logf("%d answers in %v, %.3f %% with status 200, %d degraded", len(replies), time.Since(c.began), 100*float64(fine)/float64(len(replies)), c.degraded.Load())
	t.Logf("slowest %v, slowest degraded %v (time-out %v), the last degraded one %v after the database was back", slowest, slowestDegraded, timeout, last-back)
	if 1000*fine < 999*len(replies) || 1000*empty > len(replies) {
		t.Errorf("of %d answers %d have status 200, and %d have no products", len(replies), fine, empty)
	}
}
