package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/model"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// index answers batches from the vector database. A batch costs two round trips, whatever its size. The first reads
// the active version, the second retrieves candidates from its tables, by their names. Records that come short cost a
// third one, all together. So all of an answer belongs to one version, also while another one is being activated. If
// a version is dropped in between, the second trip fails as a whole, and both are made again. Carts go in a trip of
// their own, after the answers. A connection prepares a version's statements once, in a trip more.
type index struct {
	pool    *pgxpool.Pool
	models  *models
	options settings.Ranking
	timeout time.Duration // of each step in the database: a connection, the version, a retrieval, the carts
	texts   rendered
	// countEvery is the constant countCartsEvery, which tests change.
	countEvery time.Duration
}

// attempts bounds how often a batch starts again: after connections that died while the function slept, and after versions
// that were dropped in between.
const attempts = 3

// retry says whether another attempt may go better.
type retry int

const (
	retryNever retry = iota
	retrySame
	retryPlain // a search took too long or could not be computed, and would fail the same way again
)

// answer reads the entries by the form of the active version's shop, and returns an answer to each that could be read, in their
// order, but for the event and the time.
func (x *index) answer(ctx context.Context, entries []entry, now time.Time) ([]activity.Answer, error) {
	if !slices.ContainsFunc(entries, entry.readable) {
		return nil, nil
	}
	depth := overfetched
	for attempt := 1; ; attempt++ {
		answers, retry, err := x.attempt(ctx, batchQuery{now: now, depth: depth}, entries, attempt == attempts)
		if err == nil || retry == retryNever || attempt == attempts {
			return answers, err
		}
		if retry == retryPlain {
			depth = plain
		}
		slog.WarnContext(ctx, "asking the vector database again", "attempt", attempt, "plain", depth == plain, "error", err)
		x.pool.Reset() // if one connection was dead, the others probably are, too
	}
}

// attempt makes all round trips once.
func (x *index) attempt(ctx context.Context, batch batchQuery, entries []entry, last bool) ([]activity.Answer, retry, error) {
	conn, err := x.acquire(ctx)
	if err != nil {
		return nil, retryNever, err
	}
	defer conn.Release()
	active, found, err := x.active(ctx, conn.Conn())
	if err != nil {
		if conn.Conn().IsClosed() {
			return nil, retrySame, err
		}
		return nil, retryNever, err
	}
	records := readRecords(entries, activity.FormOf(shape.OrLab(active.Shop)))
	batch.rules = ranking.Rules{Ranking: x.options, Metric: active.Metric}
	if !found || len(records) == 0 {
		return answers(batch.rules, active, make([]ranking.Candidates, len(records))), retryNever, nil
	}
	m, retry, err := x.model(ctx, active, last)
	if err != nil {
		return nil, retry, err
	}
	batch.version, batch.storedFirst = active, m != nil && m.ForUnseen()
	if batch.records, err = recordQueries(records, m, active); err != nil {
		return nil, retryNever, err
	}
	candidates, err := retrieveAll(ctx, &pgvectorRetriever{conn, x.acquire, x.timeout, x.texts}, batch)
	if err != nil {
		return nil, mayPass(err), vectorstore.Wrap(fmt.Sprintf("searching version %d", active.Version), err)
	}
	x.keepTrends(ctx, conn, &batch)
	return answers(batch.rules, active, candidates), retryNever, nil
}

// answers makes an answer of each record's candidates.
func answers(rules ranking.Rules, active vectorstore.ActiveVersion, found []ranking.Candidates) []activity.Answer {
	answers, group := make([]activity.Answer, len(found)), shape.OrLab(active.Shop).Group
	for i := range found {
		answers[i] = rules.Answer(found[i])
		how := &answers[i].Recommendation
		how.ModelVersion, how.Strategy = active.Version, how.Strategy.In(group)
	}
	return answers
}

func (x *index) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	conn, err := x.pool.Acquire(ctx)
	return conn, vectorstore.Wrap("connecting to the vector database", err)
}

func (x *index) active(ctx context.Context, conn *pgx.Conn) (vectorstore.ActiveVersion, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	return vectorstore.ReadActive(ctx, conn)
}

// model returns the version's model, nil if it has none. A model that is missing was probably dropped with its version, so the
// batch starts again. The last attempt goes on without it.
func (x *index) model(ctx context.Context, active vectorstore.ActiveVersion, last bool) (*model.Model, retry, error) {
	m, err := x.models.read(ctx, active)
	if !errors.Is(err, objectstore.ErrNotFound) {
		return m, retryNever, err
	}
	if !last {
		return nil, retrySame, err
	}
	slog.ErrorContext(ctx, "the version answers without its model", "version", active.Version, "error", err)
	return nil, retryNever, nil
}

// mayPass reports whether another attempt may succeed after failed searches. A version that is just being dropped is
// either gone or locked.
func mayPass(err error) retry {
	var failed *searchError
	if !errors.As(err, &failed) {
		return retryNever
	}
	coded := func(codes ...string) bool {
		return slices.ContainsFunc(failed.errs, func(err error) bool {
			return slices.ContainsFunc(codes, func(code string) bool { return vectorstore.HasCode(err, code) })
		})
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), coded(vectorstore.QueryCanceled, vectorstore.OutOfRange):
		return retryPlain
	case failed.lost, coded(vectorstore.UndefinedTable, vectorstore.LockNotAvailable, vectorstore.DeadlockDetected):
		return retrySame
	}
	return retryNever
}
