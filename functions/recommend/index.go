package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/settings"
	"recsys/shared/learn/model"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
)

// index asks the vector database: two round trips a batch, whatever its size. The first reads which version
// is active, the second asks its tables, by their names, everything at once (queries.go): what to recommend and what is
// similar over a connection each, so that two of the database's cores search. So all of an answer is of one version, also
// while another one is being activated; a version that is dropped in between makes the second trip fail as a whole, and
// both are made again. What the batch has in its carts goes in a third one (carts.go), as a transaction of its own after
// the answers. A connection prepares a version's statements in a trip more, once.
type index struct {
	pool    *pgxpool.Pool
	options settings.Ranking
	timeout time.Duration // of each step in the database: a connection, the version, the answers, the carts
	// foldEvery is the constant of that name; tests change it.
	foldEvery time.Duration
}

// question is a record that wants an answer, and the answer but for what the event gives.
type question struct {
	record  *activity.Record
	session []activity.Product // the most telling first
	vector  []float32          // by the model; nil where it has none to give
	found   found
	answer  activity.Answer
}

// attempts bounds how often a batch starts again: after connections that had died while the function slept, and after
// versions that were dropped in between.
const attempts = 3

// retry is whether another attempt may find things changed.
type retry int

const (
	never retry = iota
	again
	plainly // what took too long, or could not be computed, would come again however often it was tried: see asking.plain
)

// answer fills in the answers and says which version they are of; 0 when none is active.
func (x *index) answer(ctx context.Context, questions []question, models *models, now time.Time) (version int64, err error) {
	if len(questions) == 0 {
		return 0, nil
	}
	plain := false
	for attempt := 1; ; attempt++ {
		version, retry, err := x.attempt(ctx, questions, models, asking{options: x.options, now: now, plain: plain}, attempt == attempts)
		if err == nil || retry == never || attempt == attempts {
			return version, err
		}
		plain = plain || retry == plainly
		slog.WarnContext(ctx, "asking the vector database again", "attempt", attempt, "plain", plain, "error", err)
		x.pool.Reset() // where one connection was dead, the others probably are, too
	}
}

// attempt is one pass through both round trips.
func (x *index) attempt(ctx context.Context, questions []question, models *models, a asking, last bool) (version int64, may retry, err error) {
	a.questions = questions
	a.forget()
	conn, err := x.acquire(ctx)
	if err != nil {
		return 0, never, err
	}
	defer conn.Release()
	active, found, err := x.active(ctx, conn.Conn())
	if err != nil {
		if conn.Conn().IsClosed() {
			return 0, again, err
		}
		return 0, never, err
	}
	if !found {
		a.rank() // of nothing
		return 0, never, nil
	}
	m, err := models.of(ctx, active)
	if errors.Is(err, objectstore.ErrNotFound) {
		if !last {
			return 0, again, err // dropped in between, probably
		}
		slog.ErrorContext(ctx, "the version answers without its model", "version", active.Version, "error", err)
		m, err = nil, nil
	}
	if err != nil {
		return 0, never, err
	}
	if err := embed(m, active.Dimension, questions); err != nil {
		return 0, never, err
	}
	a.version, a.storedFirst = active, m != nil && m.ForUnseen()
	may, err = x.ask(ctx, conn, &a)
	return active.Version, may, err
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

// embed gives the questions their vectors, where the model and the record's features give one.
func embed(m *model.Model, dimension int, questions []question) error {
	for i := range questions {
		questions[i].vector = nil
	}
	if m == nil {
		return nil
	}
	users := make([]model.User, 0, len(questions))
	asking := make([]int, 0, len(questions))
	for i := range questions {
		if r := questions[i].record; r.HasFeatures() {
			users = append(users, model.User{City: r.City, Country: r.Country, CreditLimit: r.CreditLimit})
			asking = append(asking, i)
		}
	}
	vectors := make([]float32, len(users)*dimension)
	undirected, err := m.Embed(vectors, users)
	if err != nil {
		return fmt.Errorf("computing user vectors: %w", err)
	}
	for k, i := range asking {
		questions[i].vector = vectors[k*dimension : (k+1)*dimension]
	}
	for _, k := range undirected {
		questions[asking[k]].vector = nil
	}
	return nil
}

// ask is the second round trip, both searches at the same time, and then the trends.
func (x *index) ask(ctx context.Context, conn *pgxpool.Conn, a *asking) (retry, error) {
	var other *pgxpool.Conn
	similar := a.similar()
	if similar != nil {
		var err error
		if other, err = x.acquire(ctx); err != nil {
			return never, err
		}
		defer other.Release()
	}
	within, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	var failed [2]error // a search that fails does not end the other one: that would cost its connection
	var searches sync.WaitGroup
	searches.Go(func() { failed[0] = conn.SendBatch(within, a.recommended()).Close() })
	if similar != nil {
		searches.Go(func() { failed[1] = other.SendBatch(within, similar).Close() })
	}
	searches.Wait()
	if err := errors.Join(failed[:]...); err != nil {
		lost := conn.Conn().IsClosed() || other != nil && other.Conn().IsClosed()
		return mayPass(lost, failed[:]), vectorstore.Wrap(fmt.Sprintf("asking version %d", a.version.Version), err)
	}
	a.rank()
	x.keepTrends(ctx, conn, a)
	return never, nil
}

// mayPass tells what becomes of searches that failed. A version that is just being dropped is either gone or locked.
func mayPass(lost bool, failed []error) retry {
	of := func(codes ...string) bool {
		return slices.ContainsFunc(failed, func(err error) bool {
			return slices.ContainsFunc(codes, func(code string) bool { return vectorstore.HasCode(err, code) })
		})
	}
	late := slices.ContainsFunc(failed, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) })
	switch {
	case late || of(vectorstore.QueryCanceled, vectorstore.OutOfRange):
		return plainly
	case lost || of(vectorstore.UndefinedTable, vectorstore.LockNotAvailable, vectorstore.DeadlockDetected):
		return again
	}
	return never
}
