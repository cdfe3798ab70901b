package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
)

// A machine's clock was ahead when a run published, and was then set right. The next run takes the pointer, and the
// objects of the wrong clock go like any other old snapshot.
func TestARunOfTheFutureIsReplaced(t *testing.T) {
	b := setup(t)
	b.KeepSnapshots = 2
	b.publish(t, b.run("before", 0), "published")
	future := workflow.Run{ID: "future", StartedAt: time.Now().Add(48 * time.Hour)}
	b.prepare(t, future, nil)
	b.put(t, lake.ManifestKey(future.ID), lake.Manifest{Snapshot: future.ID, StartedAt: future.StartedAt})
	b.put(t, lake.LatestKey, lake.Latest{
		Snapshot: future.ID, StartedAt: future.StartedAt, Location: b.Lake.URI(lake.SnapshotPrefix(future.ID))})

	b.publish(t, b.run("after", 1), "published")
	b.visible(t, "after")
	if got := b.runs(t); !slices.Equal(got, []string{"after", "before"}) {
		t.Errorf("left: %v", got)
	}
	b.publish(t, b.run("late", 0), "superseded") // the order of the others has not changed

	if _, err := b.Handle(t.Context(), future); !errors.Is(err, failure.InvalidInput) {
		t.Errorf("an attempt of the run of the future: %v", err)
	}
	b.visible(t, "after")
}

// Clocks differ a little. Which run went before is said, and when it started.
func TestASupersededRunSaysByWhich(t *testing.T) {
	for name, test := range map[string]struct {
		winner time.Time
		want   string
	}{
		"a newer run":             {time.Now().Add(-time.Hour), ", after this one: start another run"},
		"one a little in advance": {time.Now().Add(3 * time.Minute), "ahead of this function's clock: set the clocks right"},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.publish(t, workflow.Run{ID: "winner", StartedAt: test.winner}, "published")
			out, err := b.Handle(t.Context(), b.run("loser", 0))
			if err != nil || out.Status != "superseded" {
				t.Fatalf("got %+v, %v", out, err)
			}
			for _, want := range []string{"run winner is visible", test.winner.UTC().Format(time.RFC3339), test.want} {
				if !strings.Contains(out.Reason, want) {
					t.Errorf("%q does not say %q", out.Reason, want)
				}
			}
		})
	}
}
