package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"recsys/shared/lake"
	"recsys/shared/objectstore"
	"recsys/shared/workflow"
)

// remains is what a run has left in the lake outside its runs/ folder.
type remains struct {
	run       string
	startedAt time.Time // zero when nothing tells it any more: the run's plan has expired
	whole     bool      // has its manifest
}

// removeOld keeps the published snapshot and the newest whole ones before it, KeepSnapshots together, and
// removes what is older than the oldest of them: other snapshots and what failed runs have left. What is
// newer than the published snapshot belongs to runs that are still at work.
func (h Handler) removeOld(ctx context.Context, latest lake.Latest) error {
	all, err := h.remains(ctx)
	if err != nil {
		return err
	}
	for _, old := range obsolete(all, latest, h.KeepSnapshots) {
		deleted, err := h.remove(ctx, old.run)
		if err != nil {
			return err
		}
		slog.InfoContext(ctx, "removed an old snapshot", "run", old.run, "objects", deleted, "whole", old.whole)
	}
	return nil
}

func obsolete(all []remains, latest lake.Latest, keep int) []remains {
	slices.SortFunc(all, func(a, b remains) int { // newest first
		return cmp.Or(b.startedAt.Compare(a.startedAt), cmp.Compare(b.run, a.run))
	})
	var old []remains
	kept := 0
	for _, r := range all {
		switch {
		case newer(lake.Latest{Snapshot: r.run, StartedAt: r.startedAt}, latest):
		case kept == keep:
			old = append(old, r)
		case r.whole:
			kept++
		}
	}
	return old
}

// remove takes the data set first, the manifest in it before all else: a run that was only half removed is no
// whole snapshot any more, and the next publication finishes the work.
func (h Handler) remove(ctx context.Context, run string) (deleted int, err error) {
	for _, prefix := range []string{lake.SnapshotPrefix(run), lake.RangesPrefix(run)} {
		n, err := h.Lake.DeletePrefix(ctx, prefix)
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// remains lists the runs that have left anything.
func (h Handler) remains(ctx context.Context) ([]remains, error) {
	runs := map[string]bool{}
	for parent, runOf := range map[string]func(string) (string, bool){
		lake.TrainingPrefix: lake.RunOfSnapshotPrefix,
		lake.RangesParent:   lake.RunOfRangesPrefix,
	} {
		folders, err := h.Lake.Folders(ctx, parent)
		if err != nil {
			return nil, err
		}
		for _, folder := range folders {
			if run, ok := runOf(folder); ok {
				runs[run] = true
			}
		}
	}
	var all []remains
	for run := range runs {
		r, err := h.identify(ctx, run)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// identify finds out when a run started: from its plan, which is small, or from its manifest.
func (h Handler) identify(ctx context.Context, run string) (remains, error) {
	r := remains{run: run}
	_, err := h.Lake.Head(ctx, lake.ManifestKey(run))
	if err != nil && !errors.Is(err, objectstore.ErrNotFound) {
		return r, err
	}
	r.whole = err == nil
	var plan workflow.Plan
	_, err = h.Lake.GetJSON(ctx, lake.PlanKey(run), maxPlan, &plan)
	if err == nil || !errors.Is(err, objectstore.ErrNotFound) || !r.whole {
		r.startedAt = plan.StartedAt
		return r, ignoreNotFound(err)
	}
	var manifest lake.Manifest
	_, err = h.Lake.GetJSON(ctx, lake.ManifestKey(run), maxManifest, &manifest)
	r.startedAt = manifest.StartedAt
	return r, ignoreNotFound(err)
}

// ignoreNotFound passes over what another publication has just removed.
func ignoreNotFound(err error) error {
	if errors.Is(err, objectstore.ErrNotFound) {
		return nil
	}
	return err
}
