package answers

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pgvector/pgvector-go"
	"golang.org/x/sync/errgroup"

	"recsys/shared/learn/blend"
	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// memoryRetriever compares each record with all items of a catalogue, so its lists are exact. PostgreSQL gives it in one trip what
// changes from day to day: the customers' vectors and histories, the stock, popular and trending items.
type memoryRetriever struct {
	conn      *pgxpool.Conn
	timeout   time.Duration
	texts     *rendered
	catalogue *catalogue
	asked     map[*activity.Record]asker // for reasons
}

// asker is a record as the search sees it. Items are places in the catalogue.
type asker struct {
	strategy activity.Strategy
	vector   []float32 // moved by the session, nil if there is none
	spelled  []string  // the session as the shop spells it
	session  []int32   // the known products, the most telling first
	rated    []int32   // not recommended again
	seen     []int32   // the rest of the customer's history
	first    int32     // the most telling known product, -1 if there is none
}

// retrieve implements retriever.
func (m *memoryRetriever) retrieve(ctx context.Context, q batchQuery) ([]ranking.Candidates, error) {
	rows, askers := newRowReader(&q), make([]asker, len(q.records))
	shelf := m.catalogue.shelf.Load()
	batch := &pgx.Batch{}
	batch.Queue("begin isolation level repeatable read read only")
	m.queueCustomers(batch, &q, askers)
	queueVectorless(batch, m.texts, &q, rows)
	if shelf == nil || shelf.snapshot != q.version.Snapshot {
		shelf = m.catalogue.newShelf(q.version.Snapshot)
		batch.Queue(m.texts.text("shelf.sql", q.statement())).Query(func(rows pgx.Rows) error { return m.catalogue.stock(shelf, rows) })
	}
	batch.Queue("commit")
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	if err := m.conn.SendBatch(ctx, batch).Close(); err != nil {
		return nil, &searchError{[]error{err}, m.conn.Conn().IsClosed()}
	}
	m.catalogue.shelf.Store(shelf)
	found := rows.candidates()
	for i := range askers {
		m.asked[q.records[i].record] = askers[i]
	}
	m.search(&q, shelf, askers, found)
	return found, nil
}

// stock reads rows of item, sold out, gone and line into a shelf.
func (c *catalogue) stock(into *shelf, rows pgx.Rows) error {
	var item, line string
	var soldOut, gone bool
	_, err := pgx.ForEachRow(rows, []any{&item, &soldOut, &gone, &line}, func() error {
		if place, known := c.places[item]; known {
			into.soldOut[place], into.gone[place], into.lines[place] = soldOut, gone, line
		}
		return nil
	})
	return err
}

func (m *memoryRetriever) queueCustomers(batch *pgx.Batch, q *batchQuery, askers []asker) {
	values := q.statement()
	values.By = byCustomer
	places := q.places(everyRecord)
	batch.Queue(m.texts.text("customers.sql", values), q.arguments(byCustomer, places)...).Query(func(rows pgx.Rows) error {
		var record int
		var stored *pgvector.Vector
		var session, rated, seen []string
		_, err := pgx.ForEachRow(rows, []any{&record, &session, &stored, &rated, &seen}, func() error {
			askers[record] = m.catalogue.asker(q, &q.records[record], session, stored)
			askers[record].rated, askers[record].seen = m.catalogue.known(rated), m.catalogue.known(seen)
			return nil
		})
		return err
	})
}

// known returns the places of the items that the catalogue has, in the order of their ids.
func (c *catalogue) known(ids []string) []int32 {
	places := make([]int32, 0, len(ids))
	for _, id := range ids {
		if place, known := c.places[id]; known {
			places = append(places, place)
		}
	}
	return places
}

// searchedAtOnce is how many records are compared with an item while it is in the processor's cache.
const searchedAtOnce = 64

// mostScores bounds the scores that are held for them.
const mostScores = 4 << 20

// search fills in the candidates that vectors and neighbours find.
func (m *memoryRetriever) search(q *batchQuery, shelf *shelf, askers []asker, found []ranking.Candidates) {
	var parts errgroup.Group
	parts.SetLimit(runtime.GOMAXPROCS(0))
	atOnce := max(1, min(searchedAtOnce, mostScores/max(1, len(m.catalogue.ids))))
	for from := 0; from < len(askers); from += atOnce {
		to := min(from+atOnce, len(askers))
		parts.Go(func() error {
			s := m.catalogue.searcher(q, shelf)
			defer m.catalogue.idle.Put(s)
			s.recommended(askers[from:to], found[from:to])
			s.similar(askers[from:to], found[from:to])
			return nil
		})
	}
	_ = parts.Wait() // no part fails
}

// searcher searches for a few records.
type searcher struct {
	*catalogue
	q      *batchQuery
	shelf  *shelf
	facts  statement
	scores []float32 // a row a record
	barred []int32   // by item: the last record that may not get it
	record int32     // counts the lists of all batches, from 1
	best   []scored
}

// scored is an item of a catalogue with its score.
type scored struct {
	place int32
	score float32
}

// mostRecords is far below the largest int32, to which a searcher may count.
const mostRecords = 1 << 30

// searcher returns one that is idle, or a new one. Its memory is the largest part of a search.
func (c *catalogue) searcher(q *batchQuery, shelf *shelf) *searcher {
	s, _ := c.idle.Get().(*searcher)
	if s == nil {
		s = &searcher{catalogue: c, barred: make([]int32, len(c.ids))}
	}
	if s.record > mostRecords {
		clear(s.barred)
		s.record = 0
	}
	s.q, s.shelf, s.facts = q, shelf, q.statement()
	return s
}

// rows makes room for the scores of n records.
func (s *searcher) rows(n int) []float32 {
	s.scores = slices.Grow(s.scores[:0], n*len(s.ids))[:n*len(s.ids)]
	return s.scores
}

// recommended searches for the items that fit each record's vector and history best.
func (s *searcher) recommended(askers []asker, found []ranking.Candidates) {
	vectors, histories := make([][]float32, len(askers)), make([][]int32, len(askers))
	for i := range askers {
		vectors[i] = askers[i].vector
		if s.scorer.Blends() {
			histories[i] = askers[i].history()
		}
	}
	s.scorer.Score(s.rows(len(askers)), vectors, histories)
	for i := range askers {
		if a := &askers[i]; a.vector != nil || len(histories[i]) > 0 {
			s.bar(a)
			if list := s.candidates(i, a, s.q.rules.Wanted(a.strategy)); len(list) > 0 {
				found[i].Lists[a.strategy] = ranking.List{Items: list}
			}
		}
	}
}

// history returns the items whose neighbours count, in ascending order: the session's and those of the customer. Of a long history
// the first count, as in package blend.
func (a *asker) history() []int32 {
	own := slices.Concat(a.rated, a.seen)
	slices.Sort(own)
	all := slices.Concat(blend.Counted(slices.Compact(own)), a.session)
	slices.Sort(all)
	return slices.Compact(all)
}

// similar searches for the items nearest to each record's most telling product.
func (s *searcher) similar(askers []asker, found []ranking.Candidates) {
	var vectors [][]float32
	var of []int
	for i := range askers {
		if first := askers[i].first; first >= 0 {
			vectors, of = append(vectors, s.vector(first)), append(of, i)
		}
	}
	s.scorer.ScoreVectors(s.rows(len(vectors)), vectors)
	for k, i := range of {
		a := &askers[i]
		s.bar(a)
		s.barred[a.first] = s.record
		found[i].SimilarTo = s.ids[a.first]
		found[i].Similar.Items = s.near(k, vectors[k], s.q.rules.Limit)
	}
}

// bar begins with a record: its own items are barred from the lists, as the rules say.
func (s *searcher) bar(a *asker) {
	s.record++
	if s.facts.AskRated {
		for _, place := range a.rated {
			s.barred[place] = s.record
		}
	}
	if s.facts.AskSession {
		for _, place := range a.session {
			s.barred[place] = s.record
		}
	}
}

// allows is ranking.Rules.Allows for a place.
func (s *searcher) allows(place int32) bool {
	return s.barred[place] != s.record && !(s.facts.AskGone && s.shelf.gone[place]) && !(s.facts.AskSoldOut && s.shelf.soldOut[place])
}

// top returns the n allowed items of a row with the highest scores, best first. Of equal ones the lower ids come first.
func (s *searcher) top(row []float32, n int) []scored {
	best := s.best[:0]
	least := float32(0) // the lowest score that counts, once there are n
	for i, score := range row {
		if len(best) == n && score < least || !finite(float64(score)) {
			continue
		}
		item := scored{int32(i), score}
		if len(best) == n && !s.before(item, best[n-1]) || !s.allows(item.place) {
			continue
		}
		if len(best) < n {
			best = append(best, item)
		}
		at := len(best) - 1
		for ; at > 0 && s.before(item, best[at-1]); at-- {
			best[at] = best[at-1]
		}
		best[at] = item
		least = best[len(best)-1].score
	}
	s.best = best
	return best
}

func (s *searcher) before(a, b scored) bool {
	return a.score > b.score || a.score == b.score && s.ids[a.place] < s.ids[b.place]
}

// candidates returns the best items of a record's row. Without a vector, an item for which no neighbour speaks is none.
func (s *searcher) candidates(row int, a *asker, n int) []ranking.Candidate {
	best := s.top(s.row(row), n)
	list := make([]ranking.Candidate, len(best))
	for i, item := range best {
		if a.vector == nil && item.score <= 0 {
			return list[:i]
		}
		list[i] = ranking.Candidate{ID: s.ids[item.place], Value: -float64(item.score), Line: s.shelf.lines[item.place]}
		if !s.scorer.Blends() {
			list[i].Value = s.distance(a.vector, item.place, item.score)
		}
	}
	return list
}

// near returns the items nearest to a vector, whose row it is.
func (s *searcher) near(row int, vector []float32, n int) []ranking.Candidate {
	best := s.top(s.row(row), n)
	list := make([]ranking.Candidate, len(best))
	for i, item := range best {
		list[i] = ranking.Candidate{ID: s.ids[item.place], Value: s.distance(vector, item.place, item.score)}
	}
	return list
}

func (s *searcher) row(i int) []float32 { return s.scores[i*len(s.ids):][:len(s.ids)] }
