package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/als"
	"recsys/shared/store/objectstore"
)

// The two fits, as their checkpoints are named.
const (
	forEvaluation = "evaluation" // without the held-out ratings
	forServing    = "serving"
)

// reserve is the time that is kept for the work after the iterations. Where the time does not suffice for another
// one, the fit ends as OutOfTime, and the next attempt goes on after the last checkpoint. The state machine makes
// nine attempts. A training that needs more than nine times 15 minutes wants more memory, which buys cores.
const reserve = time.Minute

// fit learns factors, with a checkpoint after each iteration, and returns the losses after each, too.
func (h *Handler) fit(ctx context.Context, plan plan, name string, data als.Data, options als.Options) (als.Factors, []float64, error) {
	saved := checkpoints{h.Lake, lake.CheckpointKey(plan.ID, name)}
	from, losses, err := saved.last(ctx)
	if err != nil {
		return als.Factors{}, nil, err
	}
	began := time.Now()
	after := func(c als.Checkpoint) error {
		took := time.Since(began)
		losses = append(losses, c.Loss)
		if err := saved.save(ctx, c, losses); err != nil {
			return err
		}
		slog.InfoContext(ctx, "iteration", "run", plan.ID, "fit", name, "iteration", c.Iteration, "of", options.Iterations,
			"loss", c.Loss, "seconds", took.Seconds())
		if deadline, ok := ctx.Deadline(); ok && c.Iteration < options.Iterations && time.Until(deadline) < took+reserve {
			return failure.OutOfTime.Errorf("the fit for %s goes on after iteration %d of %d", name, c.Iteration, options.Iterations)
		}
		began = time.Now()
		return nil
	}
	factors, err := als.Fit(ctx, data, options, from, after)
	var refused *als.RefusedCheckpoint
	if errors.As(err, &refused) { // the deployment has changed between two attempts
		slog.WarnContext(ctx, "training starts anew", "run", plan.ID, "fit", name, "reason", refused)
		losses = nil
		factors, err = als.Fit(ctx, data, options, nil, after)
	}
	if err != nil {
		return als.Factors{}, nil, fmt.Errorf("training for %s on snapshot %s: %w", name, plan.Snapshot, err)
	}
	return factors, losses, nil
}

// checkpoints are a fit's last one and the losses up to it. The losses are written first, so that there are never too few.
type checkpoints struct {
	store *objectstore.Store
	key   string
}

// maxCheckpoint bounds a checkpoint, in bytes: some ten million rows of 100 factors.
const maxCheckpoint = 4 << 30

func (c checkpoints) lossesKey() string { return c.key + "-losses.json" }

func (c checkpoints) save(ctx context.Context, checkpoint als.Checkpoint, losses []float64) error {
	if _, err := c.store.PutJSON(ctx, c.lossesKey(), losses); err != nil {
		return err
	}
	var content bytes.Buffer
	if _, err := checkpoint.WriteTo(&content); err != nil {
		return err
	}
	_, err := c.store.Put(ctx, c.key, bytes.NewReader(content.Bytes()))
	return err
}

// last is nil where there is none, or none that can be read.
func (c checkpoints) last(ctx context.Context) (*als.Checkpoint, []float64, error) {
	content, _, err := c.store.Get(ctx, c.key, maxCheckpoint)
	if errors.Is(err, objectstore.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	checkpoint, err := als.ReadCheckpoint(bytes.NewReader(content))
	if err != nil {
		slog.WarnContext(ctx, "a checkpoint cannot be read: training starts anew", "key", c.key, "error", err)
		return nil, nil, nil
	}
	var losses []float64
	if _, err := c.store.GetJSON(ctx, c.lossesKey(), maxNote, &losses); err != nil {
		return nil, nil, err
	}
	if len(losses) < checkpoint.Iteration {
		return nil, nil, fmt.Errorf("%s has %d losses, want %d", c.lossesKey(), len(losses), checkpoint.Iteration)
	}
	return &checkpoint, losses[:checkpoint.Iteration], nil
}
