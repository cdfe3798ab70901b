package main

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/settings"
	"recsys/shared/runtime/metrics"
	"recsys/shared/store/objectstore"
	"recsys/shared/stream/ranking"
)

// Handler answers batches. One batch at a time: its buffers are reused, as Lambda allows.
type Handler struct {
	index    *index
	models   *models
	delivery *delivery
	rejected *rejections
	now      func() time.Time
	buffer   []byte // the lines of a portion
}

// New makes the handler of settings and of clients that the process shares.
func New(s settings.Recommend, pool *pgxpool.Pool, client putter, artifacts, recommendations *objectstore.Store) *Handler {
	return &Handler{
		index:    &index{pool: pool, options: s.Ranking, timeout: s.DatabaseTimeout, foldEvery: foldEvery},
		models:   &models{artifacts: artifacts},
		delivery: &delivery{client: client, stream: s.DeliveryStream, pause: firstPause},
		rejected: &rejections{bucket: recommendations},
		now:      time.Now,
	}
}

// Handle answers one batch. It never fails as a whole. If the database, S3 or Firehose is away, it reports the first
// sequence number that is not done, and Kinesis delivers that record and all after it again. A Kinesis record is done when
// all activity records in it are. Delivery is at least once.
func (h *Handler) Handle(ctx context.Context, event events.KinesisEvent) (events.KinesisEventResponse, error) {
	started := time.Now()
	failed, err := h.answerAll(ctx, event.Records)
	done := len(event.Records)
	failures := []events.KinesisBatchItemFailure{}
	if failed != nil {
		done = failed.place
		failures = append(failures, events.KinesisBatchItemFailure{ItemIdentifier: failed.event.Kinesis.SequenceNumber})
	}
	metrics.Count(ctx, metrics.UndoneRecords, len(event.Records)-done)
	attributes := []any{"records", len(event.Records), "done", done, "milliseconds", time.Since(started).Milliseconds()}
	if failed == nil {
		slog.InfoContext(ctx, "batch answered", attributes...)
	} else {
		slog.ErrorContext(ctx, "batch not done, Kinesis delivers it again from the first record not done",
			append(attributes, "event_id", failed.id, "error", err)...)
	}
	return events.KinesisEventResponse{BatchItemFailures: failures}, nil
}

// answerAll answers a batch portion by portion, until one fails. It returns the first entry that is not done, and why; nil
// if all are done.
func (h *Handler) answerAll(ctx context.Context, records []events.KinesisEventRecord) (failed *entry, err error) {
	for entries := range portions(records) {
		done, err := h.answer(ctx, entries)
		count(ctx, entries[:done])
		if done < len(entries) {
			return &entries[done], err
		}
	}
	return nil, nil
}

// count tells of the entries that are done.
func count(ctx context.Context, done []entry) {
	rejected := 0
	for i := range done {
		if done[i].reason != "" {
			rejected++
			continue
		}
		metrics.Count(ctx, metrics.Answers(done[i].found), 1)
	}
	metrics.Count(ctx, metrics.Records, len(done)-rejected)
	metrics.Count(ctx, metrics.RejectedRecords, rejected)
}

// answer takes a portion as far as it gets: the entries before done are done. An error says what stopped it.
func (h *Handler) answer(ctx context.Context, entries []entry) (done int, err error) {
	if err := h.recommend(ctx, entries); err != nil {
		return 0, err
	}
	// Rejections first: a record behind one that could not be stored must not go out before it comes again.
	storable, rejecting := h.rejected.store(ctx, entries)
	done, err = h.delivery.deliver(ctx, entries[:storable])
	if err != nil {
		return done, err
	}
	return done, rejecting
}

// recommend finds the answers and writes the lines.
func (h *Handler) recommend(ctx context.Context, entries []entry) error {
	questions := make([]question, 0, len(entries))
	for i := range entries {
		if entries[i].reason == "" {
			record := &entries[i].record
			questions = append(questions, question{record: record, session: ranking.ByTelling(record.Products)})
		}
	}
	now := h.now()
	version, err := h.index.answer(ctx, questions, h.models, now)
	if err != nil {
		return err
	}
	h.buffer = h.buffer[:0]
	asked := 0
	for i := range entries {
		e := &entries[i]
		if e.reason != "" {
			continue
		}
		answer := &questions[asked].answer
		asked++
		e.found = answer.Strategy
		answer.EventID, answer.ModelVersion, answer.GeneratedAt = e.id, version, now
		start := len(h.buffer)
		h.buffer = e.record.Append(h.buffer, answer)
		e.line = h.buffer[start:len(h.buffer):len(h.buffer)]
		if len(e.line) > maxRecordBytes {
			e.reason = "the answer has " + strconv.Itoa(len(e.line)) + " bytes; Firehose takes " + strconv.Itoa(maxRecordBytes)
		}
	}
	return nil
}
