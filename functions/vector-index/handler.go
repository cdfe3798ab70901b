// Command vector-index builds the index of a loaded version, measures its recall, and makes it the active version. Or it
// activates a kept version, or goes back to the version before.
//
// Input: workflow.IndexInput. Output: workflow.Indexed. Reads: the version's row and tables. Writes its index, the
// active version and the views. Drops old and failed versions and their lake.VersionKey objects. Errors:
// InvalidInput, RecallTooLow. Retried: ObjectStoreUnavailable, VectorStoreUnavailable.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/metrics"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// Handler indexes and activates versions.
type Handler struct {
	Artifacts    *objectstore.Store
	DB           *pgxpool.Pool
	Index        HNSW
	Target       float64 // recall@10 that an active version must have, 0 to 1
	Queries      int     // how many items and users measure it
	KeepVersions int     // the active one among them
}

// Handle activates a version, new or kept, or rolls back. Tried again it says the same.
func (h *Handler) Handle(ctx context.Context, in workflow.IndexInput) (workflow.Indexed, error) {
	if err := in.Validate(); err != nil {
		return workflow.Indexed{}, err
	}
	switch {
	case in.Rollback:
		return h.rollback(ctx, in.Run)
	case in.Activate > 0:
		return h.reactivate(ctx, in.Activate, in.Run)
	}
	return h.activate(ctx, in.Version)
}

func (h *Handler) activate(ctx context.Context, number int64) (workflow.Indexed, error) {
	version, found, err := vectorstore.OfVersion(ctx, h.DB, number)
	if err != nil {
		return workflow.Indexed{}, err
	}
	if !found || version.Status == vectorstore.Loading || version.ItemCount == 0 {
		return workflow.Indexed{}, failure.Invalidf("version %d has not been loaded", number)
	}
	if version.Status == vectorstore.Failed {
		h.tidy(ctx)
		return workflow.Indexed{}, failure.RecallTooLow.Wrap(errors.New(version.Failure))
	}
	active, exists, err := vectorstore.Current(ctx, h.DB)
	if err != nil {
		return workflow.Indexed{}, err
	}
	// The transaction below decides. This question only spares the build of an index that nobody needs.
	if !exists || active.Version < number && version.Status != vectorstore.Retired {
		if active, err = h.indexAndActivate(ctx, version); err != nil {
			return workflow.Indexed{}, err
		}
	}
	h.tidy(ctx)
	if active.Version != number {
		out := indexed("superseded", active)
		out.Reason = fmt.Sprintf("version %d became active meanwhile, and stays", active.Version)
		slog.WarnContext(ctx, out.Status, "version", number, "reason", out.Reason)
		return out, nil
	}
	return indexed("activated", active), nil
}

func (h *Handler) indexAndActivate(ctx context.Context, version vectorstore.Record) (vectorstore.Record, error) {
	if version.Dropped {
		return vectorstore.Record{}, failure.Invalidf("version %d was dropped", version.Version)
	}
	if err := h.Index.build(ctx, h.DB, version); err != nil {
		return vectorstore.Record{}, err
	}
	measured, err := measure(ctx, h.DB, version, h.Queries, h.Target)
	if err == nil {
		err = measured.measureBlend(ctx, h.DB, version, h.Queries, h.Target)
	}
	if err != nil {
		return vectorstore.Record{}, err
	}
	slog.InfoContext(ctx, "recall measured", "version", version.Version, "sequential", measured.sequential, "ladder", measured.String())
	if measured.best().recall < h.Target {
		return vectorstore.Record{}, h.tooLow(ctx, version, measured)
	}
	best := measured.best()
	metrics.Ratio(ctx, metrics.Recall, best.recall)
	active, err := vectorstore.Activate(ctx, h.DB, version.Version, best.recall, best.efSearch)
	if err == nil {
		slog.InfoContext(ctx, "activated", "version", active.Version, "recall", active.Recall, "efSearch", active.EfSearch)
	}
	return active, err
}

// tooLow records that the version never will answer, and leaves nothing of it.
func (h *Handler) tooLow(ctx context.Context, version vectorstore.Record, measured measurement) error {
	err := failure.RecallTooLow.Errorf(
		"version %d: recall@%d stays under %.3f with m=%d, ef_construction=%d: %s; raise hnswM and hnswEfConstruction, or lower recallTarget",
		version.Version, neighbours, h.Target, h.Index.M, h.Index.EfConstruction, measured)
	if failing := vectorstore.Fail(ctx, h.DB, version.Version, version.Artifacts, err.Error()); failing != nil {
		return failing // tried again: it ends with err and a record of it
	}
	h.tidy(ctx)
	return err
}

func (h *Handler) rollback(ctx context.Context, run workflow.Run) (workflow.Indexed, error) {
	active, err := vectorstore.Rollback(ctx, h.DB, run.ID)
	if err != nil {
		return workflow.Indexed{}, err
	}
	slog.InfoContext(ctx, "rolled back", "active", active.Version)
	return indexed("rolled-back", active), nil
}

func (h *Handler) reactivate(ctx context.Context, version int64, run workflow.Run) (workflow.Indexed, error) {
	active, err := vectorstore.Reactivate(ctx, h.DB, version, run.ID)
	if err != nil {
		return workflow.Indexed{}, err
	}
	slog.InfoContext(ctx, "activated again", "active", active.Version)
	return indexed("activated", active), nil
}

func indexed(status string, active vectorstore.Record) workflow.Indexed {
	return workflow.Indexed{Status: status, Version: active.Version, Recall: active.Recall, EfSearch: active.EfSearch}
}
