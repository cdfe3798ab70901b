package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/store/objectstore"
)

const (
	maxReport   = 4 << 10
	maxManifest = 1 << 20
)

// publish makes a run's export visible, whole, or not at all.
func (h *Handler) publish(ctx context.Context, run workflow.Run) (workflow.Exported, error) {
	var plan workflow.ExportPlan
	if _, err := h.Lake.GetJSON(ctx, lake.ExportPlanKey(run.ID), maxPlan, &plan); err != nil {
		return workflow.Exported{}, err
	}
	out := workflow.Exported{Status: superseded, Version: plan.Version, Snapshot: plan.Snapshot}
	manifest, whole, err := h.manifest(ctx, plan)
	if err != nil {
		return out, err
	}
	if !whole {
		out.Reason = fmt.Sprintf("version %d of snapshot %s no longer answered when its lists were written", plan.Version, plan.Snapshot)
		return out, nil
	}
	if err := h.commit(ctx, manifest); err != nil {
		return out, err
	}
	latest, err := h.point(ctx, h.pointer(manifest))
	if err != nil {
		return out, err
	}
	if latest, err = h.describe(ctx, latest); err != nil {
		return out, err
	}
	h.tidy(ctx, latest)
	if latest.Export != run.ID {
		out.Reason = supersededBy(latest)
	} else {
		out.Status, out.Customers, out.Products, out.Location = "published", latest.Customers, latest.Products, latest.Location
		for _, file := range manifest.Files {
			out.Rows += file.Rows
		}
	}
	slog.InfoContext(ctx, out.Status, "run", run.ID, "visible", latest.Export, "version", plan.Version, "customers", out.Customers, "products", out.Products, "rows", out.Rows)
	return out, nil
}

// manifest lists the files of an export from the reports on its ranges. It is false if one has no report, because the version was
// replaced.
func (h *Handler) manifest(ctx context.Context, plan workflow.ExportPlan) (lake.ExportManifest, bool, error) {
	m := lake.ExportManifest{Export: plan.ID, StartedAt: plan.StartedAt, Version: plan.Version, Snapshot: plan.Snapshot, Limit: plan.Limit, Format: plan.Format, CustomerType: plan.CustomerType}
	for _, part := range plan.Ranges {
		var file lake.ExportedFile
		_, err := h.Lake.GetJSON(ctx, lake.ExportReportKey(plan.ID, part.List, part.Index), maxReport, &file)
		if errors.Is(err, objectstore.ErrNotFound) {
			return m, false, nil
		}
		if err != nil {
			return m, false, err
		}
		m.Files = append(m.Files, file)
	}
	return m, true, nil
}

// commit writes the manifest, once. One that is there already belongs to an attempt of ours, and has the same content.
func (h *Handler) commit(ctx context.Context, manifest lake.ExportManifest) error {
	content, err := json.Marshal(manifest)
	if err != nil {
		return fmt.Errorf("encoding the manifest: %w", err)
	}
	key := lake.ExportManifestKey(manifest.Export)
	_, err = h.Lake.Put(ctx, key, bytes.NewReader(content), objectstore.IfAbsent())
	if !errors.Is(err, objectstore.ErrPrecondition) {
		return err
	}
	found, _, err := h.Lake.Get(ctx, key, maxManifest)
	if err == nil && !bytes.Equal(found, content) {
		err = failure.Invalidf("run %s: %s exists with another content: a run's name is used once", manifest.Export, h.Lake.URI(key))
	}
	return err
}

// pointer returns the pointer to an export.
func (h *Handler) pointer(m lake.ExportManifest) lake.LatestExport {
	p := lake.LatestExport{Export: m.Export, StartedAt: m.StartedAt, Location: h.Lake.URI(lake.ExportPrefix(m.Export)),
		Version: m.Version, Snapshot: m.Snapshot, Format: m.Format}
	for _, file := range m.Files {
		if file.List == lake.ExportedProducts {
			p.Products += file.Lists
		} else {
			p.Customers += file.Lists
		}
	}
	return p
}

// point makes the pointer name our export, unless it names a newer one. It returns the pointer's content.
func (h *Handler) point(ctx context.Context, ours lake.LatestExport) (lake.LatestExport, error) {
	for {
		latest, etag, err := h.latest(ctx)
		condition := objectstore.IfMatch(etag)
		switch {
		case errors.Is(err, objectstore.ErrNotFound):
			condition = objectstore.IfAbsent()
		case err != nil:
			return latest, err
		case !newer(ours, latest):
			return latest, nil
		}
		_, err = h.Lake.PutJSON(ctx, lake.LatestExportKey, ours, condition)
		if !errors.Is(err, objectstore.ErrPrecondition) {
			return ours, err
		}
	}
}

func (h *Handler) latest(ctx context.Context) (latest lake.LatestExport, etag string, err error) {
	object, err := h.Lake.GetJSON(ctx, lake.LatestExportKey, lake.MaxLatest, &latest)
	return latest, object.ETag, err
}

// describe brings the Glue tables to the pointer's export, and looks again afterwards: of two runs that write the tables, the last
// one sees the pointer of the other.
func (h *Handler) describe(ctx context.Context, latest lake.LatestExport) (lake.LatestExport, error) {
	for {
		var manifest lake.ExportManifest
		if _, err := h.Lake.GetJSON(ctx, lake.ExportManifestKey(latest.Export), maxManifest, &manifest); err != nil {
			return latest, err
		}
		if err := h.Catalog.Describe(ctx, latest, manifest); err != nil {
			return latest, err
		}
		now, _, err := h.latest(ctx)
		if err != nil || now.Export == latest.Export {
			return latest, err
		}
		latest = now
	}
}

// pointerOf is the pointer that a run would have, to order it by.
func pointerOf(run workflow.Run) lake.LatestExport {
	return lake.LatestExport{Export: run.ID, StartedAt: run.StartedAt}
}

// newer orders exports by the start of their runs, and those of one moment by name. A start in the future is the oldest, because the
// clock was wrong that gave it.
func newer(a, b lake.LatestExport) bool {
	if late := workflow.Ahead(b.StartedAt); late != workflow.Ahead(a.StartedAt) {
		return late
	}
	if a.StartedAt.Equal(b.StartedAt) {
		return a.Export > b.Export
	}
	return a.StartedAt.After(b.StartedAt)
}

func supersededBy(latest lake.LatestExport) string {
	return fmt.Sprintf("run %s, which started at %s, has exported already", latest.Export, latest.StartedAt.UTC().Format(time.RFC3339))
}
