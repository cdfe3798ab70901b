package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/pgwire"
	"recsys/shared/contract/lake"
)

// Executions that overlap, in every order in which they can end: readers see one whole snapshot and one whole
// version, those of the newer run.
func TestOverlappingExecutions(t *testing.T) {
	t.Parallel()
	p, proxy := startRouted(t, func(c *Config) {
		c.SourceSQL = []string{looseShop(t, called("a"), called("old"), called("new"))}
		c.Options.RowsPerRange = 500
	})
	first := newHandOver("a", 8, 1)
	upload(t, p, first.files)
	t.Run("both at once", func(t *testing.T) { bothAtOnce(t, p) })
	wantWhole(t, p, "at-once-2", first)

	pointer := func(g *gate) { p.S3.SetHooks(awscall.Hooks{Before: at("PutObject", lake.LatestKey, g)}) }
	table := func(g *gate) { p.Glue.SetHooks(awscall.Hooks{Before: at("UpdateTable", "", g)}) }
	for i, c := range []struct {
		name string
		hold func(*gate)
	}{
		{"older held before its pointer", pointer},
		{"older held before its Glue table", table},
	} {
		t.Run(c.name, func(t *testing.T) {
			gate := newGate(t)
			c.hold(gate)
			older, newer := fmt.Sprintf("pointer-%d-older", i), fmt.Sprintf("pointer-%d-newer", i)
			wait := begin(t, p, older, 10+2*i, trainingData)
			gate.wait(t)
			if out, failed := execute(t, p, newer, 11+2*i, trainingData); failed != nil || out.TrainingData.Status != "published" {
				t.Errorf("the newer run: %+v, %v", out, failed)
			}
			gate.open()
			if out, err := wait(); err != nil || out.TrainingData.Status != "superseded" {
				t.Errorf("the older run: %+v, %v", out, err)
			}
			wantWhole(t, p, newer, first)
		})
	}

	for i, c := range []struct {
		name   string
		hold   func(*gate) pgwire.Hooks
		upload string // status of the older run's upload
		index  string // and of its index
	}{
		{"older held after its index", func(g *gate) pgwire.Hooks { return pgwire.Hooks{AfterCommit: commits("vector-index", g)} }, "uploaded", "superseded"},
		{"older held within its index", func(g *gate) pgwire.Hooks { return pgwire.Hooks{BeforeCommit: commits("vector-index", g)} }, "uploaded", "superseded"},
		{"older held within its load", func(g *gate) pgwire.Hooks { return pgwire.Hooks{AfterCommit: commits("embedding-upload", g)} }, "unchanged", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			gate := newGate(t)
			proxy.SetHooks(c.hold(gate))
			upload(t, p, newHandOver("old", 8, uint64(10+i)).files)
			waitOlder := begin(t, p, fmt.Sprintf("version-%d-older", i), 20+2*i, embeddings)
			gate.wait(t)
			next := newHandOver("new", 16, uint64(20+i))
			upload(t, p, next.files)
			newer := fmt.Sprintf("version-%d-newer", i)
			waitNewer := begin(t, p, newer, 21+2*i, embeddings)
			// It need not end before: it may wait half a minute for locks of the older run, to drop its tables.
			testbed.Eventually(t, "the newer run's version is active", func() (active bool) {
				inVectorStore(t, p, `select exists (select from recsys.embedding_version where status = 'active' and run = '`+newer+`')`, &active)
				return active
			})
			gate.open()
			if out, err := waitNewer(); err != nil || out.Embeddings.Index.Status != "activated" {
				t.Errorf("the newer run: %+v, %v", out, err)
			}
			older, err := waitOlder()
			if got := older.Embeddings; err != nil || got.Upload.Status != c.upload || got.Index.Status != c.index {
				t.Errorf("the older run: %+v, %v; want %s, %s", older, err, c.upload, c.index)
			}
			wantWhole(t, p, "pointer-1-newer", next)
		})
	}
}

func bothAtOnce(t *testing.T, p *Platform) {
	one, two := begin(t, p, "at-once-1", 1, `{}`), begin(t, p, "at-once-2", 2, `{}`)
	older, olderErr := one()
	newer, newerErr := two()
	if err := errors.Join(olderErr, newerErr); err != nil {
		t.Fatal(err)
	}
	// A superseded run has counted nothing.
	olderRows := map[string]int64{"published": looseRatings, "superseded": 0}
	want, known := olderRows[older.TrainingData.Status]
	if newer.TrainingData.Status != "published" || newer.TrainingData.Rows != looseRatings || !known || older.TrainingData.Rows != want {
		t.Errorf("training data: %+v and %+v", older.TrainingData, newer.TrainingData)
	}
	for _, out := range []outcome{older, newer} {
		if out.Embeddings.Upload.Items != 30 || out.Embeddings.Upload.Users != looseCustomers {
			t.Errorf("embeddings: %+v", out.Embeddings)
		}
	}
}

// wantWhole wants the pointer, the manifest and the Glue table of this snapshot, and one active version with the
// views on it. It wants no version half loaded, and answers by this hand-over.
func wantWhole(t *testing.T, p *Platform, snapshot string, h handOver) {
	t.Helper()
	var latest lake.Latest
	if _, err := p.Store(LakeBucket).GetJSON(t.Context(), lake.LatestKey, 1<<20, &latest); err != nil {
		t.Fatal(err)
	}
	manifest, table := manifestOf(t, p, latest.Snapshot), glueTable(t, p).Table
	if latest.Snapshot != snapshot || manifest.Rows != looseRatings || *table.StorageDescriptor.Location != latest.Location ||
		table.Parameters["snapshot"] != snapshot {
		t.Errorf("the pointer shows %+v, the Glue table %v; want %s", latest, table.Parameters, snapshot)
	}
	var active, loading, items, viewed, users int64
	var itemView, userView string
	inVectorStore(t, p, `select version, item_count, (select count(*) from recsys.item_emb), (select count(*) from recsys.user_emb),
		(select count(*) from recsys.embedding_version where status = 'loading'),
		pg_get_viewdef('recsys.item_emb'), pg_get_viewdef('recsys.user_emb')
		from recsys.embedding_version where status = 'active'`, &active, &items, &viewed, &users, &loading, &itemView, &userView)
	if items != 30 || viewed != 30 || users != looseCustomers || loading != 0 {
		t.Errorf("version %d has %d items, the views show %d items and %d users, %d versions are loading", active, items, viewed, users, loading)
	}
	for view, of := range map[string]string{"item": itemView, "user": userView} {
		if !strings.Contains(of, fmt.Sprintf("%s_emb_%d;", view, active)) {
			t.Errorf("version %d is active and the view is%s", active, of)
		}
	}
	answer := ask(t, p, visit(123))[0]
	if answer.Recommendation.ModelVersion != active || !sameList(answer.Recommended, h.nearest(123)) {
		t.Errorf("answered with %+v, want %v of version %d", answer, h.nearest(123), active)
	}
}

// startRouted is startPlatform with a proxy between the functions and PostgreSQL.
func startRouted(t *testing.T, change func(*Config)) (*Platform, *pgwire.Proxy) {
	t.Helper()
	var proxy *pgwire.Proxy
	p := startPlatform(t, func(c *Config) {
		change(c)
		c.RouteVectorStore = func(address string) (string, error) {
			server := "postgres://" + address
			var err error
			if proxy, err = pgwire.Start(t.Context(), server); err != nil {
				return "", err
			}
			routed, err := proxy.URL(server)
			if err != nil {
				return "", err
			}
			parsed, err := url.Parse(routed)
			return parsed.Host, err
		}
	})
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, proxy
}

// begin starts an execution and returns a function that waits for its end.
func begin(tb testing.TB, p *Platform, run string, n int, input string) (wait func() (outcome, error)) {
	tb.Helper()
	var out outcome
	var err error
	var running sync.WaitGroup
	running.Go(func() {
		var output json.RawMessage
		output, err = p.Execute(tb.Context(), stepfunctions.Execution{
			Name: run, StartTime: began.Add(time.Duration(n) * time.Minute), Input: json.RawMessage(input),
		})
		if err == nil {
			err = json.Unmarshal(output, &out)
		}
	})
	return func() (outcome, error) {
		running.Wait()
		return out, err
	}
}

// gate holds the first caller until it is opened. The others pass.
type gate struct {
	ctx             context.Context // the test's: a gate that is never opened holds nothing longer
	taken           atomic.Bool
	reached, opened chan struct{}
}

func newGate(t *testing.T) *gate {
	return &gate{ctx: t.Context(), reached: make(chan struct{}), opened: make(chan struct{})}
}

func (g *gate) pass() {
	if g.taken.Swap(true) {
		return
	}
	close(g.reached)
	select {
	case <-g.opened:
	case <-g.ctx.Done():
	}
}

// wait returns when somebody is held.
func (g *gate) wait(t *testing.T) {
	t.Helper()
	select {
	case <-g.reached:
	case <-time.After(testbed.Patience):
		t.Fatal("nobody came to the gate")
	}
}

func (g *gate) open() { close(g.opened) }

// at is a hook that takes the calls of an operation through the gate, of any key if it is "".
func at(operation, key string, g *gate) func(awscall.Call) error {
	return func(call awscall.Call) error {
		if call.Operation == operation && (key == "" || call.Key == key) {
			g.pass()
		}
		return nil
	}
}

// commits is a hook that takes a function's commits through the gate.
func commits(function string, g *gate) func(pgwire.Commit) error {
	return func(commit pgwire.Commit) error {
		if commit.ApplicationName == function {
			g.pass()
		}
		return nil
	}
}
