package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/firehose"
	"recsys/infra/local/testbed/versiontest"
)

// numbered are n good records whose session is their place in the batch.
func numbered(n int) []string {
	payloads := make([]string, n)
	for i := range payloads {
		payloads[i] = fmt.Sprintf(`{"session_id":"%d","customer_number":103}`, i)
	}
	return payloads
}

func eventIDs(outputs []output) (ids []string) {
	for _, o := range outputs {
		ids = append(ids, o.Recommendation.EventID)
	}
	return ids
}

// again gives the payloads from a sequence number on, as Kinesis would.
func (w *world) again(payloads []string, notDone string) []output {
	w.Helper()
	var first int
	if _, err := fmt.Sscan(notDone, &first); err != nil {
		w.Fatalf("not done from %q", notDone)
	}
	event := batch(payloads...)
	event.Records = event.Records[first-1000:]
	response, err := w.handler.Handle(w.Context(), event)
	w.Must(err)
	if len(response.BatchItemFailures) > 0 {
		w.Fatalf("still not done: %v", response.BatchItemFailures)
	}
	return w.delivered()
}

func TestPartialFailuresAreRetried(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	var calls atomic.Int32
	w.firehose.SetFaults(firehose.Faults{Fail: func(_ string, batch [][]byte) []int {
		if calls.Add(1) == 1 {
			return []int{1, 3, len(batch) - 1}
		}
		return nil
	}})
	if notDone := w.handle(numbered(10)...); notDone != "" {
		t.Fatalf("not done from %s", notDone)
	}
	if ids := eventIDs(w.delivered()); len(ids) != 10 || len(unique(ids)) != 10 {
		t.Errorf("delivered %v, want each once", ids)
	}
}

func unique(ids []string) []string { return slices.Compact(slices.Sorted(slices.Values(ids))) }

// TestLastingPartialFailure: the first record that Firehose never takes is reported. With it, only the answers of its
// own call come again, under the same event ids.
func TestLastingPartialFailure(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	payloads := numbered(1200)
	w.firehose.SetFaults(firehose.Faults{Fail: func(_ string, batch [][]byte) (failed []int) {
		for i, line := range batch {
			if bytes.Contains(line, []byte(`"session_id":"600"`)) || bytes.Contains(line, []byte(`"session_id":"998"`)) {
				failed = append(failed, i)
			}
		}
		return failed
	}})
	notDone := w.handle(payloads...)
	if notDone != "1600" {
		t.Fatalf("not done from %q, want 1600", notDone)
	}
	first := eventIDs(w.delivered())
	if len(first) != 998 {
		t.Errorf("%d delivered, want two calls of 500 without two records", len(first))
	}
	w.firehose.SetFaults(firehose.Faults{})
	all := append(first, eventIDs(w.again(payloads, notDone))...)
	if len(unique(all)) != 1200 || len(all) != 998+600 {
		t.Errorf("%d deliveries of %d events", len(all), len(unique(all)))
	}
}

func TestThrottledFirehose(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	payloads := numbered(3)
	var calls atomic.Int32
	w.firehose.SetFaults(firehose.Faults{Throttle: func(string) bool { return calls.Add(1) <= 3 }})
	if notDone := w.handle(payloads...); notDone != "" {
		t.Errorf("not done from %s, though the throttling passed", notDone)
	}
	w.firehose.SetFaults(firehose.Faults{Throttle: func(string) bool { return true }})
	notDone := w.handle(payloads...)
	if notDone != "1000" {
		t.Errorf("not done from %q", notDone)
	}
	if outputs := w.delivered(); len(outputs) != 3 {
		t.Errorf("%d delivered", len(outputs))
	}
}

// TestNoTimeLeft: near the end of the invocation nothing is tried again, so that the report still goes out.
func TestNoTimeLeft(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	var calls atomic.Int32
	w.firehose.SetFaults(firehose.Faults{Throttle: func(string) bool { calls.Add(1); return true }})
	w.handler.deliveries[0].pause = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	response, err := w.handler.Handle(ctx, batch(numbered(2)...))
	w.Must(err)
	if len(response.BatchItemFailures) != 1 || calls.Load() != 1 {
		t.Errorf("%d attempts, reported %v", calls.Load(), response.BatchItemFailures)
	}
}

// TestPostgresAwayAndBack: nothing is delivered while it is away, and all of the batch is reported. The connections
// that died meanwhile cost no batch.
func TestPostgresAwayAndBack(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	payloads := append(numbered(5), "not json")
	for _, end := range []func() error{w.Postgres.Pause, w.Postgres.Kill} {
		if notDone := w.handle(payloads...); notDone != "" {
			t.Fatalf("before: not done from %s", notDone)
		}
		w.delivered()
		w.Must(end())
		if notDone := w.handle(payloads...); notDone != "1000" {
			t.Errorf("while away: not done from %q, want all", notDone)
		}
		if outputs := w.delivered(); len(outputs) != 0 {
			t.Errorf("while away: %d delivered", len(outputs))
		}
		w.Must(w.Postgres.Restart(t.Context()))
		if outputs := w.again(payloads, "1000"); len(outputs) != 5 {
			t.Errorf("back: %d delivered, want 5", len(outputs))
		}
	}
}

// TestDeadConnection: a server that came back between two batches is met with a connection that is dead.
func TestDeadConnection(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	w.handle(numbered(1)...)
	w.Must(w.Postgres.Pause())
	w.Must(w.Postgres.Restart(t.Context()))
	if notDone := w.handle(numbered(1)...); notDone != "" {
		t.Error("the first batch after a restart was not done")
	}
}

// TestRejectionStoreAway: records behind a rejected one that cannot be stored wait with it.
func TestRejectionStoreAway(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	payloads := numbered(6)
	payloads[3] = "not json"
	w.S3.SetHooks(awscall.Hooks{Before: func(call awscall.Call) error {
		if strings.HasPrefix(call.Key, "rejected/") {
			return errors.New("away")
		}
		return nil
	}})
	notDone := w.handle(payloads...)
	if notDone != "1003" {
		t.Fatalf("not done from %q", notDone)
	}
	w.S3.SetHooks(awscall.Hooks{})
	all := append(eventIDs(w.delivered()), eventIDs(w.again(payloads, notDone))...)
	if len(all) != 5 || len(unique(all)) != 5 || len(w.rejectedReasons()) != 1 {
		t.Errorf("delivered %v, rejected %v", all, w.rejectedReasons())
	}
}

// TestCalls: every call keeps to Firehose's limits, and together they carry all lines in their order.
func TestCalls(t *testing.T) {
	for name, sizes := range map[string][]int{
		"none":             {},
		"one":              {10},
		"the largest":      {maxRecordBytes, maxRecordBytes, maxRecordBytes, maxRecordBytes, 1},
		"many small":       slices.Repeat([]int{1}, 1001),
		"rejected between": {5, 0, 0, 7, 0},
		"only rejected":    {0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			outcomes := make([]outcome, len(sizes))
			var want []byte
			for i, size := range sizes {
				if size == 0 {
					outcomes[i].reason = "rejected"
					continue
				}
				outcomes[i].line = bytes.Repeat([]byte{byte(i)}, size)
				want = append(want, outcomes[i].line...)
			}
			var got []byte
			for _, call := range toFirehose(nil, "").cut(outcomes) {
				size := 0
				for _, line := range call.lines {
					size += len(line)
					got = append(got, line...)
				}
				if len(call.lines) > maxCallRecords || size > maxCallBytes {
					t.Errorf("a call of %d records and %d bytes", len(call.lines), size)
				}
			}
			if !bytes.Equal(got, want) {
				t.Error("the calls do not carry the lines")
			}
		})
	}
}
