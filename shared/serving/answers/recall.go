package answers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// Sample measures how well the lists of a version whose neighbours rank are found by the index. It asks for the lists as Service
// does, of a version that need not be active, and leaves nothing out of them.
type Sample struct {
	pool      *pgxpool.Pool
	version   vectorstore.ActiveVersion
	customers []string
	k         int // length of a list
	exact     [][]string
}

const (
	// sampleTimeout bounds the search for a part of a sample.
	sampleTimeout = 5 * time.Minute
	// sampledAtOnce bounds the memory of the exact lists.
	sampledAtOnce = 20
)

// NewSample finds the exact lists of customers.
func NewSample(ctx context.Context, pool *pgxpool.Pool, v vectorstore.ActiveVersion, customers []string, k int) (*Sample, error) {
	v.HasCodes = false // no item is left out, not even one that is gone
	s := &Sample{pool: pool, version: v, customers: customers, k: k}
	var err error
	s.exact, err = s.lists(ctx, whole, v.EfSearch)
	return s, err
}

// Recall returns which part of the exact lists is found with this hnsw.ef_search, 0 to 1.
func (s *Sample) Recall(ctx context.Context, efSearch int) (float64, error) {
	found, err := s.lists(ctx, overfetched, efSearch)
	if err != nil {
		return 0, err
	}
	hits, wanted := 0, 0
	for i, exact := range s.exact {
		wanted += len(exact)
		for _, item := range exact {
			if slices.Contains(found[i], item) {
				hits++
			}
		}
	}
	if wanted == 0 {
		return 1, nil
	}
	return float64(hits) / float64(wanted), nil
}

func (s *Sample) lists(ctx context.Context, depth depth, efSearch int) (lists [][]string, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, vectorstore.Wrap("connecting to the vector database", err)
	}
	defer conn.Release()
	q := batchQuery{version: s.version, storedFirst: true, depth: depth, exact: depth == whole, rules: ranking.Rules{Metric: s.version.Metric}}
	q.rules.Limit, q.rules.IncludeRated, q.rules.IncludeSession, q.rules.IncludeOutOfStock = s.k, true, true, true
	q.version.EfSearch = efSearch
	for part := range slices.Chunk(s.customers, sampledAtOnce) {
		q.records = nil
		for _, customer := range part {
			q.records = append(q.records, newRecordQuery(&activity.Record{Customer: &customer}, nil))
		}
		p := &pgvectorRetriever{conn: conn, acquire: s.pool.Acquire, timeout: sampleTimeout, texts: &rendered{}, scales: map[*activity.Record]float64{}}
		found, err := p.retrieve(ctx, q)
		if err != nil {
			return nil, vectorstore.Wrap(fmt.Sprintf("measuring the lists of version %d", s.version.Version), err)
		}
		for _, f := range found {
			lists = append(lists, namesByVector(q.rules, f))
		}
	}
	return lists, nil
}

// namesByVector returns the list that the rungs by vector give.
func namesByVector(rules ranking.Rules, found ranking.Candidates) (names []string) {
	maps.DeleteFunc(found.Lists, func(strategy activity.Strategy, _ ranking.List) bool { return !strategy.ByVector() })
	for _, item := range rules.Answer(found).Recommended {
		names = append(names, item.ID)
	}
	return names
}
