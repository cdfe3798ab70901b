package main

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/metrics"
	"recsys/shared/objectstore"
	"recsys/shared/vectorstore"
	"recsys/shared/workflow"
)

// Handler loads versions.
type Handler struct {
	Artifacts *objectstore.Store
	Lake      *objectstore.Store
	DB        *pgxpool.Pool
	Metric    vectorstore.Metric // of the versions that it loads
}

// Handle loads what was handed over, unless that is the active version already, or one that was rolled back.
// A run that is tried again gets the same version.
func (h *Handler) Handle(ctx context.Context, run workflow.Run) (workflow.Uploaded, error) {
	if err := run.Validate(); err != nil {
		return workflow.Uploaded{}, err
	}
	handOver, err := look(ctx, h.Artifacts)
	if err != nil {
		return workflow.Uploaded{}, err
	}
	if handOver == nil {
		slog.InfoContext(ctx, "no artifacts have been handed over", "run", run.ID)
		return workflow.Uploaded{Status: "no-artifacts"}, nil
	}
	earlier, tried, err := vectorstore.OfRun(ctx, h.DB, run.ID)
	if err != nil {
		return workflow.Uploaded{}, err
	}
	if tried && earlier.Status != vectorstore.Loading && earlier.Status != vectorstore.Failed {
		return uploaded("uploaded", earlier), nil
	}
	same, found, err := vectorstore.SameArtifacts(ctx, h.DB, handOver.etags(), h.Metric)
	if err != nil {
		return workflow.Uploaded{}, err
	}
	if found && tried && earlier.Status == vectorstore.Loading {
		// Handed over anew while this run loaded, and a newer run was faster: this version never will be whole.
		if err := vectorstore.Fail(ctx, h.DB, earlier.Version, "its artifacts were handed over anew while it was loaded"); err != nil {
			return workflow.Uploaded{}, err
		}
	}
	if found {
		return h.unchanged(ctx, same)
	}
	return h.upload(ctx, run, handOver)
}

// unchanged keeps the active version, with the newest popularity.
func (h *Handler) unchanged(ctx context.Context, same vectorstore.Record) (workflow.Uploaded, error) {
	active, _, err := vectorstore.Current(ctx, h.DB)
	if err != nil {
		return workflow.Uploaded{}, err
	}
	if same.RolledBack && same.Version != active.Version {
		slog.WarnContext(ctx, "these artifacts were rolled back: they are not loaded again; hand over others",
			"rolledBack", same.Version, "active", active.Version)
	}
	if err := h.refreshPopularity(ctx, active.Version); err != nil {
		return workflow.Uploaded{}, err
	}
	slog.InfoContext(ctx, "the artifacts have not changed", "active", active.Version)
	return uploaded("unchanged", active), nil
}

func (h *Handler) upload(ctx context.Context, run workflow.Run, handOver handOver) (workflow.Uploaded, error) {
	version, err := vectorstore.Allocate(ctx, h.DB, run.ID, h.Metric, handOver.etags(), handOver.hasModel())
	if err != nil {
		return workflow.Uploaded{}, err
	}
	loaded, err := h.fill(ctx, version, handOver)
	if isInvalid(err) {
		if failing := vectorstore.Fail(ctx, h.DB, version, err.Error()); failing != nil {
			slog.WarnContext(ctx, "the failure is not recorded", "version", version, "error", failing)
		}
	}
	if err != nil {
		return workflow.Uploaded{}, err
	}
	metrics.Count(ctx, metrics.Rows, loaded.ItemCount+loaded.UserCount)
	slog.InfoContext(ctx, "loaded", "version", version, "items", loaded.ItemCount, "users", loaded.UserCount,
		"dimension", loaded.Dimension, "model", handOver.hasModel())
	return uploaded("uploaded", loaded), nil
}

// fill copies the artifacts to the version and loads the copies: the originals may change at any time.
func (h *Handler) fill(ctx context.Context, version int64, handOver handOver) (vectorstore.Record, error) {
	if err := handOver.copyTo(ctx, h.Artifacts, version); err != nil {
		return vectorstore.Record{}, err
	}
	counts, err := latestCounts(ctx, h.Lake)
	if err != nil {
		return vectorstore.Record{}, err
	}
	defer counts.Close()
	return load(ctx, h.Artifacts, h.DB, version, handOver.hasModel(), counts.popularity())
}

func uploaded(status string, r vectorstore.Record) workflow.Uploaded {
	return workflow.Uploaded{Status: status, Version: r.Version, Dimension: r.Dimension, Items: r.ItemCount, Users: r.UserCount}
}
