package answers

import (
	"context"
	"time"

	"recsys/shared/learn/model"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// retriever finds the candidates of records: pgvectorRetriever by an index, memoryRetriever among all items.
type retriever interface {
	// retrieve returns the candidates of each record of the batch, in its order. It costs one round trip.
	retrieve(ctx context.Context, batch batchQuery) ([]ranking.Candidates, error)
	// reasons fills in the reasons of the batch's answers.
	reasons(ctx context.Context, batch batchQuery, answers []activity.Answer) error
}

// recordQuery is what one record asks.
type recordQuery struct {
	record  *activity.Record
	session []activity.Product // the most telling first
	codes   codes              // of the session
	vector  []float32          // by the model, nil if it gives none
	related []int32            // the items that neighbours found, by their numbers
	listed  []string           // the items of its answer that a product may speak for
}

// batchQuery is what the records of a batch ask, and all that they share.
type batchQuery struct {
	records     []recordQuery
	version     vectorstore.ActiveVersion
	rules       ranking.Rules
	storedFirst bool // the stored vector goes before the model's
	now         time.Time
	depth       depth
	exact       bool // a further search reads all items instead of the index
}

// depth is how far a retrieval goes to find candidates that may be recommended.
type depth int

const (
	// overfetched finds some more than are wanted, each with the facts that the rules ask for.
	overfetched depth = iota
	// further leaves out in the search itself what may not be recommended, and goes on until it has enough.
	further
	// plain does no more than cannot fail: the session moves no vector, and the search ends after one pass through the index.
	plain
	// whole compares with all items and all neighbours, to tell how good the others are.
	whole
)

// sessionWeight returns how far the session moves a vector, 0 to 1.
func (q *batchQuery) sessionWeight() float64 {
	if q.depth == plain {
		return 0
	}
	return q.rules.SessionWeight
}

// trends reports whether trends are kept and recommended.
func (q *batchQuery) trends() bool { return q.rules.TrendingHalfLife > 0 && q.version.HasTrending }

// fetch returns how many candidates of a strategy a search is to find.
func (q *batchQuery) fetch(strategy activity.Strategy) int {
	if q.depth == overfetched {
		return q.rules.Fetch(strategy)
	}
	return q.rules.Wanted(strategy)
}

// recordQueries returns the queries of records, with the vectors that the model computes. The model may be nil.
func recordQueries(records []*activity.Record, m *model.Model, v vectorstore.ActiveVersion) ([]recordQuery, error) {
	vectors, err := modelVectors(records, m, v)
	if err != nil {
		return nil, err
	}
	queries := make([]recordQuery, len(records))
	for i, record := range records {
		queries[i] = newRecordQuery(record, vectors[i])
	}
	return queries, nil
}

func newRecordQuery(record *activity.Record, vector []float32) recordQuery {
	session := ranking.ByTelling(record.Products)
	return recordQuery{record: record, session: session, codes: codesOf(session), vector: vector}
}

// retrieveAll retrieves the candidates of a batch. The records that come short get one further search, all of them together.
func retrieveAll(ctx context.Context, r retriever, batch batchQuery) ([]ranking.Candidates, error) {
	found, err := r.retrieve(ctx, batch)
	if err != nil || batch.depth == plain {
		return found, err
	}
	places := shortOf(batch.rules, found)
	if len(places) == 0 {
		return found, nil
	}
	more := batch
	more.depth, more.records = further, nil
	var seen []ranking.Candidates
	for _, i := range places {
		more.records, seen = append(more.records, batch.records[i]), append(seen, found[i])
	}
	more.exact = exactIsCheaper(batch.rules, seen, batch.version.ItemCount)
	longer, err := r.retrieve(ctx, more)
	if err != nil {
		return nil, err
	}
	for k, i := range places {
		found[i] = longer[k]
	}
	return found, nil
}

// shortOf returns the places of the records that come short.
func shortOf(rules ranking.Rules, found []ranking.Candidates) (places []int) {
	for i := range found {
		if rules.Short(found[i]) {
			places = append(places, i)
		}
	}
	return places
}

// What a further search reads. It goes by the index until it has enough, or by all items.
const (
	// indexedRows is how many items the index reads for a record of which some candidates were allowed.
	indexedRows = 100
	// mostIndexedRows is how many it reads for a record of which nearly none were: hnsw.max_scan_tuples.
	mostIndexedRows = 20_000
	// fewAllowed is how many allowed candidates are nearly none.
	fewAllowed = 2
	// indexedCost is the cost of an item by the index, relative to one of all items.
	indexedCost = 10
)

// exactIsCheaper reports whether the further search of these records is to read all items instead of the index. So a few customers
// who have nearly everything are searched exactly, and a large catalogue is not read for a record that lacks one item.
func exactIsCheaper(rules ranking.Rules, short []ranking.Candidates, items int64) bool {
	var indexed int64
	for _, found := range short {
		rows := int64(indexedRows)
		for strategy, list := range found.Lists {
			if strategy.ByVector() && rules.CountAllowed(list.Items) < fewAllowed {
				rows = min(items, mostIndexedRows)
			}
		}
		indexed += rows
	}
	return items*int64(len(short)) <= indexed*indexedCost
}
