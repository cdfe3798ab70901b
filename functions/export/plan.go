package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/jackc/pgx/v5"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

const (
	// mostWork bounds the multiplications of a range, so that it ends long before its function's time does.
	mostWork = 2_000_000_000_000
	// mostLists and fewestLists bound the customers or products of a range.
	mostLists, fewestLists = 50_000, 500
	// mostRanges bounds the state's payload, with the longest ids.
	mostRanges = 150
	// concurrency is how many ranges are worked on at once. The vector database answers customers meanwhile.
	concurrency = 4

	maxPlan = 1 << 20
)

// lists maps the option to the lists that it names.
var lists = map[string][]string{
	"customers": {lake.ExportedCustomers}, "products": {lake.ExportedProducts}, "all": {lake.ExportedCustomers, lake.ExportedProducts},
}

// plan cuts what there is to export into ranges. Another attempt of the run finds the first one's plan.
func (h *Handler) plan(ctx context.Context, run workflow.Run) (workflow.ExportPlan, error) {
	var plan workflow.ExportPlan
	_, err := h.Lake.GetJSON(ctx, lake.ExportPlanKey(run.ID), maxPlan, &plan)
	if err == nil || !errors.Is(err, objectstore.ErrNotFound) {
		return plan, err
	}
	if plan, err = h.newPlan(ctx, run); err != nil {
		return plan, err
	}
	slog.InfoContext(ctx, plan.Status, "run", run.ID, "version", plan.Version, "snapshot", plan.Snapshot, "ranges", len(plan.Ranges), "reason", plan.Reason)
	if plan.Status != "planned" {
		return plan, nil
	}
	_, err = h.Lake.PutJSON(ctx, lake.ExportPlanKey(run.ID), plan, objectstore.IfAbsent())
	if errors.Is(err, objectstore.ErrPrecondition) { // an attempt that has lost its caller was faster
		_, err = h.Lake.GetJSON(ctx, lake.ExportPlanKey(run.ID), maxPlan, &plan)
	}
	return plan, err
}

func (h *Handler) newPlan(ctx context.Context, run workflow.Run) (workflow.ExportPlan, error) {
	plan := workflow.ExportPlan{Run: run, Status: "off", Limit: h.Options.ExportLimit, Format: h.Options.ExportFormat,
		Ranges: []workflow.ListRange{}, MaxConcurrency: concurrency}
	wanted := lists[h.Options.Export]
	if wanted == nil {
		return plan, nil
	}
	active, found, err := vectorstore.ReadActive(ctx, h.DB)
	if err != nil {
		return plan, err
	}
	plan.Version, plan.Snapshot, plan.CustomerType = active.Version, active.Snapshot, shape.OrLab(active.Shop).Customer.Type
	latest, _, err := h.latest(ctx)
	if err != nil && !errors.Is(err, objectstore.ErrNotFound) {
		return plan, err
	}
	err = nil
	switch {
	case !found || active.Version == vectorstore.WithoutModel:
		plan.Status, plan.Reason = "no-version", "no version is active"
	case active.Catalogue == "":
		plan.Status, plan.Reason = "no-catalogue", fmt.Sprintf("version %d was loaded by an earlier release, and the next one will be exported", active.Version)
	case newer(latest, pointerOf(run)):
		plan.Status, plan.Reason = superseded, supersededBy(latest)
	default:
		plan.Status = "planned"
		plan.Ranges, err = h.cut(ctx, active, wanted)
	}
	return plan, err
}

// cut cuts the lists into ranges of about equal work.
func (h *Handler) cut(ctx context.Context, active vectorstore.ActiveVersion, wanted []string) ([]workflow.ListRange, error) {
	var ranges []workflow.ListRange
	ofRow := active.ItemCount * int64(active.Dimension)
	for _, list := range wanted {
		of, err := h.cutList(ctx, active, list, min(mostLists, max(fewestLists, mostWork/max(ofRow, 1))))
		if err != nil {
			return nil, err
		}
		ranges = append(ranges, of...)
	}
	return ranges, nil
}

// cutList cuts a list into ranges of size ids, and of more if there would be too many. A list without ids is one range.
func (h *Handler) cutList(ctx context.Context, active vectorstore.ActiveVersion, list string, size int64) ([]workflow.ListRange, error) {
	ids := idsOf(active, list)
	var total int64
	if err := h.DB.QueryRow(ctx, `select count(*) from (`+ids+`) ids`).Scan(&total); err != nil {
		return nil, vectorstore.Wrap("counting the "+list, err)
	}
	size = max(size, (total+mostRanges-1)/mostRanges)
	rows, err := h.DB.Query(ctx, `select id::text from (select id, row_number() over (order by id) as place from (`+ids+`) ids) numbered
		where place % $1 = 0 and place < $2 order by place`, size, total)
	if err != nil {
		return nil, vectorstore.Wrap("cutting the "+list, err)
	}
	ends, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, vectorstore.Wrap("cutting the "+list, err)
	}
	ranges := make([]workflow.ListRange, len(ends)+1)
	for i := range ranges {
		ranges[i].List, ranges[i].Index = list, i
		if i > 0 {
			ranges[i].After = &ends[i-1]
		}
		if i < len(ends) {
			ranges[i].UpTo = &ends[i]
		}
	}
	return ranges, nil
}

// idsOf selects the ids that have a list. Customers have a vector or a history, and products are in the catalogue and in the newest
// snapshot.
func idsOf(v vectorstore.ActiveVersion, list string) string {
	if list == lake.ExportedProducts {
		gone := ""
		if v.HasCodes {
			gone = fmt.Sprintf(` where not exists (select from %s k where k.item = i.id and k.gone)`, vectorstore.CodeTable(v.Version))
		}
		return fmt.Sprintf(`select i.id from %s i`, vectorstore.ItemTable(v.Version)) + gone
	}
	tables := []string{fmt.Sprintf(`select id from %s`, vectorstore.UserTable(v.Version))}
	if v.HasShop {
		tables = append(tables, fmt.Sprintf(`select customer from %s`, vectorstore.RatedTable(v.Version)))
	}
	if v.BlendKind != "" {
		tables = append(tables, fmt.Sprintf(`select customer from %s`, vectorstore.HistoryTable(v.Version)))
	}
	union := tables[0]
	for _, table := range tables[1:] {
		union += " union " + table
	}
	return union
}

// has reports whether a range is in the plan.
func has(plan workflow.ExportPlan, part workflow.ListRange) bool {
	return slices.ContainsFunc(plan.Ranges, func(r workflow.ListRange) bool { return r.List == part.List && r.Index == part.Index })
}
