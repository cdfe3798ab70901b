package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/awsjson"
	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/runtime/awsconfig"
)

const busName = "answers"

// bus is a server of PutEvents that keeps to its limits. refuse names the events of a call that it does not take.
type bus struct {
	refuse func(event string) bool

	mu    sync.Mutex
	calls int
	taken []string // details
}

type putEvents struct {
	Entries []struct{ EventBusName, Source, DetailType, Detail string }
}

func (p putEvents) Resource() string { return p.Entries[0].EventBusName }

type putEventsAnswer struct {
	FailedEntryCount int
	Entries          []putEventsEntry
}

type putEventsEntry struct {
	EventID   string `json:"EventId,omitempty"`
	ErrorCode string `json:",omitempty"`
}

func (b *bus) put(_ context.Context, in putEvents) (answer putEventsAnswer, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	size := 0
	for _, entry := range in.Entries {
		size += len(entry.Source) + len(entry.DetailType) + len(entry.Detail)
		if entry.EventBusName != busName || entry.Source != "recsys" || entry.DetailType != "Recommendation" || !json.Valid([]byte(entry.Detail)) {
			return answer, awsjson.Errorf("ValidationException", "the event %+v is wrong", entry)
		}
		if b.refuse != nil && b.refuse(entry.Detail) {
			answer.FailedEntryCount++
			answer.Entries = append(answer.Entries, putEventsEntry{ErrorCode: "ThrottlingException"})
			continue
		}
		b.taken = append(b.taken, entry.Detail)
		answer.Entries = append(answer.Entries, putEventsEntry{EventID: "e"})
	}
	if len(in.Entries) > 10 || size > 256<<10 {
		return answer, awsjson.Errorf("ValidationException", "%d events, %d bytes", len(in.Entries), size)
	}
	return answer, nil
}

// withBus gives the handler a bus next to its Firehose.
func (w *world) withBus() *bus {
	w.Helper()
	b := &bus{}
	server := httptest.NewServer(&awsjson.Service{Name: "events", Target: "AWSEvents", MaxBytes: 1 << 20, Hooks: new(awscall.Point),
		Operations: map[string]awsjson.Operation{"PutEvents": awsjson.Do(true, b.put)}})
	w.Cleanup(server.Close)
	client := eventbridge.New(eventbridge.Options{BaseEndpoint: &server.URL, Region: "eu-central-1", HTTPClient: awsconfig.HTTPClient(nil),
		Credentials: credentials.NewStaticCredentialsProvider("recommend", "local", "recommend/1"), RetryMaxAttempts: 1})
	delivery := toBus(client, busName)
	delivery.pause = time.Millisecond
	w.handler.deliveries = append(w.handler.deliveries, delivery)
	return b
}

// sessions are those of the details that the bus took, sorted.
func (b *bus) sessions() (sessions []string) {
	for _, detail := range b.taken {
		var o output
		_ = json.Unmarshal([]byte(detail), &o)
		sessions = append(sessions, o.SessionID)
	}
	slices.Sort(sessions)
	return sessions
}

// The bus gets the very answers that Firehose gets, ten a call, and none twice.
func TestTheBusGetsEveryAnswer(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	b := w.withBus()
	refused := map[string]bool{}
	b.refuse = func(event string) bool { // each tenth one once
		if !strings.Contains(event, `0","customer_number"`) || refused[event] {
			return false
		}
		refused[event] = true
		return true
	}
	if notDone := w.handle(append(numbered(125), "not json")...); notDone != "" {
		t.Fatalf("not done from %s", notDone)
	}
	if got := b.sessions(); len(got) != 125 || len(slices.Compact(got)) != 125 || len(refused) != 13 {
		t.Errorf("the bus took %d answers and refused %d", len(got), len(refused))
	}
	if outputs := w.delivered(); len(outputs) != 125 {
		t.Errorf("Firehose took %d", len(outputs))
	}
	if b.calls != 13+len(refused) { // each call had one refused, and came once more
		t.Errorf("%d calls", b.calls)
	}
}

// An event that the bus never takes is reported, as Firehose's would be. It comes again under its event id.
func TestAnAnswerThatTheBusRefusesComesAgain(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	b := w.withBus()
	b.refuse = func(event string) bool { return strings.Contains(event, `"session_id":"17"`) }
	payloads := numbered(250)
	notDone := w.handle(payloads...)
	if notDone != "1017" {
		t.Fatalf("not done from %q, want 1017", notDone)
	}
	if taken := len(b.taken); taken != 99 { // the ten calls that were under way
		t.Errorf("the bus took %d", taken)
	}
	b.refuse = nil
	outputs := append(w.delivered(), w.again(payloads, notDone)...)
	if ids := unique(eventIDs(outputs)); len(ids) != 250 || len(slices.Compact(b.sessions())) != 250 {
		t.Errorf("%d event ids at Firehose, %d sessions on the bus", len(ids), len(slices.Compact(b.sessions())))
	}
}

// The bus gets no answer that Firehose has not taken.
func TestTheBusWaitsForFirehose(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	b := w.withBus()
	w.firehose.Close()
	if notDone := w.handle(numbered(3)...); notDone != "1000" || b.calls != 0 {
		t.Errorf("not done from %q, and the bus was called %d times", notDone, b.calls)
	}
}

// An answer that is too large for the bus is rejected, because it would be refused for ever.
func TestAnAnswerTooLargeForTheBusIsRejected(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	b := w.withBus()
	large := fmt.Sprintf(`{"session_id":"large","customer_number":103,"note":%q}`, strings.Repeat("a", 256<<10))
	if notDone := w.handle(numbered(1)[0], large); notDone != "" || len(b.taken) != 1 {
		t.Errorf("not done from %q, %d on the bus", notDone, len(b.taken))
	}
	reason := w.rejectedReasons()["1001"]
	if !strings.Contains(reason, "EventBridge's bus answers takes 261944") {
		t.Errorf("rejected for %q", reason)
	}
}

// Events keep to EventBridge's limits also if they are large.
func TestCallsOfTheBus(t *testing.T) {
	for _, sizes := range [][]int{slices.Repeat([]int{100}, 35), {maxEventBytes, maxEventBytes, 1}, slices.Repeat([]int{100 << 10}, 5)} {
		outcomes := make([]outcome, len(sizes))
		for i, size := range sizes {
			outcomes[i].line = make([]byte, size)
		}
		lines := 0
		for _, call := range toBus(nil, "").cut(outcomes) {
			size := 0
			for _, line := range call.lines {
				size += len(line)
			}
			if lines += len(call.lines); len(call.lines) > 10 || size > maxEventBytes {
				t.Errorf("a call of %d events and %d bytes", len(call.lines), size)
			}
		}
		if lines != len(sizes) {
			t.Errorf("%d of %d events", lines, len(sizes))
		}
	}
}
