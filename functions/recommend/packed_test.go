package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"recsys/infra/local/aws/firehose"
	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/stream/unpack"
	"recsys/shared/stream/unpack/unpacktest"
)

const known = `{"session_id":"s","customer_number":103}`

// TestPackedRecords: each record in a Kinesis record has an answer or a rejection of its own, in its order.
func TestPackedRecords(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	broken := unpacktest.Aggregate("own", known)
	broken[len(broken)-1] ^= 1
	payloads := []string{
		known,
		string(unpacktest.Aggregate("own", known, "not json", known)),
		known + "\r\n\r\n{}\r\n" + known + "\r\n",
		string(unpacktest.Gzip(known+"\n", known)),
		string(unpacktest.Gzip(known)),
		"\ufeff" + known,
		string(broken),
		string(unpacktest.Aggregate("own", string(unpacktest.Gzip(known)[:20]), known)),
		known,
	}
	if notDone := w.handle(payloads...); notDone != "" {
		t.Fatalf("not done from %s", notDone)
	}
	answered := strings.Join(eventIDs(w.delivered()), " ")
	if want := strings.ReplaceAll("S1000 S1001-0 S1001-2 S1002-0 S1002-2 S1003-0 S1003-1 S1004 S1005 S1007-1 S1008", "S", shard+":"); answered != want {
		t.Errorf("answered %s\nwant %s", answered, want)
	}
	want := map[string]string{
		"1001-1": "not JSON at byte 2",
		"1002-1": "neither session_id nor customer_number: nobody could use the answer",
		"1006":   "broken KPL aggregate: its MD5 is another one",
		"1007-0": "broken gzip: unexpected EOF",
	}
	reasons := w.rejectedReasons()
	for place, reason := range want {
		if reasons[place] != reason {
			t.Errorf("%s is rejected for %q, want %q", place, reasons[place], reason)
		}
	}
	if len(reasons) != len(want) {
		t.Errorf("rejected %v", reasons)
	}
	for place, want := range map[string]rejection{
		"1001-1": {EventID: shard + ":1001-1", Partition: "own", Payload: "not json"},
		"1002-1": {EventID: shard + ":1002-1", Partition: "p", Payload: "{}"},
		"1006":   {EventID: shard + ":1006", Partition: "p", PayloadRaw: broken},
	} {
		got := w.rejection(place)
		if got.EventID != want.EventID || got.Partition != want.Partition || got.Payload != want.Payload || string(got.PayloadRaw) != string(want.PayloadRaw) {
			t.Errorf("%s is stored as %+v, want %+v", place, got, want)
		}
	}
}

// TestAKinesisRecordIsDoneWhole: if one of the records in it cannot be delivered, the Kinesis record is not done. It comes
// again with all that is in it, under the same event ids.
func TestAKinesisRecordIsDoneWhole(t *testing.T) {
	w := setup(t)
	w.load(versiontest.Small())
	many := numbered(maxPortion + 700)
	payloads := []string{known, string(unpacktest.Aggregate("k", many...)), known}
	lost := fmt.Sprintf(`"session_id":"%d"`, maxPortion+100) // of the second portion
	w.firehose.SetFaults(firehose.Faults{Fail: func(_ string, batch [][]byte) (failed []int) {
		for i, line := range batch {
			if strings.Contains(string(line), lost) {
				failed = append(failed, i)
			}
		}
		return failed
	}})
	notDone := w.handle(payloads...)
	if notDone != "1001" {
		t.Fatalf("not done from %q, want 1001", notDone)
	}
	before := eventIDs(w.delivered())
	w.firehose.SetFaults(firehose.Faults{})
	after := eventIDs(w.again(payloads, notDone))
	if len(after) != len(many)+1 {
		t.Errorf("%d answers, want %d", len(after), len(many)+1)
	}
	if all := unique(append(before, after...)); len(all) != len(many)+2 {
		t.Errorf("answers to %d events, want %d", len(all), len(many)+2)
	}
}

// TestPortions: they are bounded in records and bytes, and hold every record in its order.
func TestPortions(t *testing.T) {
	large := `{"session_id":"` + strings.Repeat("x", maxPortionBytes/2) + `"}`
	lines := strings.Join(numbered(2*maxPortion+1), "\n")
	for name, payloads := range map[string][]string{
		"none":                 {},
		"one":                  {known},
		"as many as may be":    numbered(maxPortion),
		"one more":             numbered(maxPortion + 1),
		"in one record":        {known, lines, known},
		"large ones":           {large, large, large},
		"a record of portions": {string(unpacktest.Gzip(lines)), string(unpacktest.Gzip(large + "\n" + large))},
		"beyond a portion":     {strings.Repeat("x", maxPortionBytes+1)},
	} {
		t.Run(name, func(t *testing.T) {
			var got, want []string
			event := batch(payloads...)
			for entries := range portions(event.Records) {
				size := 0
				for i := range entries {
					size += len(entries[i].data)
					got = append(got, entries[i].id)
				}
				if len(entries) == 0 || len(entries) > maxPortion || len(entries) > 1 && size > maxPortionBytes {
					t.Errorf("a portion of %d records and %d bytes", len(entries), size)
				}
			}
			for _, record := range event.Records {
				want = append(want, wantedIDs(record)...)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d records, want %d", len(got), len(want))
			}
		})
	}
}

func wantedIDs(record events.KinesisEventRecord) (ids []string) {
	parts := len(unpack.Record(record.Kinesis.Data))
	for i := range parts {
		ids = append(ids, unpack.EventID(record.EventID, i, parts))
	}
	return ids
}
