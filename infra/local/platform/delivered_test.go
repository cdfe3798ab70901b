package platform

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/aws/eventsource"
	"recsys/shared/store/objectstore"
)

// line is an answer as Firehose delivered it: the text, and its parsed part.
type line struct {
	Answer
	text string
}

// lists are the recommended and the similar items as text, which must be the same.
func (l line) lists() string {
	_, lists, _ := strings.Cut(l.text, `"recommended_items":`)
	lists, _, _ = strings.Cut(lists, `,"recommendation":`)
	return lists
}

// delivered reads Firehose's answers to the events from the bucket, in the order in which it took them, repeats
// included.
func delivered(tb testing.TB, p *Platform, events []string) []line {
	tb.Helper()
	if err := p.Firehose.Flush(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	wanted := map[string]bool{}
	for _, event := range events {
		wanted[event] = true
	}
	var lines []line
	store := p.Store(RecommendationsBucket)
	// The keys begin with the time, to the second. Unless it is flushed, a buffer is open for one at least.
	err := store.List(tb.Context(), AnswersPrefix, func(object objectstore.Object) error {
		content, _, err := store.Get(tb.Context(), object.Key, 64<<20)
		if err != nil {
			return err
		}
		plain, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			return err
		}
		scanner := bufio.NewScanner(plain)
		scanner.Buffer(nil, 2<<20)
		for scanner.Scan() {
			parsed, err := parseAnswer(scanner.Bytes())
			if err != nil {
				return fmt.Errorf("%s: %w", object.Key, err)
			}
			answer := line{parsed, scanner.Text()}
			if wanted[answer.Recommendation.EventID] {
				lines = append(lines, answer)
			}
		}
		return scanner.Err()
	})
	if err != nil {
		tb.Fatal(err)
	}
	return lines
}

// eventsOf are the lines' event ids, in their order.
func eventsOf(lines []line) []string {
	events := make([]string, len(lines))
	for i := range lines {
		events[i] = lines[i].Recommendation.EventID
	}
	return events
}

// put puts records on the stream and returns their event ids.
func put(tb testing.TB, p *Platform, records ...string) []string {
	tb.Helper()
	events, err := p.PutRecords(tb.Context(), strings.NewReader(strings.Join(records, "\n")))
	if err != nil {
		tb.Fatal(err)
	}
	return events
}

// ask puts records on the stream and waits for their answers or rejections, in their order.
func ask(tb testing.TB, p *Platform, records ...string) []Answer {
	tb.Helper()
	since, before := time.Now(), p.Mapping.Stats()
	events := put(tb, p, records...)
	settled(tb, p, before, len(events))
	if err := p.Firehose.Flush(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	answers, _, err := p.Answers(tb.Context(), events, since, func(int) {})
	if err != nil {
		tb.Fatal(err)
	}
	return answers
}

// settled waits until the mapping is done with so many records more than before.
func settled(tb testing.TB, p *Platform, before eventsource.Stats, records int) {
	tb.Helper()
	wait(tb, p, func(now eventsource.Stats) bool {
		return now.Succeeded+now.Discarded >= before.Succeeded+before.Discarded+records
	})
}

// wantCalm fails where records were discarded or an invocation failed whole, since before.
func wantCalm(tb testing.TB, p *Platform, before eventsource.Stats) {
	tb.Helper()
	if now := p.Mapping.Stats(); now.Discarded != before.Discarded || now.FunctionErrors != before.FunctionErrors {
		tb.Errorf("the mapping discarded records, or the function failed: %+v, before %+v", now, before)
	}
}

// visit is a record of a customer whose vector is stored.
func visit(customer int64) string {
	return fmt.Sprintf(`{"session_id":"s-%d","customer_number":%[1]d,"browse_history":[]}`, customer)
}

// visits are n records of the customers in turn.
func visits(n int) []string {
	records := make([]string, n)
	for i := range records {
		records[i] = visit(101 + int64(i%looseCustomers))
	}
	return records
}

// withoutRepeats keeps the first of equal events: delivery is at least once.
func withoutRepeats(events []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(events), func(event string) bool {
		repeated := seen[event]
		seen[event] = true
		return repeated
	})
}
