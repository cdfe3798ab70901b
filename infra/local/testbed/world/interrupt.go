package world

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/pgwire"
	"recsys/shared/store/vectorstore"
)

var errInterrupted = errors.New("interrupted here")

// Points counts the places at which a function may die: right before and right after each commit and each change of a
// bucket.
type Points struct {
	DB     *pgxpool.Pool // through which commits are seen
	passed atomic.Int64
}

// Passed returns how many points were passed so far.
func (p *Points) Passed() int64 { return p.passed.Load() }

// Interrupt breaks the line at the n-th point from now on, counted from 1. With 0 it only counts.
func (w *World) Interrupt(n int64) *Points {
	w.Helper()
	url := w.URL(vectorstore.LoaderRole)
	proxy, err := pgwire.Start(w.Context(), url)
	w.Must(err)
	w.Cleanup(func() { proxy.Close() })
	through, err := proxy.URL(url)
	w.Must(err)
	p := &Points{DB: w.connect(through)}
	point := func() error {
		if p.passed.Add(1) == n {
			return errInterrupted
		}
		return nil
	}
	commit := func(pgwire.Commit) error { return point() }
	call := func(awscall.Call) error { return point() }
	proxy.SetHooks(pgwire.Hooks{BeforeCommit: commit, AfterCommit: commit})
	w.S3.SetHooks(awscall.Hooks{Before: call, After: call})
	return p
}

// every is the step between the points that are tried without -long.
const every = 5

// InterruptedAnywhere wants a run that is interrupted, and then tried again, to end like one that is not. attempt
// makes such a run in a world of its own, interrupted at point n. It returns the state that it leaves and how many
// points it passed.
func InterruptedAnywhere(t *testing.T, attempt func(t *testing.T, n int64) (state []string, points int64)) {
	t.Helper()
	var want []string
	var points int64
	t.Run("undisturbed", func(t *testing.T) { want, points = attempt(t, 0) })
	if points < 2 {
		t.Fatalf("only %d points were found", points)
	}
	all := make([]int64, points)
	for i := range all {
		all[i] = int64(i + 1)
	}
	for _, n := range testbed.Spread(all, every) {
		t.Run(fmt.Sprint("point ", n), func(t *testing.T) {
			if got, _ := attempt(t, n); !slices.Equal(got, want) {
				t.Errorf("interrupted at point %d of %d it leaves\n%v\nwant\n%v", n, points, got, want)
			}
		})
	}
}
