package answers

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// pgvectorRetriever retrieves from PostgreSQL with pgvector. Two connections search at the same time, so that two of the
// database's cores work: one for recommended items and one for similar ones. Each sees one state of the shop.
type pgvectorRetriever struct {
	conn    *pgxpool.Conn
	acquire func(context.Context) (*pgxpool.Conn, error) // the second connection
	timeout time.Duration
	texts   *rendered
	scales  map[*activity.Record]float64 // of the records' vectors, see scalesOf
}

// searchError is the error of the searches of a round trip.
type searchError struct {
	errs []error
	lost bool // a connection is gone
}

func (e *searchError) Error() string   { return errors.Join(e.errs...).Error() }
func (e *searchError) Unwrap() []error { return e.errs }

// retrieve implements retriever.
func (p *pgvectorRetriever) retrieve(ctx context.Context, q batchQuery) ([]ranking.Candidates, error) {
	rows := newRowReader(&q)
	recommended, neighbours := p.recommended(&q, rows)
	similar := p.similar(&q, rows)
	var second *pgxpool.Conn
	if similar != nil {
		var err error
		if second, err = p.acquire(ctx); err != nil {
			return nil, err
		}
		defer second.Release()
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	var failed [2]error // a search that fails does not end the other one, because that would cost its connection
	var searches sync.WaitGroup
	searches.Go(func() { failed[0] = p.conn.SendBatch(ctx, recommended).Close() })
	if similar != nil {
		searches.Go(func() { failed[1] = second.SendBatch(ctx, similar).Close() })
	}
	searches.Wait()
	if failed[0] == nil && failed[1] == nil && neighbours != nil {
		failed[0] = p.blend(ctx, q, rows, neighbours)
	}
	if failed[0] == nil && failed[1] == nil {
		return rows.candidates(), nil
	}
	lost := p.conn.Conn().IsClosed() || second != nil && second.Conn().IsClosed()
	return nil, &searchError{slices.DeleteFunc(failed[:], func(err error) bool { return err == nil }), lost}
}

// recommended is the searches for items to recommend, a statement for each way to find them. Each batch has all of them, also if
// no record needs one, so that a connection prepares a version's statements with its first batch. The neighbourhood is nil if the
// vectors rank alone.
func (p *pgvectorRetriever) recommended(q *batchQuery, rows *rowReader) (batch *pgx.Batch, n *neighbourhood) {
	batch = begin(q, q.fetchNearest())
	p.queueNearest(batch, q, rows)
	if q.blends() {
		n = p.queueNeighbours(batch, q)
	}
	queueVectorless(batch, p.texts, q, rows)
	batch.Queue("commit")
	return batch, n
}

// similar is the search for items that are similar to the sessions' products, nil if there are no products.
func (p *pgvectorRetriever) similar(q *batchQuery, rows *rowReader) *pgx.Batch {
	places := q.places(func(r recordQuery) bool { return len(r.session) > 0 })
	if len(places) == 0 {
		return nil
	}
	values := q.statement()
	values.By, values.Exact, values.Fetch = byProduct, q.exact, q.fetchSimilar()
	batch := begin(q, values.Fetch)
	queue(batch, p.texts, q, "similar.sql", values, places).Query(rows.similar)
	batch.Queue("commit")
	return batch
}

// begin starts a transaction that sees one state of the shop, and in which the index finds as many items as are fetched.
func begin(q *batchQuery, fetch int) *pgx.Batch {
	// At least one more than is fetched, because similar items leave one out. 1,000 is pgvector's largest.
	efSearch := min(max(q.version.EfSearch, fetch+1), 1000)
	// Since pgvector 0.8, a scan that a filter leaves short can go on. In relaxed order it leaves nothing out on its way.
	iterative := "off"
	if q.depth == further {
		iterative = "relaxed_order"
	}
	batch := &pgx.Batch{}
	batch.Queue("begin isolation level repeatable read read only")
	batch.Queue(`select set_config('hnsw.ef_search', $1::text, true), (select set_config('hnsw.iterative_scan', $2::text, true)
		from pg_extension where extname = 'vector' and string_to_array(extversion, '.')::int[] >= '{0,8}')`, strconv.Itoa(efSearch), iterative)
	return batch
}

// queue adds the statement in a file, for the records at these places. More parameters follow those of the records.
func queue(batch *pgx.Batch, texts *rendered, q *batchQuery, file string, values statement, places []int, more ...any) *pgx.QueuedQuery {
	return batch.Queue(texts.text(file, values), append(q.arguments(values.By, places), more...)...)
}

func (p *pgvectorRetriever) queueNearest(batch *pgx.Batch, q *batchQuery, rows *rowReader) {
	values := q.statement()
	values.By, values.Exact, values.Fetch = byVector, q.exact, q.fetchNearest()
	values.WithLines = q.rules.Diversity > 0 && q.version.HasShop
	queue(batch, p.texts, q, "nearest.sql", values, q.places(everyRecord)).Query(rows.recommended)
}

// queueVectorless adds the searches that go by no vector, for the records that may need them.
func queueVectorless(batch *pgx.Batch, texts *rendered, q *batchQuery, rows *rowReader) {
	// The model's vector always leads to items. Other records may turn out to have no vector.
	vectorless, all := q.places(func(r recordQuery) bool { return r.vector == nil }), q.places(everyRecord)
	if q.depth != overfetched {
		vectorless = all
	}
	queuePopular(batch, texts, q, rows, vectorless)
	if q.trends() && q.rules.TrendingItems {
		queueTrending(batch, texts, q, rows, all, false)
	} else if q.trends() {
		queueTrending(batch, texts, q, rows, vectorless, q.depth == overfetched)
	}
}

func queuePopular(batch *pgx.Batch, texts *rendered, q *batchQuery, rows *rowReader, places []int) {
	values := q.statement()
	values.By, values.Fetch, values.VectorlessOnly = byGroup, q.fetch(activity.Popular), q.depth == overfetched
	queue(batch, texts, q, "popular.sql", values, places).Query(rows.recommended)
}

func queueTrending(batch *pgx.Batch, texts *rendered, q *batchQuery, rows *rowReader, places []int, vectorlessOnly bool) {
	values := q.statement()
	values.By, values.Fetch, values.VectorlessOnly = byGroup, q.fetch(activity.Trending), vectorlessOnly
	queue(batch, texts, q, "trending.sql", values, places, q.now).Query(rows.recommended)
}

// fetchSimilar returns how many similar items a search is to find.
func (q *batchQuery) fetchSimilar() int {
	if q.depth == overfetched {
		return q.rules.Fetch(activity.Popular) // without diversity
	}
	return q.rules.Limit
}
