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
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/store/vectorstore"
)

var errInterrupted = errors.New("interrupted here")

// interrupt breaks the line at the n-th point (1-based) of those right before and right after each commit and
// each change of a bucket; it returns the number of points that were passed.
func (b *bench) interrupt(n int64) (passed *atomic.Int64) {
	b.t.Helper()
	url := b.server.URLOf(vectorstore.LoaderRole, b.database)
	proxy, err := pgwire.Start(b.t.Context(), url)
	b.must(err)
	b.t.Cleanup(func() { proxy.Close() })
	through, err := proxy.URL(url)
	b.must(err)
	b.DB, err = vectorstore.Connect(b.t.Context(), vectorstore.Config{VectorStore: settings.VectorStore{URL: through}, Application: "embedding-upload"})
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

// Wherever a run is interrupted, tried again it ends like one that was not.
func TestInterruptedAnywhere(t *testing.T) {
	server := server(t)
	want, points := interruptedAt(t, server, 0)
	if points < 8 {
		t.Fatalf("only %d points were found", points)
	}
	for n := int64(1); n <= points; n++ {
		if got, _ := interruptedAt(t, server, n); !slices.Equal(got, want) {
			t.Errorf("interrupted at point %d: got %v, want %v", n, got, want)
		}
	}
}

// interruptedAt runs until it succeeds, and returns all rows of the version, and the number of points.
func interruptedAt(t *testing.T, server *postgres.Server, n int64) (rows []string, points int64) {
	t.Run(fmt.Sprint("point ", n), func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.publish("s1", noon, lake.ItemCount{Item: "S10_1678", Country: "France", Count: 2})
		passed := b.interrupt(n)
		run := b.run()
		out, err := b.Handle(t.Context(), run)
		if (err == nil) != (n == 0) {
			t.Errorf("the first attempt: %v", err)
		}
		if err != nil {
			out, err = b.Handle(t.Context(), run)
		}
		if err != nil {
			t.Fatal(err)
		}
		points = passed.Load()
		rows = append(b.dump(out.Version), fmt.Sprintf("%+v %s", out, b.status(out.Version)))
	})
	return rows, points
}
