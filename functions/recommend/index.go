package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"recsys/shared/activity"
	"recsys/shared/model"
	"recsys/shared/objectstore"
	"recsys/shared/settings"
	"recsys/shared/vectorstore"
)

// index asks the vector database: two round trips a batch, whatever its size. The first reads which version
// is active, the second asks its tables, by their names, everything at once (queries.go): what to recommend and what is
// similar over a connection each, so that two of the database's cores search. So all of an answer is of one version, also
// while another one is being activated; a version that is dropped in between makes the second trip fail as a whole, and
// both are made again. What the batch has in its carts goes with the second trip, too, as a transaction of its own after
// the answers (trending.go). A connection prepares a version's statements in a trip more, once.
type index struct {
	pool    *pgxpool.Pool
	options settings.Ranking
	timeout time.Duration // of one attempt in the database; the reading of a model is not counted
}

// question is a record that wants an answer, and the answer but for what the event gives.
type question struct {
	record  *activity.Record
	session []activity.Product // the most telling first
	vector  []float32          // by the model; nil where it has none to give
	found   found
	answer  activity.Answer
}

// attempts bounds how often a batch starts again: after a connection that had died while the function
// slept, and after versions that were dropped in between.
const attempts = 3

// answer fills in the answers and says which version they are of; 0 when none is active.
func (x *index) answer(ctx context.Context, questions []question, models *models, now time.Time) (version int64, err error) {
	if len(questions) == 0 {
		return 0, nil
	}
	plain := false
	for attempt := 1; ; attempt++ {
		version, again, err := x.attempt(ctx, questions, models, asking{options: x.options, now: now, plain: plain}, attempt == attempts)
		plain = plain || isTooMuch(err)
		if err == nil || !again || attempt == attempts {
			return version, err
		}
		slog.WarnContext(ctx, "asking the vector database again", "attempt", attempt, "plain", plain, "error", err)
	}
}

// isTooMuch tells of what would come again however often it was tried: an answer that takes longer than there is time,
// or numbers that cannot be blended. Then it is asked plainly, see asking.plain, so that no record holds the shard.
func isTooMuch(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) ||
		vectorstore.HasCode(err, vectorstore.QueryCanceled) || vectorstore.HasCode(err, vectorstore.OutOfRange)
}

// attempt is one pass through both round trips; again says that another one may find things changed.
func (x *index) attempt(ctx context.Context, questions []question, models *models, a asking, last bool) (version int64, again bool, err error) {
	a.questions = questions
	a.forget()
	conn, err := x.acquire(ctx)
	if err != nil {
		return 0, false, err
	}
	defer conn.Release()
	active, found, err := x.active(ctx, conn.Conn())
	if err != nil {
		return 0, conn.Conn().IsClosed(), err
	}
	if !found {
		a.rank() // of nothing
		return 0, false, nil
	}
	m, err := models.of(ctx, active)
	if errors.Is(err, objectstore.ErrNotFound) {
		if !last {
			return 0, true, err // dropped in between, probably
		}
		slog.ErrorContext(ctx, "the version answers without its model", "version", active.Version, "error", err)
		m, err = nil, nil
	}
	if err != nil {
		return 0, false, err
	}
	if err := embed(m, active.Dimension, questions); err != nil {
		return 0, false, err
	}
	a.version, a.storedFirst = active, m != nil && m.ForUnseen()
	lost, err := x.ask(ctx, conn, &a)
	again = lost || vectorstore.HasCode(err, vectorstore.UndefinedTable) || isTooMuch(err)
	return active.Version, again, err
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

// ask is the second round trip: both searches at the same time, and the trends. lost tells of a connection that broke.
func (x *index) ask(ctx context.Context, conn *pgxpool.Conn, a *asking) (lost bool, err error) {
	other, err := x.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer other.Release()
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	var searches errgroup.Group
	searches.Go(func() error {
		err := conn.SendBatch(ctx, a.recommended()).Close()
		if err != nil && a.answered {
			slog.WarnContext(ctx, "the carts of this batch are not in the trends", "error", err)
			return nil
		}
		return err
	})
	searches.Go(func() error { return other.SendBatch(ctx, a.similar()).Close() })
	if err := searches.Wait(); err != nil {
		lost = conn.Conn().IsClosed() || other.Conn().IsClosed()
		return lost, vectorstore.Wrap(fmt.Sprintf("asking version %d", a.version.Version), err)
	}
	a.rank()
	return false, nil
}
