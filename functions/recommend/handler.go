package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/settings"
	"recsys/shared/runtime/metrics"
	"recsys/shared/serving/answers"
	"recsys/shared/store/objectstore"
	"recsys/shared/stream/activity"
)

// Handler answers batches, one at a time, as Lambda hands them over.
type Handler struct {
	answers *answers.Service
	// deliveries are all doors that an answer goes out by.
	deliveries []*delivery
	rejected   *rejections
	now        func() time.Time
	buffer     []byte // the lines of a portion
}

// New makes the handler from settings and from clients that the process shares.
func New(s settings.Recommend, pool *pgxpool.Pool, artifacts, recommendations *objectstore.Store, deliveries ...*delivery) *Handler {
	return &Handler{
		answers:    answers.New(pool, artifacts, s.Ranking, s.DatabaseTimeout),
		deliveries: deliveries,
		rejected:   &rejections{bucket: recommendations},
		now:        time.Now,
	}
}

// Handle answers one batch. It never fails as a whole. If the database, S3, Firehose or the bus is away, it reports the first
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
		slog.ErrorContext(ctx, "batch failed, Kinesis delivers it again from the first record that is not done",
			append(attributes, "event_id", failed.id, "error", err)...)
	}
	return events.KinesisEventResponse{BatchItemFailures: failures}, nil
}

// answerAll answers a batch portion by portion, until one fails. It returns the first entry that is not done, with the reason,
// or nil if all are done.
func (h *Handler) answerAll(ctx context.Context, records []events.KinesisEventRecord) (failed *entry, err error) {
	for entries := range portions(records) {
		done, err := h.answerPortion(ctx, entries)
		if done < len(entries) {
			return &entries[done], err
		}
	}
	return nil, nil
}

// answerPortion answers a portion as far as it gets. The entries before done are done. The error is the reason for stopping.
func (h *Handler) answerPortion(ctx context.Context, entries []entry) (done int, err error) {
	now := h.now()
	answers, err := h.answer(ctx, entries, now)
	if err != nil {
		return 0, err
	}
	outcomes := h.outcomes(entries, answers, now)
	// Rejections first: a record behind one that could not be stored must not go out before it comes again.
	storable, rejecting := h.rejected.store(ctx, outcomes)
	if done, err = h.deliver(ctx, outcomes[:storable]); err == nil {
		err = rejecting
	}
	count(ctx, outcomes[:done])
	return done, err
}

// deliver delivers outcomes by each door. A door gets those that the doors before it have taken. An outcome is done if all
// have taken it.
func (h *Handler) deliver(ctx context.Context, outcomes []outcome) (done int, err error) {
	done = len(outcomes)
	for _, delivery := range h.deliveries {
		taken, failing := delivery.deliver(ctx, outcomes[:done])
		if failing != nil {
			done, err = taken, failing
		}
	}
	return done, err
}

// answer reads the entries by the form of the active version's shop, and returns an answer to each that could be read, in their
// order, but for the event and the time.
func (h *Handler) answer(ctx context.Context, entries []entry, now time.Time) ([]activity.Answer, error) {
	if !slices.ContainsFunc(entries, entry.readable) {
		return nil, nil
	}
	read := func(form *activity.Form) []*activity.Record { return readRecords(entries, form) }
	return h.answers.Answer(ctx, answers.Batch{Read: read, Now: now})
}

// readable reports whether a form may be able to read the entry.
func (e entry) readable() bool { return e.fault == "" }

// readRecords reads the entries by a form and returns the records of those that could be read.
func readRecords(entries []entry, form *activity.Form) []*activity.Record {
	records := make([]*activity.Record, 0, len(entries))
	for i := range entries {
		if entries[i].read(form); entries[i].reason == "" {
			records = append(records, &entries[i].record)
		}
	}
	return records
}

// outcome is the result of an entry: a line that goes out, or a rejection.
type outcome struct {
	entry    *entry
	line     []byte
	strategy activity.Strategy
	reason   string // why it is rejected, "" if it is not
}

// outcomes returns an outcome for each entry. The answers are those of the entries that could be read.
func (h *Handler) outcomes(entries []entry, answers []activity.Answer, now time.Time) []outcome {
	outcomes := make([]outcome, len(entries))
	h.buffer = h.buffer[:0]
	for i := range entries {
		e := &entries[i]
		if e.reason != "" {
			outcomes[i] = outcome{entry: e, reason: e.reason}
			continue
		}
		answer := answers[0]
		answers = answers[1:]
		answer.Recommendation.EventID, answer.Recommendation.GeneratedAt = e.id, now
		outcomes[i] = h.outcome(e, &answer)
	}
	return outcomes
}

func (h *Handler) outcome(e *entry, answer *activity.Answer) outcome {
	start := len(h.buffer)
	h.buffer = e.record.Append(h.buffer, answer)
	line := h.buffer[start:len(h.buffer):len(h.buffer)]
	for _, delivery := range h.deliveries {
		if len(line) > delivery.lineBytes {
			return outcome{entry: e, reason: fmt.Sprintf("the answer has %d bytes, and %s takes %d", len(line), delivery.to, delivery.lineBytes)}
		}
	}
	return outcome{entry: e, line: line, strategy: answer.Recommendation.Strategy}
}

// count sends the metrics of the outcomes that are done.
func count(ctx context.Context, done []outcome) {
	rejected := 0
	for i := range done {
		if done[i].reason != "" {
			rejected++
			continue
		}
		metrics.Count(ctx, metrics.Answers(done[i].strategy), 1)
	}
	metrics.Count(ctx, metrics.Records, len(done)-rejected)
	metrics.Count(ctx, metrics.RejectedRecords, rejected)
}
