// Command plan-extract is the first step of the training-data stage. It checks the source against the shop, finds the
// types of its columns, and cuts the customers into ranges of about equal numbers of interactions.
//
// Input: workflow.PlanInput. Output: workflow.Plan, also written to lake.PlanKey, once. Before the plan it writes the
// shop with all types to lake.ShapeKey. A shop in files is read whole: then it also writes the objects of lake.RawKey, which
// extract writes otherwise.
// Errors: InvalidInput, SchemaMismatch, SourceShrank, SourceUnavailable, ObjectStoreUnavailable.
package main

import (
	"context"
	"errors"
	"log/slog"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/metrics"
	"recsys/shared/shop/runshop"
	"recsys/shared/shop/source"
	"recsys/shared/shop/sourcesize"
	"recsys/shared/store/objectstore"
)

const (
	// maxRanges keeps an inline Map far below the 25,000 events that an execution's history may have.
	maxRanges = 400
	// maxConcurrency is where an inline Map stops to start branches at once.
	maxConcurrency = 40
	// maxPlan bounds the size of a plan, in bytes. A range takes about 60, and more with long keys.
	maxPlan = 1 << 20
)

// Source is the shop's database as this step needs it: source.Database.
type Source interface {
	// Survey checks the source against the shop and visits customers in ascending order.
	Survey(ctx context.Context, shop shape.Shop, visit func(key *string, interactions int64)) (source.Survey, error)
}

// Handler plans runs.
type Handler struct {
	Source         Source
	Shop           shape.Shop
	Identity       string  // of the source
	Shrinkage      float64 // a sourcesize.Rule's Share
	Lake           *objectstore.Store
	Layout         settings.Layout
	RowsPerRange   int64 // interactions that a range aims at, at least 1
	MaxConcurrency int   // 1 to 40
}

// Handle plans one run. A second attempt answers with the first one's plan. The state machine and
// publish-training-data must go on with the same plan, however many attempts are still alive.
func (h Handler) Handle(ctx context.Context, in workflow.PlanInput) (workflow.Plan, error) {
	if err := h.validate(in); err != nil {
		return workflow.Plan{}, err
	}
	run := in.Run
	if plan, err := h.planned(ctx, run); !errors.Is(err, objectstore.ErrNotFound) {
		return plan, err
	}
	cut, err := h.cut(ctx)
	if err != nil {
		return workflow.Plan{}, err
	}
	defer cut.close()
	found := cut.found
	plan := workflow.Plan{
		Run: run, Ranges: cut.ranges, MaxConcurrency: h.MaxConcurrency, EstimatedRows: found.Interactions,
		Source: h.Identity, Products: found.Products, Warnings: found.Warnings,
	}
	active, err := sourcesize.Active(ctx, h.Lake)
	if err != nil {
		return workflow.Plan{}, err
	}
	if err := h.compare(in, &plan, found, active); err != nil {
		return workflow.Plan{}, err
	}
	found.Shop.Layout, err = layoutOf(h.Layout, found.Shop, found.Customers, cut.span, h.Identity, active)
	if err != nil {
		return workflow.Plan{}, err
	}
	if err := runshop.Write(ctx, h.Lake, run.ID, found.Shop); err != nil {
		return workflow.Plan{}, err
	}
	if err := cut.write(ctx, h.Lake, run.ID, found.Shop); err != nil {
		return workflow.Plan{}, err
	}
	_, err = h.Lake.PutJSON(ctx, lake.PlanKey(run.ID), plan, objectstore.IfAbsent())
	if errors.Is(err, objectstore.ErrPrecondition) {
		return h.planned(ctx, run) // another attempt came between
	}
	if err != nil {
		return workflow.Plan{}, err
	}
	metrics.Count(ctx, metrics.Rows, found.Interactions)
	for _, warning := range plan.Warnings {
		slog.WarnContext(ctx, "the source is slow to read", "run", run.ID, "warning", warning)
	}
	slog.InfoContext(ctx, "planned", "run", run.ID, "ranges", len(cut.ranges), "rows", found.Interactions)
	return plan, nil
}

// compare compares the source with the active snapshot, before the costly steps, and notes that in the plan. The counts
// can only become less on the way.
func (h Handler) compare(in workflow.PlanInput, plan *workflow.Plan, found source.Survey, active lake.Latest) (err error) {
	if len(in.Input) > 0 {
		asked, err := workflow.ParseInput(in.Input)
		if err != nil {
			return err
		}
		plan.AcceptShrunkSource = asked.AcceptShrunkSource
	}
	now := lake.Size{
		Source: h.Identity, Shop: found.Shop.Hash, Rows: plan.EstimatedRows, Customers: found.Customers, Products: plan.Products,
	}
	if found.Shop.InFiles() { // publish-training-data counts them, and compares again
		now.Customers = active.Customers
	}
	if !found.Shop.HasProducts() {
		now.Products = active.Products
	}
	if source.Estimated(found.Shop) { // counts of orders are no counts of their lines
		now.Rows = active.Rows
	}
	plan.Comparison, err = sourcesize.Rule{Share: h.Shrinkage, Accept: plan.AcceptShrunkSource}.Check(now, active)
	return err
}

// planned is the plan that an earlier attempt of the run has left, or ErrNotFound. A run of the same name that
// started at another time is InvalidInput, because this one would write over its objects. Its plan may have expired
// while its snapshot is still there.
func (h Handler) planned(ctx context.Context, run workflow.Run) (plan workflow.Plan, err error) {
	_, err = h.Lake.GetJSON(ctx, lake.PlanKey(run.ID), maxPlan, &plan)
	used := err == nil && !plan.StartedAt.Equal(run.StartedAt)
	if errors.Is(err, objectstore.ErrNotFound) {
		_, err = h.Lake.Head(ctx, lake.ManifestKey(run.ID))
		used = err == nil
	}
	if used {
		err = failure.Invalidf("run %s, started at %v: a run of that name was there before: a run's name is used once", run.ID, run.StartedAt)
	}
	if err != nil {
		return workflow.Plan{}, err
	}
	return plan, nil
}

func (h Handler) validate(in workflow.PlanInput) error {
	if err := in.Validate(); err != nil {
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
