package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/activity"
	"recsys/shared/model"
	"recsys/shared/objectstore"
	"recsys/shared/vectorstore"
)

// index asks the vector database: two round trips a batch, whatever its size. The first reads which version
// is active, the second asks its tables, by their names, everything at once (queries.go). So all of an answer
// is of one version, also while another one is being activated; a version that is dropped in between makes
// the second trip fail as a whole, and both are made again.
type index struct {
	pool    *pgxpool.Pool
	limit   int           // items a list
	timeout time.Duration // of one attempt in the database; the reading of a model is not counted
}

// question is a record that wants an answer, and the answer but for what the event gives.
type question struct {
	record *activity.Record
	vector []float32 // by the model; nil where it has none to give
	answer activity.Answer
}

// attempts bounds how often a batch starts again: after a connection that had died while the function
// slept, and after versions that were dropped in between.
const attempts = 3

// answer fills in the answers and says which version they are of; 0 when none is active.
func (x *index) answer(ctx context.Context, questions []question, models *models) (version int64, err error) {
	if len(questions) == 0 {
		return 0, nil
	}
	for attempt := 1; ; attempt++ {
		version, again, err := x.attempt(ctx, questions, models, attempt == attempts)
		if err == nil || !again || attempt == attempts {
			return version, err
		}
		slog.WarnContext(ctx, "asking the vector database again", "attempt", attempt, "error", err)
	}
}

// attempt is one pass through both round trips; again says that another one may find things changed.
func (x *index) attempt(ctx context.Context, questions []question, models *models, last bool) (version int64, again bool, err error) {
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
		for i := range questions {
			questions[i].answer = activity.Answer{Strategy: activity.None}
		}
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
	err = x.ask(ctx, conn.Conn(), active, questions)
	return active.Version, conn.Conn().IsClosed() || vectorstore.HasCode(err, vectorstore.UndefinedTable), err
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

// ask is the second round trip: one read-only transaction on one snapshot.
func (x *index) ask(ctx context.Context, conn *pgx.Conn, version vectorstore.ActiveVersion, questions []question) error {
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	a := newAsking(version, x.limit, questions)
	if err := conn.SendBatch(ctx, a.batch()).Close(); err != nil {
		return vectorstore.Wrap(fmt.Sprintf("asking version %d", version.Version), err)
	}
	a.fallBack()
	return nil
}
