package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/runtime/step"
	"recsys/shared/store/objectstore"
)

// remains are the objects of a run in the lake outside its runs/ folder.
type remains struct {
	run       string
	startedAt time.Time // zero when nothing tells it any more: the run's plan is gone, and its manifest
	whole     bool      // has its manifest
}

// latest is the pointer that the run would have, to order it by.
func (r remains) latest() lake.Latest { return lake.Latest{Snapshot: r.run, StartedAt: r.startedAt} }

// patience is how long after its start a run without a manifest counts as at work: longer than any takes.
const patience = 24 * time.Hour

// tidy removes old objects for as long as there is time. The next publication removes the rest, so the run is a
// success either way.
func (h Handler) tidy(ctx context.Context, latest lake.Latest) {
	tidying, stop := step.Tidying(ctx)
	defer stop()
	if err := h.removeOld(tidying, latest); err != nil {
		slog.WarnContext(ctx, "old snapshots stay until the next publication", "visible", latest.Snapshot, "error", err)
	}
}

// removeOld keeps the published snapshot and the newest whole ones before it, KeepSnapshots together. It removes
// everything older than the oldest of them: other snapshots and remains of failed runs. Runs that may still be at
// work are spared: those newer than the published one, and older ones within patience.
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

// obsolete picks the snapshots to remove, newest first.
func obsolete(all []remains, latest lake.Latest, keep int) []remains {
	slices.SortFunc(all, func(a, b remains) int {
		switch {
		case a.run == b.run:
			return 0
		case newer(a.latest(), b.latest()):
			return -1
		}
		return 1
	})
	var old []remains
	kept := 0
	for _, r := range all {
		switch {
		case newer(r.latest(), latest):
		case !r.whole && latest.StartedAt.Sub(r.startedAt) < patience:
		case kept == keep:
			old = append(old, r)
		case r.whole:
			kept++
		}
	}
	return old
}

// remove takes the run's plan first, so that a half-removed run never looks like one at work. Then it takes the
// manifest, so that it is no whole snapshot any more and the next publication finishes the work.
func (h Handler) remove(ctx context.Context, run string) (deleted int, err error) {
	for _, prefix := range []string{lake.PlanKey(run), lake.ManifestKey(run), lake.SnapshotPrefix(run), lake.RangesPrefix(run)} {
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

// identify finds out when a run started: from its plan, which is small but expires, or from its manifest. A file that
// cannot be decoded is ignored: it must neither keep its snapshot alive nor stop the clean-up of others.
func (h Handler) identify(ctx context.Context, run string) (remains, error) {
	_, err := h.Lake.Head(ctx, lake.ManifestKey(run))
	if err != nil && !errors.Is(err, objectstore.ErrNotFound) {
		return remains{}, err
	}
	r := remains{run: run, whole: err == nil}
	for _, key := range []string{lake.PlanKey(run), lake.ManifestKey(run)} {
		var of struct{ StartedAt time.Time }
		_, err := h.Lake.GetJSON(ctx, key, maxManifest, &of)
		if err == nil {
			r.startedAt = of.StartedAt
			return r, nil
		}
		if errors.Is(err, failure.ObjectStoreUnavailable) {
			return r, err
		}
	}
	return r, nil
}
