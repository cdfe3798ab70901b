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

// remains is an export that has left anything.
type remains struct {
	lake.LatestExport      // its run and its start, which is zero if nothing tells it any more
	whole             bool // has its manifest
}

// atWork is how long after its start a run without a manifest counts as at work: longer than any takes.
const atWork = 24 * time.Hour

// tidy removes old exports for as long as there is time. The next export removes the rest, so the run is a success either way.
func (h *Handler) tidy(ctx context.Context, latest lake.LatestExport) {
	tidying, stop := step.Tidying(ctx)
	defer stop()
	if err := h.removeOld(tidying, latest); err != nil {
		slog.WarnContext(ctx, "old exports stay until the next one", "visible", latest.Export, "error", err)
	}
}

func (h *Handler) removeOld(ctx context.Context, latest lake.LatestExport) error {
	folders, err := h.Lake.Folders(ctx, lake.ExportsPrefix)
	if err != nil {
		return err
	}
	var all []remains
	for _, folder := range folders {
		run, ok := lake.RunOfExportPrefix(folder)
		if !ok {
			continue
		}
		r, err := h.identify(ctx, run)
		if err != nil {
			return err
		}
		all = append(all, r)
	}
	for _, old := range obsolete(all, latest, h.Options.KeepExports) {
		if err := h.remove(ctx, old.Export); err != nil {
			return err
		}
		slog.InfoContext(ctx, "removed an old export", "run", old.Export, "whole", old.whole)
	}
	return nil
}

// remove takes the plan first, so that a half-removed export never looks like one at work. Then it takes the manifest, so that it is
// not whole any more.
func (h *Handler) remove(ctx context.Context, run string) error {
	for _, prefix := range []string{
		lake.ExportPlanKey(run), lake.ExportManifestKey(run), lake.ExportPrefix(run),
	} {
		if _, err := h.Lake.DeletePrefix(ctx, prefix); err != nil {
			return err
		}
	}
	return nil
}

// identify finds out when an export's run started, from its plan or its manifest. A file that cannot be decoded is ignored.
func (h *Handler) identify(ctx context.Context, run string) (remains, error) {
	r := remains{LatestExport: lake.LatestExport{Export: run}}
	_, err := h.Lake.Head(ctx, lake.ExportManifestKey(run))
	if err != nil && !errors.Is(err, objectstore.ErrNotFound) {
		return r, err
	}
	r.whole = err == nil
	for _, key := range []string{lake.ExportPlanKey(run), lake.ExportManifestKey(run)} {
		var of struct{ StartedAt time.Time }
		_, err := h.Lake.GetJSON(ctx, key, maxPlan, &of)
		if err == nil {
			r.StartedAt = of.StartedAt
			return r, nil
		}
		if errors.Is(err, failure.ObjectStoreUnavailable) {
			return r, err
		}
	}
	return r, nil
}

// obsolete picks the exports to remove. It keeps the published one and the newest whole ones before it, and spares runs that may
// still be at work.
func obsolete(all []remains, latest lake.LatestExport, keep int) (old []remains) {
	slices.SortFunc(all, func(a, b remains) int {
		switch {
		case a.Export == b.Export:
			return 0
		case newer(a.LatestExport, b.LatestExport):
			return -1
		}
		return 1
	})
	kept := 0
	for _, r := range all {
		switch {
		case newer(r.LatestExport, latest):
		case !r.whole && latest.StartedAt.Sub(r.StartedAt) < atWork:
		case kept == keep:
			old = append(old, r)
		case r.whole:
			kept++
		}
	}
	return old
}
