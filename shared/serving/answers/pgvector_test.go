package answers

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/infra/local/testbed/postgrestest"
	"recsys/infra/local/testbed/versiontest"
	servers "recsys/infra/local/testbed/world"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

const artifactsBucket = "ml-artifacts"

// world is a vector database, and a service that reads it.
type world struct {
	*servers.World
	loader    *pgxpool.Pool
	artifacts *objectstore.Store
	service   *Service
}

func setup(t testing.TB) *world {
	t.Helper()
	w := &world{World: servers.New(t, postgrestest.ForTest(t))}
	w.loader = w.Pool(vectorstore.LoaderRole)
	w.Must(w.S3.CreateBucket(artifactsBucket))
	w.artifacts = objectstore.New(awss3.New(awss3.Options{BaseEndpoint: aws.String(w.S3.URL()), Region: "eu-central-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("answers", "local", "answers/1")}), artifactsBucket)
	s := settings.Default[settings.Recommend]()
	s.URL = w.URL(vectorstore.ReaderRole)
	pool, err := vectorstore.Connect(t.Context(), vectorstore.Config{VectorStore: s.VectorStore, Application: "answers",
		StatementTimeout: s.DatabaseTimeout, LockTimeout: time.Second, MaxConns: 4, Repeating: true})
	w.Must(err)
	t.Cleanup(pool.Close)
	w.service = New(pool, w.artifacts, s.Ranking, s.DatabaseTimeout)
	return w
}

// TestIndexServesTheQueries holds that every search of a batch against 10,000 items goes through the HNSW index. No search reads
// a table or the batch once for each record, because a statement is planned once for all batches.
func TestIndexServesTheQueries(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for name, v := range map[string]versiontest.Version{"each customer has a little": versiontest.LargeShop(), "some have nearly everything": withEverything(versiontest.LargeShop())} {
		number := versiontest.Load(w, w.loader, nil, v)
		t.Run(name, func(t *testing.T) { w.wantIndex(t, number) })
	}
}

// withEverything gives ten customers 95 % of the items.
func withEverything(v versiontest.Version) versiontest.Version {
	place := 0
	for item := range v.Items {
		if place++; place%20 != 0 {
			for customer := range int32(10) {
				v.Rated = append(v.Rated, []any{2000 + customer, item})
			}
		}
	}
	return v
}

// wantIndex wants the version's index in the plan of every search.
func (w *world) wantIndex(t *testing.T, number int64) {
	t.Helper()
	active, found, err := vectorstore.ReadActive(t.Context(), w.loader)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	record, err := activity.Parse([]byte(`{"session_id":"s","customer_number":7,"browse_history":[{"product_code":"item-00001","in_shopping_cart":true},{"product_code":"item-00002","quantity":3}]}`),
		activity.FormOf(shape.OrLab(active.Shop)))
	w.Must(err)
	options := w.service.Options
	options.TrendingItems = true
	q := batchQuery{version: active, rules: ranking.Rules{Ranking: options, Metric: active.Metric}, now: time.Unix(1_800_000_000, 0),
		records: []recordQuery{newRecordQuery(&record, nil)}}
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
				t.Errorf("%s, %+v: the index is used: %t\n%s", file, search, indexed, text)
			}
			if !q.exact && slices.ContainsFunc(all, func(p plan) bool { return p.repeated && p.readsAll() }) {
				t.Errorf("%s, %+v: a table or the batch is read for each record\n%s", file, search, text)
			}
		}
	}
}

// searches returns the statements that a batch is searched by, by their files.
func (w *world) searches(q batchQuery) map[string]string {
	w.Helper()
	texts := &rendered{}
	retriever := &pgvectorRetriever{texts: texts}
	rows := newRowReader(&q)
	recommended, _ := retriever.recommended(&q, rows)
	sent := slices.Concat(recommended.QueuedQueries, retriever.similar(&q, rows).QueuedQueries)
	searches := map[string]string{}
	for key, text := range texts.texts {
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
			texts := &rendered{}
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
	conn, err := w.service.pool.Acquire(w.Context())
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

// TestWhichVectorGoesFirst: a model that is for unseen customers answers those alone that have no vector.
func TestWhichVectorGoesFirst(t *testing.T) {
	w := setup(t)
	versiontest.Load(w, w.loader, nil, versiontest.Small())
	active, _, err := vectorstore.ReadActive(t.Context(), w.loader)
	w.Must(err)
	conn, err := w.service.pool.Acquire(t.Context())
	w.Must(err)
	defer conn.Release()
	for storedFirst, want := range map[bool]string{true: "stored-vector item-010, model item-050", false: "model item-050, model item-050"} {
		batch := batchQuery{version: active, rules: ranking.Rules{Ranking: w.service.Options, Metric: active.Metric}, storedFirst: storedFirst}
		for _, in := range []string{`{"customer_number":103}`, `{"customer_number":104}`} {
			record, err := activity.Parse([]byte(in), activity.FormOf(shape.Lab))
			w.Must(err)
			batch.records = append(batch.records, newRecordQuery(&record, versiontest.Direction(0.5, 4)))
		}
		found, err := retrieveAll(t.Context(), &pgvectorRetriever{conn: conn, acquire: w.service.acquire, timeout: w.service.timeout, texts: w.service.texts}, batch)
		w.Must(err)
		var got []string
		for _, answer := range answers(batch.rules, active, found) {
			got = append(got, string(answer.Recommendation.Strategy)+" "+answer.Recommended[0].ID)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("stored first %t: %v, want %s", storedFirst, got, want)
		}
	}
}
