// Package answers finds recommendations for activity records in the vector database. Every door asks it: the stream, the API.
//
// A record passes Service.Answer: read the version, retrieve, rank. retrieve.go describes the retrieval, package ranking everything
// after it.
//
// Promise: an answer belongs to one version. The number of round trips does not depend on the size of a batch.
// Reads: the active version's tables as recsys_reader, and its model under versions/<n>/ in the artifacts bucket.
// Writes: carts to vectorstore.CartTable and TrendingTable. Spec: docs/stream.md.
package answers

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

// Service answers batches from the vector database. A batch costs two round trips, whatever its size. The first reads
// the active version, the second retrieves candidates from its tables, by their names. Records that come short cost a
// third one, all together. So all of an answer belongs to one version, also while another one is being activated. If
// a version is dropped in between, the second trip fails as a whole, and both are made again. Carts go in a trip of
// their own, after the answers. A connection prepares a version's statements once, in a trip more.
//
// Several goroutines may ask at the same time. A batch takes two connections of the pool.
type Service struct {
	// Options are the rules of the lists. CountEvery is how far the trends are behind, CountCartsEvery by default. Neither may
	// change while a batch is answered.
	Options    settings.Ranking
	CountEvery time.Duration

	pool     *pgxpool.Pool
	models   *models
	inMemory *catalogues
	timeout  time.Duration // of each step in the database: a connection, the version, a retrieval, the carts
	texts    *rendered
}

// New returns a service with the default CountEvery. artifacts is the bucket with the versions' models. timeout bounds each step in
// the database.
func New(pool *pgxpool.Pool, artifacts *objectstore.Store, options settings.Ranking, timeout time.Duration) *Service {
	return &Service{Options: options, CountEvery: CountCartsEvery,
		pool: pool, models: &models{artifacts: artifacts}, inMemory: &catalogues{artifacts: artifacts, upTo: options.InMemoryUpTo}, timeout: timeout, texts: &rendered{}}
}

// Batch is the records that are answered together.
type Batch struct {
	// Read reads the records by the form of the active version's shop. It is called once an attempt, perhaps with other forms.
	Read func(form *activity.Form) []*activity.Record
	// Limit is the length of the lists, 0 for that of the options.
	Limit int
	// Reasons asks why each item is recommended. By the index that costs a round trip more.
	Reasons bool
	// Trending asks for trending items, also if the options do not. Options without trends have none.
	Trending bool
	// Now is the time of the question, by which trends are read and kept.
	Now time.Time
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

// Answer returns an answer to each record of a batch, in their order, but for the event and the time. Without an active version the
// answers are empty. Errors: failure.VectorStoreUnavailable, S3's, and those of a model that fits no record.
func (s *Service) Answer(ctx context.Context, b Batch) ([]activity.Answer, error) {
	depth := overfetched
	for attempt := 1; ; attempt++ {
		answers, retry, err := s.attempt(ctx, b, depth, attempt == attempts)
		if err == nil || retry == retryNever || attempt == attempts {
			return answers, err
		}
		if retry == retryPlain {
			depth = plain
		}
		slog.WarnContext(ctx, "asking the vector database again", "attempt", attempt, "plain", depth == plain, "error", err)
		s.pool.Reset() // if one connection was dead, the others probably are, too
	}
}

// attempt makes all round trips once.
func (s *Service) attempt(ctx context.Context, b Batch, depth depth, last bool) ([]activity.Answer, retry, error) {
	conn, err := s.acquire(ctx)
	if err != nil {
		return nil, retryNever, err
	}
	defer conn.Release()
	active, found, err := s.active(ctx, conn.Conn())
	if err != nil {
		if conn.Conn().IsClosed() {
			return nil, retrySame, err
		}
		return nil, retryNever, err
	}
	records := b.Read(activity.FormOf(shape.OrLab(active.Shop)))
	batch := batchQuery{now: b.Now, depth: depth, rules: ranking.Rules{Ranking: s.Options, Metric: active.Metric}}
	if b.Limit > 0 {
		batch.rules.Limit = b.Limit
	}
	batch.rules.TrendingItems = (batch.rules.TrendingItems || b.Trending) && batch.rules.TrendingHalfLife > 0
	if !found || len(records) == 0 {
		return answers(batch.rules, active, make([]ranking.Candidates, len(records))), retryNever, nil
	}
	m, retry, err := s.model(ctx, active, last)
	if err != nil {
		return nil, retry, err
	}
	batch.version, batch.storedFirst = active, m != nil && m.ForUnseen()
	if batch.records, err = recordQueries(records, m, active); err != nil {
		return nil, retryNever, err
	}
	retriever := s.retriever(ctx, conn, active)
	candidates, err := retrieveAll(ctx, retriever, batch)
	if err != nil {
		return nil, mayPass(err), vectorstore.Wrap(fmt.Sprintf("searching version %d", active.Version), err)
	}
	s.keepTrends(ctx, conn, &batch)
	all := answers(batch.rules, active, candidates)
	if b.Reasons {
		if err := retriever.reasons(ctx, batch, all); err != nil {
			return nil, mayPass(err), vectorstore.Wrap(fmt.Sprintf("asking version %d for reasons", active.Version), err)
		}
	}
	return all, retryNever, nil
}

// retriever returns the way in which the version is searched. Half of the time is for the vector database, if a load takes long.
func (s *Service) retriever(ctx context.Context, conn *pgxpool.Conn, active vectorstore.ActiveVersion) retriever {
	loading, cancel := context.WithTimeout(ctx, s.timeout/2)
	defer cancel()
	if catalogue := s.inMemory.read(loading, active); catalogue != nil {
		return &memoryRetriever{conn, s.timeout, s.texts, catalogue, map[*activity.Record]asker{}}
	}
	return &pgvectorRetriever{conn, s.acquire, s.timeout, s.texts, map[*activity.Record]float64{}}
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

func (s *Service) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	conn, err := s.pool.Acquire(ctx)
	return conn, vectorstore.Wrap("connecting to the vector database", err)
}

func (s *Service) active(ctx context.Context, conn *pgx.Conn) (vectorstore.ActiveVersion, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return vectorstore.ReadActive(ctx, conn)
}

// model returns the version's model, nil if it has none. A model that is missing was probably dropped with its version, so the
// batch starts again. The last attempt goes on without it.
func (s *Service) model(ctx context.Context, active vectorstore.ActiveVersion, last bool) (*model.Model, retry, error) {
	m, err := s.models.read(ctx, active)
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
