package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"recsys/infra/local/db/postgres"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/postgrestest"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/store/vectorstore"
)

func TestHandle(t *testing.T) {
	server := postgrestest.ForTest(t)
	for _, test := range []struct {
		name string
		test func(*testing.T, *bench)
	}{
		{"activates and says the same again", testActivates},
		{"an older version finishes last", testSuperseded},
		{"two attempts at once", testAtOnce},
		{"goes back once a run", testRollback},
		{"there is nothing to go back to", testNothingBefore},
		{"a rolled-back version is not gone back to", testRollbackSkips},
		{"activates any kept version", testReactivates},
		{"activates no version that is not kept", testNotKept},
		{"drops what no rollback needs", testDrops},
		{"another dimension", testDimension},
		{"a long reader on the view", testLongReader},
		{"refuses", testRefuses},
		{"nothing is left of what failed", testFailed},
	} {
		t.Run(test.name, func(t *testing.T) { test.test(t, setup(t, server)) })
	}
	t.Run("recall", func(t *testing.T) { testRecall(t, server) })
}

func testActivates(t *testing.T, b *bench) {
	version := b.small(4)
	want := workflow.Indexed{Status: "activated", Version: 1, Recall: 1, EfSearch: 40}
	for range 2 {
		if out := b.handle(b.input(version)); out != want {
			t.Errorf("got %+v, want %+v", out, want)
		}
	}
	var items int
	if err := b.Pool(vectorstore.ReaderRole).QueryRow(t.Context(), `select count(*) from item_emb`).Scan(&items); err != nil || items != 50 {
		t.Errorf("the reader sees %d items, %v", items, err)
	}
}

func testSuperseded(t *testing.T, b *bench) {
	older, newer := b.small(4), b.small(4)
	b.handle(b.input(newer))
	for range 2 {
		if out := b.handle(b.input(older)); out.Status != "superseded" || out.Version != newer {
			t.Errorf("got %+v", out)
		}
	}
}

// A function that has timed out may still be at work when the next attempt starts.
func testAtOnce(t *testing.T, b *bench) {
	version := b.load(4, vectors(1500, 4, 1), vectors(10, 4, 2), distance.Cosine)
	var all errgroup.Group
	for range 3 {
		all.Go(func() error {
			out, err := b.Handle(t.Context(), b.input(version))
			if err == nil && (out.Status != "activated" || out.Version != version) {
				err = fmt.Errorf("got %+v", out)
			}
			return err
		})
	}
	b.Must(all.Wait())
	if indexes := b.texts(`select relname::text from pg_class where relname like '%hnsw'`); len(indexes) != 1 {
		t.Errorf("indexes %v", indexes)
	}
}

func testRollback(t *testing.T, b *bench) {
	for range 3 {
		b.handle(b.input(b.small(4)))
	}
	for range 2 {
		if out := b.handle(rollback("back-1")); out.Status != "rolled-back" || out.Version != 2 || out.EfSearch != 40 {
			t.Errorf("got %+v", out)
		}
	}
	if out := b.handle(rollback("back-2")); out.Version != 1 {
		t.Errorf("got %+v", out)
	}
	// The run of a version that was rolled back, tried again, does not bring it back.
	if out := b.handle(b.input(3)); out.Status != "superseded" || out.Version != 1 {
		t.Errorf("got %+v", out)
	}
}

func testNothingBefore(t *testing.T, b *bench) {
	for _, want := range []string{"no version is active", "no version before"} {
		if _, err := b.Handle(t.Context(), rollback("back")); !errors.Is(err, failure.InvalidInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want InvalidInput with %q", err, want)
		}
		b.handle(b.input(b.small(4)))
	}
}

func testRollbackSkips(t *testing.T, b *bench) {
	b.handle(b.input(b.small(4)))
	b.handle(b.input(b.small(4)))
	b.handle(rollback("back-1")) // to 1
	b.handle(b.input(b.small(4)))
	if out := b.handle(rollback("back-2")); out.Version != 1 {
		t.Errorf("got %+v, want 1: 2 was rolled back", out)
	}
}

// To an older version and to a newer one, which may have been rolled back. What was active takes its place in the order.
func testReactivates(t *testing.T, b *bench) {
	for range 3 {
		b.handle(b.input(b.small(4)))
	}
	for range 2 { // tried again it says the same
		if out := b.handle(reactivate("to-1", 1)); out.Status != "activated" || out.Version != 1 || out.EfSearch != 40 {
			t.Errorf("got %+v", out)
		}
	}
	if marked := b.texts(`select version::text from recsys.embedding_version where rolled_back_by = 'to-1'`); !slices.Equal(marked, []string{"3"}) {
		t.Errorf("rolled back: %v, want 3", marked)
	}
	if out := b.handle(reactivate("to-3", 3)); out.Version != 3 {
		t.Errorf("got %+v", out)
	}
	if marked := b.texts(`select version::text from recsys.embedding_version where rolled_back_by is not null`); len(marked) > 0 {
		t.Errorf("rolled back: %v, want none, because 3 answers again", marked)
	}
	if out := b.handle(rollback("back")); out.Version != 2 {
		t.Errorf("got %+v, want the version before", out)
	}
	if out := b.handle(reactivate("the-active-one", 2)); out.Version != 2 || out.Status != "activated" {
		t.Errorf("got %+v", out)
	}
	// What the person chose stays, although an attempt of the nightly run comes late.
	if out := b.handle(b.input(3)); out.Status != "superseded" || out.Version != 2 {
		t.Errorf("got %+v", out)
	}
}

func testNotKept(t *testing.T, b *bench) {
	for range 4 {
		b.handle(b.input(b.small(4)))
	}
	loaded := b.small(4)
	for _, version := range []int64{1, loaded, 9} { // dropped, never active, unknown
		if _, err := b.Handle(t.Context(), reactivate("no", version)); !errors.Is(err, failure.InvalidInput) || !strings.Contains(err.Error(), "is not kept") {
			t.Errorf("version %d: got %v, want InvalidInput", version, err)
		}
	}
}

func testDrops(t *testing.T, b *bench) {
	for range 5 {
		b.handle(b.input(b.small(4)))
	}
	b.leaves([]string{"3", "4", "5"})
	b.handle(rollback("back-1"))
	b.handle(rollback("back-2"))
	if _, err := b.Handle(t.Context(), rollback("back-3")); !errors.Is(err, failure.InvalidInput) {
		t.Errorf("went back to a dropped version: %v", err)
	}
}

func testDimension(t *testing.T, b *bench) {
	reader := b.Pool(vectorstore.ReaderRole)
	for _, dimension := range []int{4, 8} {
		b.handle(b.input(b.small(dimension)))
		var got int
		// Not prepared: a prepared statement keeps the type of the view's column.
		if err := reader.QueryRow(t.Context(), `select vector_dims(embedding) from item_emb limit 1`).Scan(&got); err != nil || got != dimension {
			t.Errorf("got %d, %v; want %d", got, err, dimension)
		}
	}
}

// The swap waits for a reader of the view, not for ever, and goes on when the reader is done.
func testLongReader(t *testing.T, b *bench) {
	b.handle(b.input(b.small(4)))
	reader, err := b.Pool(vectorstore.ReaderRole).Begin(t.Context())
	b.Must(err)
	_, err = reader.Exec(t.Context(), `select from item_emb limit 1`)
	b.Must(err)
	version := b.small(4)
	done := make(chan workflow.Indexed)
	go func() {
		out, _ := b.Handle(t.Context(), b.input(version))
		done <- out
	}()
	b.waitFor(`select count(*) = 1 from pg_locks where not granted and relation = 'recsys.item_emb'::regclass`)
	b.Must(reader.Rollback(t.Context()))
	if out := <-done; out.Status != "activated" || out.Version != version {
		t.Errorf("got %+v", out)
	}
}

func testRefuses(t *testing.T, b *bench) {
	refused, err := vectorstore.Allocate(t.Context(), b.DB, "refused", distance.Cosine, map[string]string{}, false)
	b.Must(err)
	b.Must(vectorstore.Fail(t.Context(), b.DB, refused, map[string]string{}, "bad embeddings"))
	for _, in := range []workflow.IndexInput{b.input(refused), b.input(0), b.input(7), b.input(-1), {}, {Run: b.input(1).Run, Version: 1, Rollback: true}, {Run: b.input(1).Run, Version: 1, Activate: 1}} {
		if _, err := b.Handle(t.Context(), in); !errors.Is(err, failure.InvalidInput) {
			t.Errorf("%+v: got %v", in, err)
		}
	}
}

// Failed versions go with their tables and artifacts, also before any is active and above the one that is.
func testFailed(t *testing.T, b *bench) {
	target := b.Target
	b.Target = 1.1 // out of reach
	refuse := func(version int64) (text string) {
		_, err := b.Handle(t.Context(), b.input(version))
		if !errors.Is(err, failure.RecallTooLow) {
			t.Fatalf("got %v", err)
		}
		return err.Error()
	}
	first := refuse(b.small(4))
	b.leaves(nil)
	if again := refuse(1); again != first {
		t.Errorf("tried again: %s, before: %s", again, first)
	}
	b.Target = target
	b.handle(b.input(b.small(4)))
	b.Target = 1.1
	refuse(b.small(4))
	b.leaves([]string{"2"})

	// An upload failed and was killed before it had tidied up.
	_, err := vectorstore.Allocate(t.Context(), b.DB, "refused", distance.Cosine, map[string]string{}, false)
	b.Must(err)
	b.Must(vectorstore.Fail(t.Context(), b.DB, 4, map[string]string{}, "bad embeddings"))
	_, err = b.Artifacts.Put(t.Context(), lake.VersionKey(4, lake.ItemEmbeddingsKey), strings.NewReader("bad"))
	b.Must(err)
	refuse(b.small(4))
	b.leaves([]string{"2"})
}

// leaves wants the tables and the artifacts of these versions, and no others.
func (b *bench) leaves(versions []string) {
	b.Helper()
	tables := b.texts(`select substr(relname, 10)::text from pg_class where relname ~ '^item_emb_[0-9]+$' order by 1`)
	folders, err := b.Artifacts.Folders(b.Context(), lake.VersionsParent)
	b.Must(err)
	for i := range folders {
		folders[i] = strings.Trim(strings.TrimPrefix(folders[i], lake.VersionsParent), "/")
	}
	if !slices.Equal(tables, versions) || !slices.Equal(folders, versions) {
		b.Errorf("tables of %v, artifacts of %v, want %v", tables, folders, versions)
	}
}

// testRecall is at a size at which an index is worth having.
func testRecall(t *testing.T, server *postgres.Server) {
	b := setup(t, server)
	const dimension = 16
	items, users := vectors(8_000, dimension, 3), vectors(500, dimension, 4)
	copy(items[100:200], items[:100]) // as near as each other: either is right
	version := b.load(dimension, items, users, distance.Cosine)

	b.Index = HNSW{M: 2, EfConstruction: 4}
	_, err := b.Handle(t.Context(), b.input(version))
	if !errors.Is(err, failure.RecallTooLow) || !strings.Contains(err.Error(), "at ef_search=1000") {
		t.Fatalf("a bad index: got %v", err)
	}
	t.Log("a bad index: ", err)
	if _, exists, err := vectorstore.ReadActive(t.Context(), b.DB); exists || err != nil {
		t.Errorf("a version of a bad index is active: %v", err)
	}

	b.Index = HNSW{M: 12, EfConstruction: 32}
	version = b.load(dimension, items, users, distance.Cosine)
	out := b.handle(b.input(version))
	t.Logf("a good index: %+v", out)
	if out.Status != "activated" || out.Recall < b.Target || out.Recall > 1 || !slices.Contains(ladder, out.EfSearch) {
		t.Errorf("a good index: got %+v", out)
	}
	testPlans(t, b, version)
}

// testPlans checks the plans that measure relies on.
func testPlans(t *testing.T, b *bench, version int64) {
	search := fmt.Sprintf(`explain select id from %s order by embedding <=> (select embedding from %[1]s limit 1) limit 10`, vectorstore.ItemTable(version))
	plan := strings.Join(b.texts(search), "\n")
	if !strings.Contains(plan, "Index Scan using "+vectorstore.ItemIndex(version)) {
		t.Errorf("the planner, free to choose, does not take the index:\n%s", plan)
	}
	tx, err := b.DB.Begin(t.Context())
	b.Must(err)
	defer tx.Rollback(t.Context())
	record, _, err := vectorstore.OfVersion(t.Context(), tx, version)
	b.Must(err)
	arms := arms{tx: tx, version: record}
	if used, err := arms.planned(t.Context()); err != nil || !used {
		t.Errorf("planned: %t, %v", used, err)
	}
	b.Must(arms.exact(t.Context(), 20)) // fails if the plan holds the index
	if _, err := arms.approximate(t.Context(), 40); err != nil {
		t.Error(err) // fails if the plan does not hold the index
	}
	_, err = tx.Exec(t.Context(), `set local enable_indexscan = off; set local enable_seqscan = on`)
	b.Must(err)
	if _, err := arms.approximate(t.Context(), 40); err == nil {
		t.Error("an approximate search without the index is taken for one with it")
	} else if vectorstore.IsTransient(err) {
		t.Errorf("the database is blamed for %v", err)
	}
}

func TestEventIsAnIndexInput(t *testing.T) {
	if in := testbed.Event[workflow.IndexInput](t); in.Validate() != nil || in.Version != 7 {
		t.Errorf("%+v: %v", in, in.Validate())
	}
}

func TestBuildsSerially(t *testing.T) {
	for extension, want := range map[string]bool{"0.5.1": false, "0.6.0": true, "0.8.0": true, "0.8.1": true, "0.8.2": false, "0.10.0": false, "1.0": false} {
		if got := buildsSerially(extension); got != want {
			t.Errorf("%s: %t", extension, got)
		}
	}
}
