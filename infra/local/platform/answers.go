package platform

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"recsys/shared/contract/lake"
	"recsys/shared/store/objectstore"
	"recsys/shared/stream/activity"
)

// Answer is the outcome of one record: the members that recommend added, or a reason for rejecting it.
type Answer struct {
	activity.Answer
	// Record holds the members of the record.
	Record map[string]any `json:"-"`

	// Rejected is the reason why the record was rejected, "" if it was not.
	Rejected string `json:"-"`
}

// patience is how long Answers waits without seeing a further answer.
const patience = time.Minute

// Answers waits until each event is answered or rejected. It returns the answers in the order of the events, and the
// keys of the objects that hold them. since is a moment before the records were put.
func (c *Client) Answers(ctx context.Context, events []string, since time.Time, progress func(done int)) ([]Answer, []string, error) {
	w := watch{client: c, since: since, wanted: map[string]bool{}, found: map[string]Answer{}, read: map[string]bool{}}
	for _, event := range events {
		w.wanted[event] = true
	}
	w.rejected = commonPrefix(events)
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for last := time.Now(); len(w.found) < len(w.wanted); {
		before := len(w.found)
		if err := w.look(ctx); err != nil {
			return nil, nil, err
		}
		if len(w.found) > before {
			last = time.Now()
			progress(len(w.found))
		}
		if len(w.found) == len(w.wanted) {
			break
		}
		if time.Since(last) > patience {
			return nil, nil, fmt.Errorf("%d of %d records are not answered after %v: see lambda/logs/%s.log in the state directory",
				len(w.wanted)-len(w.found), len(w.wanted), patience, recommend)
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-ticker.C:
		}
	}
	answers := make([]Answer, 0, len(events))
	for _, event := range events {
		answers = append(answers, w.found[event])
	}
	return answers, w.keys, nil
}

// watch reads the new objects of the recommendations bucket.
type watch struct {
	client *Client
	since  time.Time
	// rejected is the longest prefix of the keys under which the events may be rejected: others are many, in time.
	rejected string
	wanted   map[string]bool
	found    map[string]Answer
	read     map[string]bool // keys
	keys     []string        // that held answers
}

func (w *watch) look(ctx context.Context) error {
	store := w.client.Store(RecommendationsBucket)
	// Firehose names an object for the moment its first record came, which may be another's, of the hour before.
	for hour := w.since.Add(-time.Minute).UTC().Truncate(time.Hour); !hour.After(time.Now()); hour = hour.Add(time.Hour) {
		prefix := AnswersPrefix + hour.Format("year=2006/month=01/day=02/hour=15/")
		if err := w.each(ctx, store, prefix, w.answers); err != nil {
			return err
		}
	}
	return w.each(ctx, store, w.rejected, w.rejection)
}

// commonPrefix of the keys under which recommend puts events that it rejects.
func commonPrefix(events []string) (prefix string) {
	for i, event := range events {
		shard, sequence, _ := strings.Cut(event, ":")
		key := lake.RejectedKey(shard, sequence)
		if i == 0 {
			prefix = key
		}
		for !strings.HasPrefix(key, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return prefix
}

func (w *watch) each(ctx context.Context, store *objectstore.Store, prefix string, read func(key string, body io.Reader) error) error {
	return store.List(ctx, prefix, func(object objectstore.Object) error {
		if w.read[object.Key] || object.Modified.Before(w.since.Add(-time.Second)) {
			return nil
		}
		w.read[object.Key] = true
		body, _, err := store.Open(ctx, object.Key)
		if err != nil {
			return err
		}
		defer body.Close()
		if err := read(object.Key, body); err != nil {
			return fmt.Errorf("reading %s: %w", object.Key, err)
		}
		return nil
	})
}

func (w *watch) answers(key string, body io.Reader) error {
	plain, err := gzip.NewReader(body)
	if err != nil {
		return err
	}
	for lines := json.NewDecoder(plain); ; {
		var line json.RawMessage
		if err := lines.Decode(&line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		answer, err := parseAnswer(line)
		if err != nil {
			return err
		}
		w.take(key, answer.Recommendation.EventID, answer)
	}
}

// parseAnswer reads one line of an object. Numbers keep their text.
func parseAnswer(line []byte) (answer Answer, err error) {
	if err := json.Unmarshal(line, &answer); err != nil {
		return answer, err
	}
	members := json.NewDecoder(bytes.NewReader(line))
	members.UseNumber()
	err = members.Decode(&answer.Record)
	for _, ours := range activity.AnswerMembers {
		delete(answer.Record, ours)
	}
	return answer, err
}

// Member returns the text of the record's member, "" for none. Of several names the first that is there counts.
func (a Answer) Member(names ...string) string {
	for _, name := range names {
		if value := a.Record[name]; value != nil {
			return fmt.Sprint(value)
		}
	}
	return ""
}

func (w *watch) rejection(_ string, body io.Reader) error {
	var rejected struct {
		EventID string `json:"event_id"`
		Reason  string `json:"reason"`
	}
	if err := json.NewDecoder(body).Decode(&rejected); err != nil {
		return err
	}
	w.take("", rejected.EventID, Answer{Rejected: rejected.Reason})
	return nil
}

// take notes an answer, and the key of the object that holds it, if it recommends.
func (w *watch) take(key, event string, answer Answer) {
	if !w.wanted[event] {
		return
	}
	w.found[event] = answer
	if key != "" && !slices.Contains(w.keys, key) {
		w.keys = append(w.keys, key)
	}
}

// ByStrategy counts answers, "rejected" among them.
func ByStrategy(answers []Answer) map[string]int {
	counts := map[string]int{}
	for _, answer := range answers {
		strategy := string(answer.Recommendation.Strategy)
		if answer.Rejected != "" {
			strategy = "rejected"
		}
		counts[strings.TrimSpace(strategy)]++
	}
	return counts
}
