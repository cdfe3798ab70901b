// Command plan-extract is the first step of the training-data stage: it checks the source's schema and cuts
// customerNumber into ranges of about equal numbers of ratings.
//
// Input: workflow.Run. Output: workflow.Plan, also written to lake.PlanKey.
// Errors: InvalidInput, SchemaMismatch, SourceUnavailable, ObjectStoreUnavailable.
package main

import (
	"context"
	"log/slog"

	"recsys/shared/failure"
	"recsys/shared/lake"
	"recsys/shared/metrics"
	"recsys/shared/objectstore"
	"recsys/shared/workflow"
)

const (
	// maxRanges keeps an inline Map far below the 25,000 events that an execution's history may have.
	maxRanges = 400
	// maxConcurrency is where an inline Map stops to start branches at once.
	maxConcurrency = 40
)

// Source is the shop's database as this step needs it: source.Database.
type Source interface {
	CheckSchema(ctx context.Context) error
	// Counts visits customers in ascending order; nil stands for the ratings that have none.
	Counts(ctx context.Context, visit func(customer *int64, ratings int64) error) error
}

// Handler plans runs.
type Handler struct {
	Source         Source
	Lake           *objectstore.Store
	RowsPerRange   int64 // ratings that a range aims at; at least 1
	MaxConcurrency int   // 1 to 40
}

// Handle plans one run. Run again, it plans anew and replaces plan.json: nothing has read it before it answers.
func (h Handler) Handle(ctx context.Context, run workflow.Run) (workflow.Plan, error) {
	if err := h.validate(run); err != nil {
		return workflow.Plan{}, err
	}
	if err := h.Source.CheckSchema(ctx); err != nil {
		return workflow.Plan{}, err
	}
	ranges, rows, err := h.cut(ctx)
	if err != nil {
		return workflow.Plan{}, err
	}
	plan := workflow.Plan{Run: run, Ranges: ranges, MaxConcurrency: h.MaxConcurrency, EstimatedRows: rows}
	if _, err := h.Lake.PutJSON(ctx, lake.PlanKey(run.ID), plan); err != nil {
		return workflow.Plan{}, err
	}
	metrics.Count(ctx, metrics.Rows, rows)
	slog.InfoContext(ctx, "planned", "run", run.ID, "ranges", len(ranges), "rows", rows)
	return plan, nil
}

func (h Handler) validate(run workflow.Run) error {
	if err := run.Validate(); err != nil {
		return err
	}
	if h.RowsPerRange < 1 {
		return failure.Invalidf("rows per range: %d, want at least 1", h.RowsPerRange)
	}
	if h.MaxConcurrency < 1 || h.MaxConcurrency > maxConcurrency {
		return failure.Invalidf("maximum concurrency: %d, want 1 to %d", h.MaxConcurrency, maxConcurrency)
	}
	return nil
}

// cut streams the counts into ranges of RowsPerRange and, where those are too many, joins neighbours.
func (h Handler) cut(ctx context.Context) ([]workflow.Range, int64, error) {
	cuts := cutter{target: h.RowsPerRange}
	var rows int64
	err := h.Source.Counts(ctx, func(customer *int64, ratings int64) error {
		rows += ratings
		if customer != nil {
			cuts.add(*customer, ratings)
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	return ranges(cuts.atMost(maxRanges)), rows, nil
}
