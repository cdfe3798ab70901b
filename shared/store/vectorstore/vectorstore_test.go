package vectorstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pgvector/pgvector-go"
	"golang.org/x/sync/errgroup"

	"recsys/infra/local/db/postgres"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/postgrestest"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/settings"
	"recsys/shared/store/vectorstore"
)

// database is a fresh one, bootstrapped by its owner.
type database struct {
	t      testing.TB
	server *postgres.Server
	name   string
	owner  string // URL
	loader *pgxpool.Pool
}

func setup(t testing.TB, server *postgres.Server) *database {
	t.Helper()
	d := &database{t: t, server: server, name: strings.ToLower(strings.NewReplacer("/", "_", "-", "_").Replace(t.Name()))}
	var err error
	d.owner, err = server.NewDatabase(t.Context(), d.name)
	d.must(err)
	d.must(d.bootstrap(t.Context()))
	d.loader = d.pool(vectorstore.LoaderRole)
	return d
}

func (d *database) bootstrap(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, d.owner)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return vectorstore.Bootstrap(ctx, conn)
}

func (d *database) pool(role string) *pgxpool.Pool {
	d.t.Helper()
	pool, err := vectorstore.Connect(d.t.Context(), vectorstore.Config{VectorStore: settings.VectorStore{URL: d.server.URLOf(role, d.name)}, Application: "test"})
	d.must(err)
	d.t.Cleanup(pool.Close)
	return pool
}

func (d *database) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *database) text(pool *pgxpool.Pool, sql string) (text string) {
	d.t.Helper()
	d.must(pool.QueryRow(d.t.Context(), sql).Scan(&text))
	return text
}

// handOver is the source of every version here, unless a test needs another.
var handOver = map[string]string{"items": "1", "users": "1"}

func (d *database) allocate(run string) int64 {
	d.t.Helper()
	version, err := vectorstore.Allocate(d.t.Context(), d.loader, run, distance.Cosine, handOver, false)
	d.must(err)
	return version
}

func items(n, dimension int) pgx.CopyFromSource {
	return rows(n, dimension, func(i int) any { return fmt.Sprintf("S%d", i) })
}

func users(n, dimension int) pgx.CopyFromSource {
	return rows(n, dimension, func(i int) any { return int32(i) })
}

func rows(n, dimension int, id func(int) any) pgx.CopyFromSource {
	random := rand.New(rand.NewPCG(1, 1))
	vector := make([]float32, dimension)
	return pgx.CopyFromSlice(n, func(i int) ([]any, error) {
		for j := range vector {
			vector[j] = random.Float32()
		}
		return []any{id(i), pgvector.NewVector(vector)}, nil
	})
}

func TestVectorStore(t *testing.T) {
	server := postgrestest.ForTest(t)
	for _, test := range []struct {
		name string
		test func(*testing.T, *database)
	}{
		{"bootstrap again and at once", testBootstrapAgain},
		{"connection", testConnection},
		{"the reader only reads", testReader},
		{"a database of an earlier release", testEarlierRelease},
		{"a refresh beside a reader", testRefreshBesideReader},
		{"a snapshot of the future", testSnapshotOfTheFuture},
		{"most items are gone", testMostItemsAreGone},
		{"numbers have no gaps", testAllocate},
		{"two activations at once", testTwoActivations},
		{"a load is whole or not there", testLoadFails},
		{"a second attempt waits for a first", testLoadTwice},
		{"an attempt that was overtaken", testOvertaken},
		{"versions whose runs have ended", testAbandoned},
		{"the shop without a model", testWithoutModel},
		{"a version with neighbours", testNeighbours},
		{"ids of each type", testIDTypes},
		{"counts with fractions", testDecayedCounts},
		{"another shop", testAnotherShop},
		{"counts of an earlier release", testCountsOfAnEarlierRelease},
	} {
		t.Run(test.name, func(t *testing.T) { test.test(t, setup(t, server)) })
	}
}

func testBootstrapAgain(t *testing.T, d *database) {
	var all errgroup.Group
	for range 4 {
		all.Go(func() error { return d.bootstrap(t.Context()) })
	}
	d.must(all.Wait())
	conn, err := pgx.Connect(t.Context(), d.owner)
	d.must(err)
	defer conn.Close(t.Context())
	var superuser bool
	d.must(conn.QueryRow(t.Context(), `select rolsuper from pg_roles where rolname = current_user`).Scan(&superuser))
	if superuser {
		t.Error("the bootstrap was run by a superuser: it proves nothing")
	}
}

func testConnection(t *testing.T, d *database) {
	for setting, want := range map[string]string{
		"application_name": "test", "search_path": "recsys, public", "lock_timeout": "5s",
		"statement_timeout": "14min", "client_connection_check_interval": "2s",
	} {
		if got := d.text(d.loader, "show "+setting); got != want {
			t.Errorf("%s is %s, want %s", setting, got, want)
		}
	}
	plain, err := pgx.Connect(t.Context(), d.server.URLOf(vectorstore.ReaderRole, d.name))
	d.must(err)
	defer plain.Close(t.Context())
	var path string
	d.must(plain.QueryRow(t.Context(), `show search_path`).Scan(&path))
	if path != "recsys, public" {
		t.Errorf("a person who connects as the reader has the search_path %s", path)
	}
	nowhere, err := vectorstore.Connect(t.Context(), vectorstore.Config{VectorStore: settings.VectorStore{URL: "postgres://nobody@127.0.0.1:1/none"}})
	d.must(err)
	defer nowhere.Close()
	if _, _, err := vectorstore.ReadActive(t.Context(), nowhere); !errors.Is(err, failure.VectorStoreUnavailable) {
		t.Errorf("a server that is away: %v", err)
	}
	if _, err := d.loader.Exec(t.Context(), `select wrong`); vectorstore.IsTransient(err) {
		t.Error("a wrong statement is taken for one that may pass by itself")
	}
	if err := d.loader.QueryRow(t.Context(), `select 'text'`).Scan(new(int)); err == nil || vectorstore.IsTransient(err) {
		t.Errorf("our own mistake is taken for the database's: %v", err)
	}
	if vectorstore.IsTransient(&pgconn.PgError{Message: "an answer without a code"}) {
		t.Error("an answer without a code is taken for one that may pass by itself")
	}
	conn, err := d.loader.Acquire(t.Context())
	d.must(err)
	defer conn.Release()
	d.must(conn.Conn().PgConn().Conn().Close())
	for range 2 { // the statement that finds the line cut, and one after it
		if _, err := conn.Exec(t.Context(), `select 1`); !vectorstore.IsTransient(err) {
			t.Errorf("a line that was cut: %v", err)
		}
	}
}

func testAbandoned(t *testing.T, d *database) {
	load := func(run string) int64 {
		version := d.allocate(run)
		_, err := vectorstore.Load{Version: version, Artifacts: handOver, Dimension: 2, Items: items(3, 2), Users: users(3, 2)}.Run(t.Context(), d.loader)
		d.must(err)
		return version
	}
	active := load("run-1")
	_, err := vectorstore.Activate(t.Context(), d.loader, active, 1, 40)
	d.must(err)
	left, fresh := load("run-2"), load("run-3")
	_, err = d.loader.Exec(t.Context(), `update recsys.embedding_version set created_at = now() - interval '2 days' where version in ($1, $2)`, active, left)
	d.must(err)
	dropped, err := vectorstore.DropOld(t.Context(), d.loader, 2)
	if err != nil || !slices.Equal(dropped, []int64{left}) {
		t.Errorf("dropped %v, %v; want version %d alone, and neither the active one %d nor the fresh one %d", dropped, err, left, active, fresh)
	}
	if record, _, err := vectorstore.OfVersion(t.Context(), d.loader, left); err != nil || record.Status != vectorstore.Failed || record.Failure == "" {
		t.Errorf("the abandoned version is %+v, %v", record, err)
	}
}

func testWithoutModel(t *testing.T, d *database) {
	refresh := func() bool {
		t.Helper()
		refreshed, err := vectorstore.RefreshWithoutModel(t.Context(), d.loader, vectorstore.Snapshot{Name: "s1", Of: time.Unix(1, 0),
			Popularity: pgx.CopyFromRows([][]any{{"France", "A", int64(3)}, {"France", "B", int64(1)}})})
		d.must(err)
		return refreshed
	}
	reader := d.pool(vectorstore.ReaderRole)
	if _, found, err := vectorstore.ReadActive(t.Context(), reader); found || err != nil {
		t.Errorf("an empty database answers: %t, %v", found, err)
	}
	for range 2 {
		if !refresh() {
			t.Error("without a version it is not refreshed")
		}
	}
	shop, found, err := vectorstore.ReadActive(t.Context(), reader)
	if err != nil || !found || shop.Version != vectorstore.WithoutModel || !shop.HasShop {
		t.Errorf("got %+v, %t, %v", shop, found, err)
	}
	if got := d.text(reader, `select string_agg(item || count, ' ' order by count desc) from `+vectorstore.PopularityTable(0)+` where country = ''`); got != "A3 B1" {
		t.Errorf("popular are %s", got)
	}
	version := d.allocate("run-1")
	_, err = vectorstore.Load{Version: version, Artifacts: handOver, Dimension: 2, Items: items(3, 2), Users: users(3, 2)}.Run(t.Context(), d.loader)
	d.must(err)
	_, err = vectorstore.Activate(t.Context(), d.loader, version, 1, 40)
	d.must(err)
	if refresh() {
		t.Error("refreshed beside an active version")
	}
	if got := d.text(d.loader, `select count(*)::text from pg_tables where schemaname = 'recsys' and tablename like '%\_0'`); got != "0" {
		t.Errorf("%s of its tables are left", got)
	}
}

func testReader(t *testing.T, d *database) {
	version := d.allocate("run-1")
	_, err := vectorstore.Load{Version: version, Artifacts: handOver, Dimension: 2, Items: items(3, 2), Users: users(3, 2)}.Run(t.Context(), d.loader)
	d.must(err)
	_, err = vectorstore.Activate(t.Context(), d.loader, version, 1, 40)
	d.must(err)
	reader := d.pool(vectorstore.ReaderRole)
	active, found, err := vectorstore.ReadActive(t.Context(), reader)
	if want := (vectorstore.ActiveVersion{Version: 1, Dimension: 2, Metric: distance.Cosine, EfSearch: 40, ItemCount: 3, HasShop: true, HasCodes: true, HasTrending: true}); err != nil || !found || active != want {
		t.Errorf("got %+v, %t, %v", active, found, err)
	}
	for _, table := range append(vectorstore.Tables(1), vectorstore.ItemView, vectorstore.UserView) {
		d.text(reader, `select count(*)::text from `+table)
		if _, err := reader.Exec(t.Context(), `delete from `+table); !vectorstore.HasCode(err, "42501") {
			t.Errorf("%s: the reader may delete: %v", table, err)
		}
	}
	trends, carts := vectorstore.TrendingTable, vectorstore.CartTable
	for _, allowed := range []string{
		`insert into ` + trends + ` values (1, '{S1}', '{1}', now())`, `delete from ` + trends,
		`insert into ` + carts + ` (session, item, slot, period, seen_at) select gen_random_uuid(), 'S1', slot, slot, now() from generate_series(0, 3) slot`,
		`truncate ` + vectorstore.CartPartition(0) + `, ` + vectorstore.CartPartition(vectorstore.CartSlots-1),
	} {
		if _, err := reader.Exec(t.Context(), allowed); err != nil {
			t.Errorf("the reader may not keep the trends: %v", err)
		}
	}
	if got := d.text(reader, `select string_agg(slot || ' ' || number, ', ' order by slot) from `+carts); got != "1 2, 2 3" {
		t.Errorf("carts %s, want those of the slots 1 and 2", got)
	}
	for _, refused := range []string{`truncate ` + trends, `truncate ` + carts, `update ` + trends + ` set scores = '{}'`,
		`update ` + carts + ` set slot = 1`, `delete from ` + carts, `delete from ` + vectorstore.CartPartition(1)} {
		if _, err := reader.Exec(t.Context(), refused); !vectorstore.HasCode(err, "42501") {
			t.Errorf("the reader may do more with the trends than it needs, %s: %v", refused, err)
		}
	}
	if _, err := reader.Exec(t.Context(), `create table recsys.mine ()`); !vectorstore.HasCode(err, "42501") {
		t.Errorf("the reader may create: %v", err)
	}
}

// A release finds a database of an earlier one, before anything is loaded. It sees the missing tables, and they come
// with the bootstrap and with the next snapshot.
func testEarlierRelease(t *testing.T, d *database) {
	version := d.allocate("run-1")
	_, err := vectorstore.Load{Version: version, Artifacts: handOver, Dimension: 2, Items: items(3, 2), Users: users(3, 2)}.Run(t.Context(), d.loader)
	d.must(err)
	_, err = vectorstore.Activate(t.Context(), d.loader, version, 1, 40)
	d.must(err)
	owner, err := pgx.Connect(t.Context(), d.owner)
	d.must(err)
	defer owner.Close(t.Context())
	_, err = owner.Exec(t.Context(), `drop table `+vectorstore.TrendingTable)
	d.must(err)
	_, err = d.loader.Exec(t.Context(), `drop table `+vectorstore.RatedTable(version))
	d.must(err)
	reader := d.pool(vectorstore.ReaderRole)
	if active, found, err := vectorstore.ReadActive(t.Context(), reader); err != nil || !found || active.HasShop || active.HasTrending {
		t.Errorf("before: %+v, %v", active, err)
	}
	d.must(d.bootstrap(t.Context()))
	rated := func() pgx.CopyFromSource { return pgx.CopyFromRows([][]any{{int32(1), "S1"}, {int32(2), "S1"}}) }
	for i, refreshes := range []bool{true, false} {
		refreshed, err := vectorstore.Refresh(t.Context(), d.loader, version, vectorstore.Snapshot{Name: "s", Of: time.Unix(1, 0), Rated: rated()})
		if err != nil || refreshed != refreshes {
			t.Errorf("snapshot, attempt %d: %t, %v", i, refreshed, err)
		}
	}
	if active, _, err := vectorstore.ReadActive(t.Context(), reader); err != nil || !active.HasShop || !active.HasTrending {
		t.Errorf("after: %+v, %v", active, err)
	}
	if got := d.text(reader, `select string_agg(r::text, ' ' order by r) from `+vectorstore.RatedTable(version)+` r`); got != "(1,S1) (2,S1)" {
		t.Errorf("rated: %s", got)
	}
}

// A reader in the middle of its transaction sees the old rows, and a change meanwhile waits for nobody.
func testRefreshBesideReader(t *testing.T, d *database) {
	version := d.allocate("run-1")
	load := vectorstore.Load{Version: version, Artifacts: handOver, Dimension: 2, Items: items(3, 2), Users: users(3, 2)}
	load.Snapshot = vectorstore.Snapshot{Name: "s1", Of: time.Unix(1, 0), Rated: pgx.CopyFromRows([][]any{{int32(1), "S0"}, {int32(1), "S1"}})}
	_, err := load.Run(t.Context(), d.loader)
	d.must(err)
	_, err = vectorstore.Activate(t.Context(), d.loader, version, 1, 40)
	d.must(err)
	tx, err := d.pool(vectorstore.ReaderRole).BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	d.must(err)
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	seen := func() (items string) {
		d.must(tx.QueryRow(t.Context(), `select string_agg(item, ' ' order by item) from `+vectorstore.RatedTable(version)).Scan(&items))
		return items
	}
	before := seen()
	refreshed, err := vectorstore.Refresh(t.Context(), d.loader, version,
		vectorstore.Snapshot{Name: "s2", Of: time.Unix(2, 0), Rated: pgx.CopyFromRows([][]any{{int32(1), "S1"}, {int32(1), "S2"}})})
	if err != nil || !refreshed || before != "S0 S1" || seen() != before {
		t.Errorf("refreshed %t, %v; the reader saw %s, then %s", refreshed, err, before, seen())
	}
	if got := d.text(d.loader, `select string_agg(item, ' ' order by item) from `+vectorstore.RatedTable(version)); got != "S1 S2" {
		t.Errorf("after: %s", got)
	}
	for _, table := range vectorstore.Tables(version)[3:] { // of the shop: readers' plans depend on their statistics
		if got := d.text(d.loader, `select (reltuples >= 0)::text from pg_class where oid = '`+table+`'::regclass`); got != "true" {
			t.Errorf("%s was not analysed", table)
		}
	}
}

func testAllocate(t *testing.T, d *database) {
	var all errgroup.Group
	for i := range 8 { // each run twice, all at once
		all.Go(func() error {
			_, err := vectorstore.Allocate(t.Context(), d.loader, fmt.Sprintf("run-%d", i%4), distance.L2, map[string]string{}, true)
			return err
		})
	}
	d.must(all.Wait())
	if got := d.text(d.loader, `select string_agg(version::text, ' ' order by version) from recsys.embedding_version`); got != "1 2 3 4" {
		t.Errorf("versions %s", got)
	}
}

// Two executions finish at once. The newer one is active in the end, in any order.
func testTwoActivations(t *testing.T, d *database) {
	const n = 4
	for i := range n {
		version := d.allocate(fmt.Sprintf("run-%d", i))
		_, err := vectorstore.Load{Version: version, Artifacts: handOver, Dimension: 2 + i, Items: items(3, 2+i), Users: users(3, 2+i)}.Run(t.Context(), d.loader)
		d.must(err)
	}
	var all errgroup.Group
	for i := range int64(n) {
		all.Go(func() error {
			_, err := vectorstore.Activate(t.Context(), d.loader, i+1, 1, 40)
			return err
		})
	}
	d.must(all.Wait())
	if got := d.text(d.loader, `select version || ' ' || (select vector_dims(embedding) from recsys.item_emb limit 1) from recsys.embedding_version where status = 'active'`); got != "4 5" {
		t.Errorf("active version and its dimension: %s, want 4 5", got)
	}
}

func testLoadFails(t *testing.T, d *database) {
	version := d.allocate("run-1")
	broken := pgx.CopyFromSlice(2, func(i int) ([]any, error) {
		if i == 1 {
			return nil, failure.InvalidEmbeddings.Wrap(errors.New("bad"))
		}
		return []any{int32(1), pgvector.NewVector([]float32{1, 2})}, nil
	})
	_, err := vectorstore.Load{Version: version, Artifacts: handOver, Dimension: 2, Items: items(3, 2), Users: broken}.Run(t.Context(), d.loader)
	if err == nil {
		t.Fatal("a broken source was loaded")
	}
	if got := d.text(d.loader, `select count(*)::text from pg_class where relname like any ('{%emb\_1%,%popularity\_1%,user\_item\_1%,%attribute\_1%}')`); got != "0" {
		t.Errorf("%s tables are left", got)
	}
	if d.allocate("run-1") != version {
		t.Error("the run has another version now")
	}
	for range 2 {
		loaded, err := vectorstore.Load{Version: version, Artifacts: handOver, Dimension: 2, Items: items(3, 2), Users: users(5, 2)}.Run(t.Context(), d.loader)
		if err != nil || loaded.Status != vectorstore.Loaded || loaded.ItemCount != 3 || loaded.UserCount != 5 {
			t.Errorf("got %+v, %v", loaded, err)
		}
	}
}

func testLoadTwice(t *testing.T, d *database) {
	version := d.allocate("run-1")
	var all errgroup.Group
	for range 3 {
		all.Go(func() error {
			_, err := vectorstore.Load{Version: version, Artifacts: handOver, Dimension: 8, Items: items(500, 8), Users: users(500, 8)}.Run(t.Context(), d.loader)
			return err
		})
	}
	d.must(all.Wait())
	if got := d.text(d.loader, `select count(*)::text from `+vectorstore.ItemTable(version)); got != "500" {
		t.Errorf("%s items", got)
	}
}

// Another attempt of the run has found other artifacts, so this one's own are stale.
func testOvertaken(t *testing.T, d *database) {
	version := d.allocate("run-1")
	anew := map[string]string{"items": "2", "users": "1"}
	allocate := func() error {
		_, err := vectorstore.Allocate(t.Context(), d.loader, "run-1", distance.Cosine, anew, false)
		return err
	}
	load := func(version int64, artifacts map[string]string, n int) error {
		_, err := vectorstore.Load{Version: version, Artifacts: artifacts, Dimension: 2, Items: items(n, 2), Users: users(n, 2)}.Run(t.Context(), d.loader)
		return err
	}
	wantOvertaken := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, failure.Overtaken) {
			t.Errorf("%s: %v", what, err)
		}
	}
	d.must(allocate())
	d.must(vectorstore.Fail(t.Context(), d.loader, version, handOver, "the old ones are bad"))
	wantOvertaken("loading the old ones", load(version, handOver, 3))
	wantOvertaken("loading a version that is not there", load(7, handOver, 3))
	d.must(load(version, anew, 5))
	wantOvertaken("loading the old ones over the new ones", load(version, handOver, 3))
	wantOvertaken("allocating what is loaded", allocate())
	d.must(load(version, anew, 3)) // done already
	if got := d.text(d.loader, `select count(*)::text from `+vectorstore.ItemTable(version)); got != "5" {
		t.Errorf("%s items", got)
	}
	d.must(vectorstore.Fail(t.Context(), d.loader, version, anew, "bad"))
	wantOvertaken("loading what has failed", load(version, anew, 3))
	if _, err := vectorstore.DropOld(t.Context(), d.loader, 3); err != nil {
		t.Fatal(err)
	}
	for _, table := range vectorstore.Tables(version) {
		if got := d.text(d.loader, `select coalesce(to_regclass('`+table+`')::text, 'gone')`); got != "gone" {
			t.Errorf("%s is left of a dropped version", got)
		}
	}
	d.must(vectorstore.Forget(t.Context(), d.loader, version, func() error { return nil }))
	d.must(allocate())
	d.must(vectorstore.Forget(t.Context(), d.loader, version, func() error {
		t.Error("the artifacts of what is being loaded were to be deleted")
		return nil
	}))
	d.must(load(version, anew, 4))
}

// A killed client's statement ends within seconds, and with it its locks.
func TestKilledClient(t *testing.T) {
	d := setup(t, postgrestest.ForTest(t))
	conn, err := d.loader.Acquire(t.Context())
	d.must(err)
	raw := conn.Hijack()
	pid := raw.PgConn().PID()
	raw.PgConn().Frontend().SendQuery(&pgproto3.Query{String: `select pg_advisory_lock(1), pg_sleep(600)`})
	d.must(raw.PgConn().Frontend().Flush())
	watch := d.pool(vectorstore.LoaderRole)
	d.waitFor(watch, fmt.Sprintf(`select exists (select from pg_stat_activity where pid = %d and wait_event = 'PgSleep')`, pid))
	d.must(raw.PgConn().Conn().Close())
	d.waitFor(watch, fmt.Sprintf(`select not exists (select from pg_stat_activity where pid = %d)`, pid))
}

func (d *database) waitFor(pool *pgxpool.Pool, sql string) {
	d.t.Helper()
	deadline, tick := time.After(testbed.Patience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		var done bool
		d.must(pool.QueryRow(d.t.Context(), sql).Scan(&done))
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			d.t.Fatal("waited in vain for: ", sql)
		}
	}
}

func TestMetrics(t *testing.T) {
	for _, test := range []struct {
		metric      distance.Metric
		near, far   float64
		nearest     float64
		operator    string
		operatorFor string
	}{
		{distance.Cosine, 0, 2, 1, "<=>", "vector_cosine_ops"},
		{distance.InnerProduct, -3, 1, 3, "<#>", "vector_ip_ops"},
		{distance.L2, 0, 9, 1, "<->", "vector_l2_ops"},
	} {
		parsed, err := distance.Parse(string(test.metric))
		if err != nil || parsed.Operator() != test.operator || parsed.OperatorClass() != test.operatorFor {
			t.Errorf("%s: %s, %s, %v", test.metric, parsed.Operator(), parsed.OperatorClass(), err)
		}
		if near, far := parsed.Score(test.near), parsed.Score(test.far); near <= far || near != test.nearest {
			t.Errorf("%s: score %v of the near one, %v of the far one", test.metric, near, far)
		}
	}
	if _, err := distance.Parse("hamming"); err == nil {
		t.Error("hamming is taken for a metric")
	}
}

func BenchmarkLoad(b *testing.B) {
	const rows, dimension = 100_000, 32
	d := setup(b, postgrestest.ForTest(b))
	b.ReportAllocs()
	runs := 0
	for b.Loop() {
		runs++
		version := d.allocate(fmt.Sprintf("run-%d", runs))
		_, err := vectorstore.Load{Version: version, Artifacts: handOver, Dimension: dimension, Items: items(rows, dimension), Users: users(rows, dimension)}.Run(b.Context(), d.loader)
		d.must(err)
	}
	b.ReportMetric(2*rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
