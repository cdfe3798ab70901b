package platform

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/google/uuid"

	"recsys/infra/local/eventsource"
	"recsys/shared/objectstore"
)

// Limits of PutRecords, https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html.
const (
	maxPutRecords = 500
	maxPutBytes   = 4 << 20 // of AWS's 5 MiB, keys and encoding aside
	maxRecord     = 1 << 20
)

// startMapping lets recommend answer the stream, with the settings of the stack.
func (p *Platform) startMapping(ctx context.Context) error {
	retries := 100
	checkpoints, position, err := p.checkpoints()
	if err != nil {
		return err
	}
	mapping, err := eventsource.Start(context.WithoutCancel(ctx), eventsource.Config{
		Client: p.stream, Stream: ActivityStream, Checkpoints: checkpoints, StartingPosition: position,
		Invoke:                  p.Lambda.Invoker(recommend),
		ReportBatchItemFailures: true, BisectBatchOnFunctionError: true, MaximumRetryAttempts: &retries,
		OnFailure: func(ctx context.Context, discarded eventsource.Discarded) error {
			_, err := p.Store(RecommendationsBucket).PutJSON(ctx, discarded.Key(), discarded)
			return err
		},
	})
	if err != nil {
		return err
	}
	p.Mapping = mapping
	p.onClose("the event source mapping", func() error { mapping.Close(); return nil })
	return nil
}

// checkpoints are where the mapping goes on from. The private stream is kept with its checkpoints, so that what an
// earlier start left unanswered is answered; without a checkpoint nothing of it is. A stream that somebody else
// keeps is answered from now on.
func (p *Platform) checkpoints() (eventsource.Checkpoints, types.ShardIteratorType, error) {
	if p.config.Environment.Kinesis != "" {
		return nil, types.ShardIteratorTypeLatest, nil
	}
	file, err := eventsource.OpenFile(p.path("checkpoints.json"))
	return file, types.ShardIteratorTypeTrimHorizon, err
}

// PutRecords puts lines on the activity stream and returns their event ids, in order. Empty lines are passed over.
func (c *Client) PutRecords(ctx context.Context, lines io.Reader) (events []string, err error) {
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(make([]byte, 64<<10), maxRecord+1)
	var batch []types.PutRecordsRequestEntry
	size, line := 0, 0
	flush := func() error {
		put, err := c.putBatch(ctx, batch)
		events, batch, size = append(events, put...), batch[:0], 0
		return err
	}
	for scanner.Scan() {
		line++
		data := bytes.Clone(bytes.TrimSpace(scanner.Bytes()))
		if len(data) == 0 {
			continue
		}
		if len(batch) == maxPutRecords || size+len(data) > maxPutBytes {
			if err := flush(); err != nil {
				return events, err
			}
		}
		batch = append(batch, types.PutRecordsRequestEntry{Data: data, PartitionKey: aws.String(uuid.NewString())})
		size += len(data)
	}
	if err := scanner.Err(); err != nil {
		return events, fmt.Errorf("reading activity records, line %d: %w (a record is at most 1 MiB)", line+1, err)
	}
	return events, flush()
}

func (c *Client) putBatch(ctx context.Context, batch []types.PutRecordsRequestEntry) ([]string, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	out, err := c.stream.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: aws.String(ActivityStream), Records: batch})
	if err != nil {
		return nil, fmt.Errorf("putting records on Kinesis: %w", err)
	}
	events := make([]string, 0, len(batch))
	for _, record := range out.Records {
		if record.ErrorCode != nil {
			return events, fmt.Errorf("putting records on Kinesis: %s: %s", *record.ErrorCode, aws.ToString(record.ErrorMessage))
		}
		events = append(events, aws.ToString(record.ShardId)+":"+aws.ToString(record.SequenceNumber))
	}
	return events, nil
}

// Answer is what became of one record: recommendations, or a reason for having none.
type Answer struct {
	CustomerNumber json.Number `json:"customer_number"`
	City           string      `json:"city"`
	Recommended    []struct {
		ID    string  `json:"id"`
		Score float64 `json:"score"`
	} `json:"recommended_items"`
	Recommendation struct {
		EventID      string `json:"event_id"`
		ModelVersion int64  `json:"model_version"`
		Strategy     string `json:"strategy"`
	} `json:"recommendation"`

	// Rejected is why the record was answered with nothing.
	Rejected string `json:"-"`
}

// patience is how long Answers waits without seeing a further answer.
const patience = time.Minute

// Answers waits until each event is answered or rejected and returns the answers in the order of the events, and
// the keys of the objects that hold them. since is a moment before the records were put.
func (c *Client) Answers(ctx context.Context, events []string, since time.Time, progress func(done int)) ([]Answer, []string, error) {
	w := watch{client: c, since: since, wanted: map[string]bool{}, found: map[string]Answer{}, read: map[string]bool{}}
	for _, event := range events {
		w.wanted[event] = true
	}
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

// watch reads what appears in the recommendations bucket.
type watch struct {
	client *Client
	since  time.Time
	wanted map[string]bool
	found  map[string]Answer
	read   map[string]bool // keys
	keys   []string        // that held answers
}

func (w *watch) look(ctx context.Context) error {
	store := w.client.Store(RecommendationsBucket)
	for hour := w.since.UTC().Truncate(time.Hour); !hour.After(time.Now()); hour = hour.Add(time.Hour) {
		prefix := AnswersPrefix + hour.Format("year=2006/month=01/day=02/hour=15/")
		if err := w.each(ctx, store, prefix, w.answers); err != nil {
			return err
		}
	}
	return w.each(ctx, store, "rejected/", w.rejection)
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
		var answer Answer
		if err := lines.Decode(&answer); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		w.take(key, answer.Recommendation.EventID, answer)
	}
}

func (w *watch) rejection(key string, body io.Reader) error {
	var rejected struct {
		EventID string `json:"event_id"`
		Reason  string `json:"reason"`
	}
	if err := json.NewDecoder(body).Decode(&rejected); err != nil {
		return err
	}
	w.take(key, rejected.EventID, Answer{Rejected: rejected.Reason})
	return nil
}

func (w *watch) take(key, event string, answer Answer) {
	if !w.wanted[event] {
		return
	}
	w.found[event] = answer
	if len(w.keys) == 0 || w.keys[len(w.keys)-1] != key {
		w.keys = append(w.keys, key)
	}
}

// ByStrategy counts answers, "rejected" among them.
func ByStrategy(answers []Answer) map[string]int {
	counts := map[string]int{}
	for _, answer := range answers {
		strategy := answer.Recommendation.Strategy
		if answer.Rejected != "" {
			strategy = "rejected"
		}
		counts[strings.TrimSpace(strategy)]++
	}
	return counts
}
