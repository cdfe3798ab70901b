package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/serving/answers"
	"recsys/shared/store/vectorstore"
)

const (
	// neighbours is the k of recall@k.
	neighbours = 10
	// defaultEfSearch is pgvector's own default: right where the planner scans sequentially, which is exact.
	defaultEfSearch = 40
	// indexServes is the number of items from which the planner takes the index. From there on, measuring forces it.
	indexServes = 1000
)

// ladder is the settings of hnsw.ef_search that are tried, ascending up to pgvector's maximum.
var ladder = []int{20, 40, 80, 160, 320, 640, 1000}

// rung is the recall at one setting.
type rung struct {
	efSearch int
	recall   float64
	blended  bool // of the customers' lists with neighbours, see answers.Sample
}

// measurement is the steps that were tried, the last of them the best.
type measurement struct {
	sequential bool // no index takes part: exact, not measured
	steps      []rung
}

func (m measurement) best() rung { return m.steps[len(m.steps)-1] }

func (m measurement) String() string {
	var text []string
	for _, s := range m.steps {
		of := ""
		if s.blended {
			of = " of the lists with neighbours"
		}
		text = append(text, fmt.Sprintf("%.4f%s at ef_search=%d", s.recall, of, s.efSearch))
	}
	return strings.Join(text, ", ")
}

// measure compares the index's answers with exact search's, for a sample of items and users, and climbs the
// ladder until the target is reached. The sample is the same for the same version: ordered by a hash of ids.
// An item does not count as its own neighbour. Recall is counted by distance, since of items that lie equally far
// either is right: the part of the wanted neighbours that are as near as exact search's last one.
func measure(ctx context.Context, db *pgxpool.Pool, version vectorstore.Record, queries int, target float64) (m measurement, err error) {
	doing := fmt.Sprintf("measuring the recall of version %d", version.Version)
	tx, err := db.Begin(ctx)
	if err != nil {
		return m, vectorstore.Wrap(doing, err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) // the sample goes with it
	arms := arms{tx: tx, version: version}
	indexed, err := arms.planned(ctx)
	if err != nil {
		return m, vectorstore.Wrap(doing, err)
	}
	if !indexed && version.ItemCount < indexServes {
		return measurement{true, []rung{{efSearch: defaultEfSearch, recall: 1}}}, nil
	}
	if err := arms.exact(ctx, queries); err != nil {
		return m, vectorstore.Wrap(doing, err)
	}
	for _, efSearch := range ladder {
		recall, err := arms.approximate(ctx, efSearch)
		if err != nil {
			return m, vectorstore.Wrap(doing, err)
		}
		m.steps = append(m.steps, rung{efSearch: efSearch, recall: recall})
		if recall >= target {
			break
		}
	}
	return m, nil
}

// measureBlend goes on for a version whose neighbours rank next to the vectors: hnsw.ef_search also says how many candidates the vectors
// and the neighbours bring. It climbs on from the last step until the customers' lists reach the target, too.
func (m *measurement) measureBlend(ctx context.Context, db *pgxpool.Pool, version vectorstore.Record, queries int, target float64) error {
	if version.BlendKind == "" || version.BlendBeta == 0 || m.best().recall < target {
		return nil
	}
	rows, err := db.Query(ctx, fmt.Sprintf(`select id::text from %s order by md5(id::text), id limit %d`, vectorstore.UserTable(version.Version), (queries+1)/2))
	if err != nil {
		return vectorstore.Wrap("drawing customers", err)
	}
	customers, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return vectorstore.Wrap("drawing customers", err)
	}
	sample, err := answers.NewSample(ctx, db, vectorstore.ActiveVersion{Version: version.Version, Dimension: version.Dimension, Metric: version.Metric,
		ItemCount: version.ItemCount, HasShop: true, Shop: version.Shop, BlendKind: version.BlendKind, BlendBeta: version.BlendBeta}, customers, neighbours)
	if err != nil {
		return err
	}
	for _, efSearch := range ladder {
		if efSearch < m.best().efSearch {
			continue
		}
		recall, err := sample.Recall(ctx, efSearch)
		if err != nil {
			return err
		}
		m.steps = append(m.steps, rung{efSearch, recall, true})
		if recall >= target {
			break
		}
	}
	return nil
}

// arms are the two ways to search, in one transaction.
type arms struct {
	tx      pgx.Tx
	version vectorstore.Record
}

// nearest is the k nearest items of each query but itself: a row (query, distance) each.
func (a arms) nearest(from string) string {
	return fmt.Sprintf(`select q.query, near.distance from %s as q cross join lateral (
		select i.embedding %[2]s q.embedding as distance from %s as i where i.id is distinct from q.item
		order by i.embedding %[2]s q.embedding limit %[4]d) as near`,
		from, a.version.Metric.Operator(), vectorstore.ItemTable(a.version.Version), neighbours)
}

// planned tells whether the planner takes the index when it is free to choose.
func (a arms) planned(ctx context.Context) (bool, error) {
	one := fmt.Sprintf(`(select 0 as query, id as item, embedding from %s limit 1)`, vectorstore.ItemTable(a.version.Version))
	return a.usesIndex(ctx, a.nearest(one))
}

// exact draws the sample and finds its true neighbours, having seen that no index takes part.
func (a arms) exact(ctx context.Context, queries int) error {
	sample := fmt.Sprintf(`create temporary table recall_query on commit drop as
		select row_number() over () as query, item, embedding from (
			(select id as item, embedding from %s order by md5(id), id limit %d) union all
			(select null, embedding from %s order by md5(id::text), id limit %d)) as sample`,
		vectorstore.ItemTable(a.version.Version), (queries+1)/2, vectorstore.UserTable(a.version.Version), queries/2)
	if err := a.run(ctx, sample, `analyze recall_query`, `set local enable_indexscan = off`); err != nil {
		return err
	}
	search := `select query, max(distance) as farthest, count(*) as wanted from (` + a.nearest("recall_query") + `) as found group by query`
	used, err := a.usesIndex(ctx, search)
	if err != nil {
		return err
	}
	if used {
		return fmt.Errorf("the exact search is planned with the index: it would measure nothing")
	}
	return a.run(ctx, `create temporary table recall_exact on commit drop as `+search,
		`set local enable_indexscan = on`, `set local enable_seqscan = off`)
}

// approximate is the recall at this ef_search, having seen that the index takes part.
func (a arms) approximate(ctx context.Context, efSearch int) (recall float64, err error) {
	if _, err := a.tx.Exec(ctx, `select set_config('hnsw.ef_search', $1, true)`, strconv.Itoa(efSearch)); err != nil {
		return 0, err
	}
	search := `select count(*) filter (where found.distance <= exact.farthest)::float8 / (select sum(wanted) from recall_exact)::float8
		from (` + a.nearest("recall_query") + `) as found join recall_exact as exact using (query)`
	used, err := a.usesIndex(ctx, search)
	if err != nil {
		return 0, err
	}
	if !used {
		return 0, fmt.Errorf("the approximate search is planned without the index %s", vectorstore.ItemIndex(a.version.Version))
	}
	err = a.tx.QueryRow(ctx, search).Scan(&recall)
	return recall, err
}

// usesIndex asks the planner.
func (a arms) usesIndex(ctx context.Context, search string) (bool, error) {
	var plan []byte
	if err := a.tx.QueryRow(ctx, `explain (format json, costs off) `+search).Scan(&plan); err != nil {
		return false, err
	}
	var nodes any
	if err := json.Unmarshal(plan, &nodes); err != nil {
		return false, fmt.Errorf("reading a plan: %w", err)
	}
	return mentions(nodes, vectorstore.ItemIndex(a.version.Version)), nil
}

// mentions looks for an index's name in a plan's nodes.
func mentions(node any, index string) bool {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			if mentions(child, index) {
				return true
			}
		}
	case map[string]any:
		if node["Index Name"] == index {
			return true
		}
		for _, child := range node {
			if mentions(child, index) {
				return true
			}
		}
	}
	return false
}

func (a arms) run(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := a.tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
