package main

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/db/postgres"
	"recsys/infra/local/testbed/pgwire"
	"recsys/infra/local/testbed/postgrestest"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/settings"
	"recsys/shared/store/vectorstore"
)

var errInterrupted = errors.New("interrupted here")

// interrupt breaks the line at the n-th point (1-based) of those right before and right after each commit and
// each change of the bucket; it returns the number of points that were passed.
func (b *bench) interrupt(n int64) (passed *atomic.Int64) {
	b.t.Helper()
	url := b.server.URLOf(vectorstore.LoaderRole, b.name)
	proxy, err := pgwire.Start(b.t.Context(), url)
	b.must(err)
	b.t.Cleanup(func() { proxy.Close() })
	through, err := proxy.URL(url)
	b.must(err)
	b.DB, err = vectorstore.Connect(b.t.Context(), vectorstore.Config{VectorStore: settings.VectorStore{URL: through}, Application: "vector-index"})
	b.must(err)
	b.t.Cleanup(b.DB.Close)
	passed = new(atomic.Int64)
	point := func() error {
		if passed.Add(1) == n {
			return errInterrupted
		}
		return nil
	}
	proxy.SetHooks(pgwire.Hooks{BeforeCommit: func(pgwire.Commit) error { return point() }, AfterCommit: func(pgwire.Commit) error { return point() }})
	b.s3.SetHooks(awscall.Hooks{Before: func(awscall.Call) error { return point() }, After: func(awscall.Call) error { return point() }})
	return passed
}

// Wherever a run is interrupted, tried again it ends like one that was not: an activation that drops an old
// version, one that fails, and a rollback.
func TestInterruptedAnywhere(t *testing.T) {
	server := postgrestest.ForTest(t)
	for _, name := range []string{"activate", "fail", "rollback"} {
		t.Run(name, func(t *testing.T) {
			want, points := interruptedAt(t, server, name, 0)
			for n := int64(1); n <= points; n++ {
				if got, _ := interruptedAt(t, server, name, n); !slices.Equal(got, want) {
					t.Errorf("interrupted at point %d: got %v, want %v", n, got, want)
				}
			}
			if points < 2 {
				t.Fatalf("only %d points were found", points)
			}
		})
	}
}

// interruptedAt runs twice, since what could not be dropped is no failure, and returns what there is then.
func interruptedAt(t *testing.T, server *postgres.Server, name string, n int64) (state []string, points int64) {
	t.Run(fmt.Sprint("point ", n), func(t *testing.T) {
		b := setup(t, server)
		b.KeepVersions = 2
		b.handle(b.input(b.small(4)))
		b.handle(b.input(b.small(4)))
		in := b.input(b.small(8))
		switch name {
		case "fail":
			b.Target = 1.1 // out of reach
		case "rollback":
			in = rollback("back")
		}
		passed := b.interrupt(n)
		if _, err := b.Handle(t.Context(), in); err != nil && n == 0 && name != "fail" {
			t.Fatal(err)
		}
		points = passed.Load()
		out, err := b.Handle(t.Context(), in)
		if errors.Is(err, failure.RecallTooLow) != (name == "fail") || err != nil && name != "fail" {
			t.Error(err)
		}
		folders, err := b.Artifacts.Folders(t.Context(), "versions/")
		b.must(err)
		state = slices.Concat([]string{fmt.Sprintf("%+v", out)}, folders,
			b.texts(`select concat_ws(' ', version, status, recall, ef_search, rolled_back_by, dropped_at is null) from recsys.embedding_version order by version`),
			b.texts(`select relname::text from pg_class where relnamespace = 'recsys'::regnamespace order by 1`),
			b.texts(`select id || embedding::text from recsys.item_emb order by 1`))
	})
	return state, points
}
