package main

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/activity"
	"recsys/shared/metrics"
	"recsys/shared/objectstore"
	"recsys/shared/ranking"
	"recsys/shared/settings"
)

// Handler answers batches. One batch at a time: its buffers are reused, as Lambda allows.
type Handler struct {
	index    *index
	models   *models
	delivery *delivery
	rejected *rejections
	now      func() time.Time
	buffer   []byte // the lines of a batch
}

// New makes the handler of settings and of clients that the process shares.
func New(s settings.Recommend, pool *pgxpool.Pool, client putter, artifacts, recommendations *objectstore.Store) *Handler {
	return &Handler{
		index:    &index{pool: pool, options: s.Ranking, timeout: s.DatabaseTimeout},
		models:   &models{artifacts: artifacts},
		delivery: &delivery{client: client, stream: s.DeliveryStream, pause: firstPause},
		rejected: &rejections{bucket: recommendations},
		now:      time.Now,
	}
}

// entry is one record of the batch on its way.
type entry struct {
	event  *events.KinesisEventRecord
	record activity.Record
	reason string            // why it is rejected; "" when it is not
	found  activity.Strategy // how it is answered
	line   []byte            // what goes out for it
}

// Handle answers one batch. It never fails as a whole: what could not be done now, because the database, S3
// or Firehose was away, is reported as the first sequence number that is not done, and Kinesis gives that
// record and all after it again. Delivery is at least once.
func (h *Handler) Handle(ctx context.Context, event events.KinesisEvent) (events.KinesisEventResponse, error) {
	started := time.Now()
	entries := parse(event.Records)
	done, err := h.answer(ctx, entries)
	count(ctx, entries[:done])
	metrics.Count(ctx, metrics.UndoneRecords, len(entries)-done)
	attributes := []any{"records", len(entries), "done", done, "milliseconds", time.Since(started).Milliseconds()}
	if err == nil && done == len(entries) {
		slog.InfoContext(ctx, "batch answered", attributes...)
		return events.KinesisEventResponse{BatchItemFailures: []events.KinesisBatchItemFailure{}}, nil
	}
	first := entries[done].event.Kinesis.SequenceNumber
	slog.ErrorContext(ctx, "batch not done: to be given again from the first record not done",
		append(attributes, "event_id", entries[done].event.EventID, "error", err)...)
	return events.KinesisEventResponse{BatchItemFailures: []events.KinesisBatchItemFailure{{ItemIdentifier: first}}}, nil
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

func parse(records []events.KinesisEventRecord) []entry {
	entries := make([]entry, len(records))
	for i := range records {
		entries[i].event = &records[i]
		record, err := activity.Parse(records[i].Kinesis.Data)
		if err != nil {
			entries[i].reason = err.Error()
			continue
		}
		entries[i].record = record
	}
	return entries
}

// answer takes the batch as far as it gets: the entries before done are done. An error says what stopped it.
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
		answer.EventID, answer.ModelVersion, answer.GeneratedAt = e.event.EventID, version, now
		start := len(h.buffer)
		h.buffer = e.record.Append(h.buffer, answer)
		e.line = h.buffer[start:len(h.buffer):len(h.buffer)]
		if len(e.line) > maxRecordBytes {
			e.reason = "the answer has " + strconv.Itoa(len(e.line)) + " bytes; Firehose takes " + strconv.Itoa(maxRecordBytes)
		}
	}
	return nil
}
