// Command publish-training-data makes a run's snapshot visible, whole or not at all, and removes old ones.
//
// Input: workflow.Run. Output: workflow.Published. Reads lake.PlanKey, lake.ShapeKey, lake.RangeReportKey and lake.RangeKey of every
// range. Writes, in this order, lake.PopularityKey, lake.ProductsKey of a shop that lists no products, lake.ManifestKey
// (once), lake.LatestKey (compare and swap) and the Glue table. Errors: InvalidInput, SchemaMismatch, TooManyRejectedRows, SourceShrank. Retried:
// ObjectStoreUnavailable, CatalogUnavailable.
//
// A crash is safe at each point. Before the pointer, readers see the snapshot before. The pointer is one object.
// After it, every attempt brings the Glue table to the pointer's snapshot, its own or another. Steps that were done
// before are found done: the manifest has the same content, the pointer names the run.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/metrics"
	"recsys/shared/shop/sourcesize"
	"recsys/shared/store/objectstore"
)

// Handler publishes snapshots.
type Handler struct {
	Lake                *objectstore.Store
	Catalog             Catalog
	MaxRejectedFraction float64 // of a run's rows, 0 to 1
	Shrinkage           float64 // a sourcesize.Rule's Share
	KeepSnapshots       int     // the published one among them, at least 1
}

const (
	published  = "published"
	superseded = "superseded"
)

// Handle publishes one run, unless a newer one was published already.
func (h Handler) Handle(ctx context.Context, run workflow.Run) (workflow.Published, error) {
	if err := h.validate(run); err != nil {
		return workflow.Published{}, err
	}
	latest, ours, err := h.publish(ctx, run)
	if err != nil {
		return workflow.Published{}, err
	}
	if latest, err = h.describe(ctx, latest, ours.Manifest); err != nil {
		return workflow.Published{}, err
	}
	h.tidy(ctx, latest)
	out := workflow.Published{Status: superseded, Snapshot: run.ID, Reason: supersededBy(latest)}
	if latest.Snapshot == run.ID {
		out = workflow.Published{
			Status: published, Snapshot: run.ID, Partitions: int64(len(ours.Partitions) + len(ours.Parts)),
			Rows: ours.Rows, Rejected: total(ours.Rejected), Skipped: total(ours.Skipped), Comparison: ours.comparison,
		}
	}
	metrics.Count(ctx, metrics.Rows, out.Rows)
	metrics.Count(ctx, metrics.RejectedRows, out.Rejected)
	slog.InfoContext(ctx, out.Status, "run", run.ID, "visible", latest.Snapshot, "reason", out.Reason, "partitions", out.Partitions,
		"rows", out.Rows, "rejected", out.Rejected, "skipped", out.Skipped, "comparison", out.Comparison)
	return out, nil
}

// supersededBy says why nothing of a run is visible.
func supersededBy(latest lake.Latest) string {
	reason := fmt.Sprintf("run %s is visible, which started at %s", latest.Snapshot, latest.StartedAt.UTC().Format(time.RFC3339))
	if ahead := time.Until(latest.StartedAt).Round(time.Second); ahead > 0 {
		return fmt.Sprintf("%s, %v ahead of this function's clock: set the clocks right and start another run", reason, ahead)
	}
	return reason + ", after this one: start another run for what has changed since"
}

// publication is a run's snapshot and its plan's comparison.
type publication struct {
	lake.Manifest
	comparison string
}

// publish makes the run's snapshot whole and the pointer name it. It returns the pointer as it is then. If a newer run
// was published before, there is no publication, because this run's files may be gone already.
func (h Handler) publish(ctx context.Context, run workflow.Run) (latest lake.Latest, ours publication, err error) {
	latest, _, err = h.latest(ctx)
	if err != nil && !errors.Is(err, objectstore.ErrNotFound) {
		return latest, ours, err
	}
	if newer(latest, lake.Latest{Snapshot: run.ID, StartedAt: run.StartedAt}) {
		return latest, ours, nil
	}
	var plan workflow.Plan
	if _, err := h.Lake.GetJSON(ctx, lake.PlanKey(run.ID), maxPlan, &plan); err != nil {
		return latest, ours, err
	}
	ours.comparison = plan.Comparison
	if ours.Manifest, err = h.manifest(ctx, plan); err != nil {
		return latest, ours, err
	}
	if err := h.tolerate(ours.Manifest); err != nil {
		return latest, ours, err
	}
	if err := h.countPopularity(ctx, &ours.Manifest); err != nil {
		return latest, ours, err
	}
	if latest.Snapshot != run.ID { // an attempt before has compared, and published
		rule := sourcesize.Rule{Share: h.Shrinkage, Accept: plan.AcceptShrunkSource}
		if _, err := rule.Check(ours.Size(), latest); err != nil {
			return latest, ours, err
		}
	}
	if err := h.commit(ctx, ours.Manifest); err != nil {
		return latest, ours, err
	}
	latest, err = h.point(ctx, ours.Manifest)
	return latest, ours, err
}

func (h Handler) validate(run workflow.Run) error {
	if err := run.Validate(); err != nil {
		return err
	}
	if h.KeepSnapshots < 1 {
		return failure.Invalidf("snapshots to keep: %d, want at least 1", h.KeepSnapshots)
	}
	if !(h.MaxRejectedFraction >= 0 && h.MaxRejectedFraction <= 1) {
		return failure.Invalidf("rejected fraction: %v, want 0 to 1", h.MaxRejectedFraction)
	}
	if !(h.Shrinkage >= 0 && h.Shrinkage <= 1) {
		return failure.Invalidf("share that a source may shrink to: %v, want 0 to 1", h.Shrinkage)
	}
	return nil
}

// describe brings the Glue table to the pointer's snapshot, and looks again afterwards. If two runs write the table,
// the last one sees the pointer of the other, so the table ends with the newer one. The manifest is read where the
// pointer names another snapshot than it is of.
func (h Handler) describe(ctx context.Context, latest lake.Latest, manifest lake.Manifest) (lake.Latest, error) {
	for {
		if manifest.Snapshot != latest.Snapshot {
			manifest = lake.Manifest{}
			if _, err := h.Lake.GetJSON(ctx, lake.ManifestKey(latest.Snapshot), maxManifest, &manifest); err != nil {
				return latest, err
			}
		}
		if err := h.Catalog.Describe(ctx, latest, manifest); err != nil {
			return latest, err
		}
		now, _, err := h.latest(ctx)
		if err != nil || now.Snapshot == latest.Snapshot {
			return latest, err
		}
		latest = now
	}
}
