package answers

import (
	"math"

	"github.com/jackc/pgx/v5"

	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// rowReader builds the candidates of a batch from the rows of its statements. recommended and similar may run at the same
// time, because they fill different fields.
type rowReader struct {
	batch *batchQuery
	found []ranking.Candidates
}

func newRowReader(q *batchQuery) *rowReader {
	r := &rowReader{q, make([]ranking.Candidates, len(q.records))}
	for i := range r.found {
		r.found[i].Lists = make(map[activity.Strategy]ranking.List, 1)
	}
	return r
}

// recommended reads rows of record, strategy, item, value and facts.
func (r *rowReader) recommended(rows pgx.Rows) error {
	var record int
	var strategy string
	var c ranking.Candidate
	_, err := pgx.ForEachRow(rows, []any{&record, &strategy, &c.ID, &c.Value, &c.Rated, &c.InSession, &c.SoldOut, &c.Gone, &c.Line}, func() error {
		named, err := activity.ParseStrategy(strategy)
		if err != nil {
			return err
		}
		if finite(c.Value) {
			lists := r.found[record].Lists
			list := lists[named]
			if list.Items == nil {
				list.Items = make([]ranking.Candidate, 0, r.batch.fetch(named))
			}
			list.Items = append(list.Items, c)
			lists[named] = list
		}
		return nil
	})
	return err
}

// similar reads rows of record, product, item, distance and facts. The item is null if there is none.
func (r *rowReader) similar(rows pgx.Rows) error {
	var record int
	var product string
	var id *string
	var distance *float64
	var c ranking.Candidate
	_, err := pgx.ForEachRow(rows, []any{&record, &product, &id, &distance, &c.Rated, &c.InSession, &c.SoldOut, &c.Gone, &c.Line}, func() error {
		found := &r.found[record]
		found.SimilarTo = product
		if id != nil && finite(*distance) {
			c.ID, c.Value = *id, *distance
			found.Similar.Items = append(found.Similar.Items, c)
		}
		return nil
	})
	return err
}

// candidates returns what the rows hold, and marks the lists that do not hold all items.
func (r *rowReader) candidates() []ranking.Candidates {
	items := r.batch.version.ItemCount
	for i := range r.found {
		found := &r.found[i]
		for strategy, list := range found.Lists {
			if strategy.ByVector() {
				list.Cut = int64(len(list.Items)) < items
			} else {
				list.Cut = len(list.Items) >= r.batch.fetch(strategy)
			}
			found.Lists[strategy] = list
		}
		found.Similar.Cut = int64(len(found.Similar.Items)) < items-1
	}
	return r.found
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
