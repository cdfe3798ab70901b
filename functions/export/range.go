package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/metrics"
	"recsys/shared/serving/answers"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
)

// batch is how many customers or products are asked for at once.
const batch = 1024

// asking is how many batches are under way. While one waits for PostgreSQL, another is ranked.
const asking = 2

// export writes the lists of one range. Run again, it writes the same object. In memory are the catalogue and the lists of some
// batches.
func (h *Handler) export(ctx context.Context, run workflow.Run, part workflow.ListRange) (workflow.Exported, error) {
	var plan workflow.ExportPlan
	if _, err := h.Lake.GetJSON(ctx, lake.ExportPlanKey(run.ID), maxPlan, &plan); err != nil {
		return workflow.Exported{}, err
	}
	if !has(plan, part) {
		return workflow.Exported{}, failure.Invalidf("run %s: the plan has no range %d of the %s", run.ID, part.Index, part.List)
	}
	out := workflow.Exported{Status: superseded, Version: plan.Version, Snapshot: plan.Snapshot}
	active, same, err := h.stillAs(ctx, plan)
	if err != nil || !same {
		return out, err
	}
	if exact, err := h.answers.Exact(ctx); err != nil || !exact {
		return out, cannotSearch(plan.Version, err)
	}
	file, err := h.write(ctx, plan, active, part)
	if err != nil {
		return out, err
	}
	defer file.Close()
	// If the version was the same before and after, it was the same in between: neither versions nor snapshots come back.
	if _, same, err = h.stillAs(ctx, plan); err != nil || !same {
		return out, err
	}
	if err := h.put(ctx, plan, part, file); err != nil {
		return out, err
	}
	out.Status, out.Rows = "written", file.rows
	metrics.Count(ctx, metrics.Rows, file.rows)
	slog.InfoContext(ctx, "exported", "run", run.ID, "list", part.List, "range", part.Index, "lists", file.lists, "rows", file.rows)
	return out, nil
}

func cannotSearch(version int64, err error) error {
	if err != nil {
		return err
	}
	return failure.InvalidEmbeddings.Errorf("version %d cannot be searched exactly: see the log, and hand over or train another one", version)
}

// stillAs reports whether the version and the snapshot of the plan still answer.
func (h *Handler) stillAs(ctx context.Context, plan workflow.ExportPlan) (vectorstore.ActiveVersion, bool, error) {
	active, _, err := vectorstore.ReadActive(ctx, h.DB)
	same := active.Version == plan.Version && active.Snapshot == plan.Snapshot
	if err == nil && !same {
		slog.InfoContext(ctx, superseded, "run", plan.ID, "version", plan.Version, "snapshot", plan.Snapshot, "active", active.Version, "of", active.Snapshot)
	}
	return active, same, err
}

// put stores a range's file and then the report on it.
func (h *Handler) put(ctx context.Context, plan workflow.ExportPlan, part workflow.ListRange, file *writer) error {
	key := lake.ExportPartKey(plan.ID, part.List, part.Index, extensions[plan.Format])
	if _, err := h.Lake.PutFile(ctx, key, file.scratch); err != nil {
		return err
	}
	_, err := h.Lake.PutJSON(ctx, lake.ExportReportKey(plan.ID, part.List, part.Index),
		lake.ExportedFile{List: part.List, Range: part.Index, Lists: file.lists, Rows: file.rows, Bytes: file.bytes})
	return err
}

// write asks for the lists of a range, batch by batch, and writes them to a local file in the order of the ids.
func (h *Handler) write(ctx context.Context, plan workflow.ExportPlan, active vectorstore.ActiveVersion, part workflow.ListRange) (*writer, error) {
	ids, err := h.ids(ctx, active, part)
	if err != nil {
		return nil, err
	}
	scratch, err := objectstore.Scratch()
	if err != nil {
		return nil, err
	}
	file := newWriter(scratch, plan.Format, shape.OrLab(active.Shop), part.List, plan.Version)
	err = h.ask(ctx, plan, part.List, ids, func(ids []string, answers []activity.Answer) error {
		return file.add(ids, rowsOf(part.List, active.Metric, answers))
	})
	if err == nil {
		err = file.finish()
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("writing the lists of the %s: %w", part.List, err)
	}
	return file, nil
}

// ids returns the ids of a range as texts, in their order.
func (h *Handler) ids(ctx context.Context, active vectorstore.ActiveVersion, part workflow.ListRange) ([]string, error) {
	kind := "varchar"
	if part.List == lake.ExportedCustomers {
		kind = vectorstore.IDType(shape.OrLab(active.Shop).Customer)
	}
	// By ids.id, because id alone would be the text.
	rows, err := h.DB.Query(ctx, fmt.Sprintf(`select id::text from (%s) ids
		where ($1::text is null or id > $1::text::%[2]s) and ($2::text is null or id <= $2::text::%[2]s) order by ids.id`,
		idsOf(active, part.List), kind), part.After, part.UpTo)
	if err != nil {
		return nil, vectorstore.Wrap("reading the "+part.List, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return ids, vectorstore.Wrap("reading the "+part.List, err)
}

// asked is a batch under way.
type asked struct {
	ids   []string
	found []activity.Answer
	err   error
}

// ask asks for the answers to ids, some batches at once, and visits them in order.
func (h *Handler) ask(ctx context.Context, plan workflow.ExportPlan, list string, ids []string, visit func(ids []string, answers []activity.Answer) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var waiting []chan asked
	next := func() error {
		first := <-waiting[0]
		waiting = waiting[1:]
		if first.err != nil {
			return first.err
		}
		return visit(first.ids, first.found)
	}
	for from := 0; from < len(ids); from += batch {
		if len(waiting) == asking {
			if err := next(); err != nil {
				return err
			}
		}
		of, answer := ids[from:min(from+batch, len(ids))], make(chan asked, 1)
		waiting = append(waiting, answer)
		go func() {
			found, err := h.answer(ctx, plan, list, of)
			answer <- asked{of, found, err}
		}()
	}
	for len(waiting) > 0 {
		if err := next(); err != nil {
			return err
		}
	}
	return nil
}

// answer asks as the other doors do: for a customer without a session, or as a visitor who has looked at one product.
func (h *Handler) answer(ctx context.Context, plan workflow.ExportPlan, list string, ids []string) ([]activity.Answer, error) {
	found, err := h.answers.Answer(ctx, answers.Batch{Limit: plan.Limit, Now: time.Now(), Read: func(*activity.Form) []*activity.Record {
		records := make([]*activity.Record, len(ids))
		for i := range ids {
			if list == lake.ExportedCustomers {
				records[i] = &activity.Record{Customer: &ids[i]}
			} else {
				records[i] = &activity.Record{Products: []activity.Product{{Code: ids[i], Quantity: 1}}}
			}
		}
		return records
	}})
	if err != nil {
		return nil, err
	}
	for _, answer := range found {
		if answer.Recommendation.ModelVersion != plan.Version {
			return nil, failure.Overtaken.Errorf("version %d answers, and version %d is exported", answer.Recommendation.ModelVersion, plan.Version)
		}
	}
	return found, nil
}
