package main

import (
	"errors"
	"strings"
	"testing"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/store/objectstore"
)

// plan replaces the plan that prepare left.
func (b bundle) plan(t *testing.T, run workflow.Run, source string, products int64, accept bool) {
	t.Helper()
	b.put(t, lake.PlanKey(run.ID), workflow.Plan{
		Run: run, Ranges: []workflow.Range{{Index: 0}, {Index: 1}}, Source: source, Products: products, AcceptShrunkSource: accept, Comparison: "as planned",
	})
}

func TestASourceThatShrankIsNotPublished(t *testing.T) {
	b := setup(t)
	b.Shrinkage = 0.5
	full := b.run("full", 0)
	b.prepare(t, full, nil)
	b.plan(t, full, "shop", 10, false)
	if out, err := b.Handle(t.Context(), full); err != nil || out.Comparison != "as planned" {
		t.Fatalf("the first run: %+v, %v", out, err)
	}

	shrunk := b.run("shrunk", 1)
	b.prepare(t, shrunk, nil)
	b.plan(t, shrunk, "shop", 4, false)
	_, err := b.Handle(t.Context(), shrunk)
	if !errors.Is(err, failure.SourceShrank) || !strings.Contains(err.Error(), "4 products instead of 10") {
		t.Errorf("got %v", err)
	}
	b.visible(t, "full")
	if _, err := b.Lake.Head(t.Context(), lake.ManifestKey("shrunk")); !errors.Is(err, objectstore.ErrNotFound) {
		t.Errorf("there is a snapshot: %v", err)
	}

	b.plan(t, shrunk, "shop", 4, true)
	if out, err := b.Handle(t.Context(), shrunk); err != nil || out.Status != published {
		t.Errorf("accepted: %+v, %v", out, err)
	}
	b.visible(t, "shrunk")
	if out, err := b.Handle(t.Context(), shrunk); err != nil || out.Status != published {
		t.Errorf("a second attempt: %+v, %v", out, err)
	}

	other := b.run("other", 2)
	b.prepare(t, other, nil)
	b.plan(t, other, "another shop", 1, false)
	if out, err := b.Handle(t.Context(), other); err != nil || out.Status != published {
		t.Errorf("another source: %+v, %v", out, err)
	}
}
