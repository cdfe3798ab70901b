package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"recsys/shared/contract/shape"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
	"recsys/shared/stream/unpack"
)

// TestIndexServesTheQueries holds that every search of a batch against 10,000 items goes through the HNSW index. No search reads
// a table or the batch once for each record, because a statement is planned once for all batches.
func TestIndexServesTheQueries(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.wantIndex(w.load(largeShop()))
}

// wantIndex wants the version's index in the plan of every search.
func (w *world) wantIndex(number int64) {
	w.Helper()
	active, found, err := vectorstore.ReadActive(w.Context(), w.loader)
	if err != nil || !found {
		w.Fatal(found, err)
	}
	session := open(unpack.Part{Data: []byte(sessions(1)[0])})
	session.read(activity.FormOf(shape.OrLab(active.Shop)))
	options := w.handler.index.options
	options.TrendingItems = true
	q := batchQuery{version: active, rules: ranking.Rules{Ranking: options, Metric: active.Metric}, now: w.handler.now(),
		records: []recordQuery{newRecordQuery(&session.record, nil)}}
	for _, search := range []struct {
		depth depth
		exact bool
	}{{overfetched, false}, {further, false}, {further, true}, {plain, false}} {
		q.depth, q.exact = search.depth, search.exact
		for file, sql := range w.searches(q) {
			top, text := w.explain(sql)
			all := top.walk(nil, false)
			indexed := slices.ContainsFunc(all, func(p plan) bool { return p.Index == vectorstore.ItemIndex(number) })
			if byVector := file == "nearest.sql" || file == "similar.sql"; byVector && indexed == q.exact {
				w.Errorf("%s, %+v: the index is used: %t\n%s", file, search, indexed, text)
			}
			if !q.exact && slices.ContainsFunc(all, func(p plan) bool { return p.repeated && p.readsAll() }) {
				w.Errorf("%s, %+v: a table or the batch is read for each record\n%s", file, search, text)
			}
		}
	}
}

// searches returns the statements that a batch is searched by, by their files.
func (w *world) searches(q batchQuery) map[string]string {
	w.Helper()
	texts := rendered{}
	retriever := &pgvectorRetriever{texts: texts}
	rows := newRowReader(&q)
	sent := slices.Concat(retriever.recommended(&q, rows).QueuedQueries, retriever.similar(&q, rows).QueuedQueries)
	searches := map[string]string{}
	for key, text := range texts {
		if slices.ContainsFunc(sent, func(query *pgx.QueuedQuery) bool { return query.SQL == text }) {
			searches[key.file] = text
		}
	}
	if len(searches) != 4 {
		w.Errorf("%d searches, want nearest, similar, popular and trending", len(searches))
	}
	return searches
}

// TestExactIsCheaper weighs a further search by the index against reading all items.
func TestExactIsCheaper(t *testing.T) {
	candidates := func(allowed int) ranking.Candidates {
		items := make([]ranking.Candidate, 10)
		for i := range items {
			items[i].Rated = i >= allowed
		}
		return ranking.Candidates{Lists: map[activity.Strategy]ranking.List{activity.Model: {Items: items}}}
	}
	for _, c := range []struct {
		items    int64
		few      int // records of which nearly nothing is allowed
		some     int // records that lack an item
		cheaper  bool
		whatever string
	}{
		{20_000, 1, 0, true, "a customer who has nearly everything"},
		{20_000, 500, 0, true, "a batch of them"},
		{100_000, 3, 0, true, "in a large catalogue"},
		{1_000_000, 3, 0, false, "in a very large one"},
		{500, 0, 30, true, "one item is missing of a small catalogue"},
		{10_000, 0, 30, false, "one item is missing of a larger one"},
		{10_000, 1, 30, false, "for most records one item is missing"},
		{10_000, 20, 10, true, "for most records all are"},
		{0, 0, 1, true, "an empty version"},
	} {
		short := slices.Concat(slices.Repeat([]ranking.Candidates{candidates(1)}, c.few), slices.Repeat([]ranking.Candidates{candidates(4)}, c.some))
		if got := exactIsCheaper(ranking.Rules{}, short, c.items); got != c.cheaper {
			t.Errorf("%s: %t", c.whatever, got)
		}
	}
}

// TestStatementsRender renders every file, for a version of this release and for one of an earlier release.
func TestStatementsRender(t *testing.T) {
	entries, err := files.ReadDir("sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		for _, values := range []statement{
			{Version: 3, Operator: "<=>", Dimension: 4, Fetch: 5},
			{Version: 3, Operator: "<=>", Dimension: 4, Fetch: 5, HasCodes: true, SessionWeight: 0.3, ByDirection: true, AskRated: true, AskGone: true,
				AskSession: true, AskSoldOut: true, WithLines: true, Filtered: true, Exact: true, VectorlessOnly: true, By: byProduct, StoredFirst: true},
		} {
			texts := rendered{}
			if text := texts.text(entry.Name(), values); strings.Contains(text, "{{") || strings.Contains(text, "<no value>") {
				t.Errorf("%s: %s", entry.Name(), text)
			}
		}
	}
}

// plan is a node of EXPLAIN's answer.
type plan struct {
	Node     string `json:"Node Type"`
	Is       string `json:"Parent Relationship"`
	Index    string `json:"Index Name"`
	Relation string `json:"Relation Name"`
	CTE      string `json:"CTE Name"`
	Name     string `json:"Subplan Name"`
	Alias    string
	Filter   string
	Plans    []plan

	repeated bool // once for each row of something else
}

// walk adds the node and those below it.
func (p plan) walk(all []plan, repeated bool) []plan {
	p.repeated = repeated
	all = append(all, p)
	for _, below := range p.Plans {
		switch {
		case below.Is == "InitPlan", below.Is == "SubPlan" && strings.Contains(p.Filter, "hashed "+below.Name): // once
			all = below.walk(all, false)
		case below.Is == "SubPlan", below.Is == "Inner" && p.Node == "Nested Loop":
			all = below.walk(all, true)
		default:
			all = below.walk(all, repeated)
		}
	}
	return all
}

// readsAll tells of a scan of a table or of the batch.
func (p plan) readsAll() bool {
	return p.Node == "Seq Scan" || slices.Contains([]string{"q", "given", "asked", "found", "facts"}, p.CTE) || p.Node == "Function Scan" && p.Alias == "a"
}

// explain is the plan of a query that the handler's connections use, whatever its parameters are.
func (w *world) explain(sql string) (top plan, text string) {
	w.Helper()
	conn, err := w.handler.index.pool.Acquire(w.Context())
	w.Must(err)
	defer conn.Release()
	// Past pgx, which would want the parameters.
	results, err := conn.Conn().PgConn().Exec(w.Context(), "explain (generic_plan, format json) "+sql).ReadAll()
	w.Must(err)
	text = string(results[0].Rows[0][0])
	var answer []struct{ Plan plan }
	w.Must(json.Unmarshal([]byte(text), &answer))
	return answer[0].Plan, text
}
