package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/als"
	"recsys/shared/learn/search"
	"recsys/shared/shop/interactions"
	"recsys/shared/store/objectstore"
)

// forSearch names the trials among a run's checkpoints.
const forSearch = "search"

// validationSeed turns the seed of the hold-out into that of the search's validation, so that they hold out other ratings.
const validationSeed = 0x5ea6c4

// choose searches the options to train with, and returns how. Without a search, or if the ratings say too little for one, the
// options are the handler's and the search is nil. data has the ratings that are not held out.
func (h *Handler) choose(ctx context.Context, plan plan, snapshot *interactions.Snapshot, data als.Data) (als.Options, *lake.Search, error) {
	if !h.Search {
		return h.Options, nil, nil
	}
	noted, err := h.trials(ctx, plan)
	if err != nil {
		return h.Options, nil, err
	}
	began := time.Now()
	after := func(all []lake.Trial) error {
		took := time.Since(began)
		slog.InfoContext(ctx, "tried options", "run", plan.ID, "trial", len(all), "options", all[len(all)-1], "seconds", took.Seconds())
		noted.Trials = all
		if _, err := h.Lake.PutJSON(ctx, lake.CheckpointKey(plan.ID, forSearch), noted); err != nil {
			return err
		}
		if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) < 2*took+reserve {
			return failure.OutOfTime.Errorf("the search goes on after %d trials", len(all))
		}
		began = time.Now()
		return nil
	}
	found, err := search.Run(ctx, data, snapshot.HeldOut, h.Options, search.Options{Seed: h.HeldOut.Seed ^ validationSeed, Pinned: pinned(h.Options)}, noted.Trials, after)
	switch {
	case errors.Is(err, search.ErrTooFew), errors.Is(err, search.ErrNoneFits):
		slog.InfoContext(ctx, "no search", "run", plan.ID, "reason", err)
		return h.Options, nil, nil
	case err != nil:
		return h.Options, nil, fmt.Errorf("searching the options on snapshot %s: %w", plan.Snapshot, err)
	}
	return search.Apply(found.Trials[found.Chosen], h.Options), &found, nil
}

// pinned returns the options that were given another value than their default. The search leaves them alone.
func pinned(o als.Options) search.Pinned {
	d := als.Default()
	return search.Pinned{
		Factors: o.Factors != d.Factors, Iterations: o.Iterations != d.Iterations, UnobservedWeight: o.UnobservedWeight != d.UnobservedWeight,
		Regularization: o.Regularization != d.Regularization, FrequencyExponent: o.FrequencyExponent != d.FrequencyExponent,
		FeatureRidge: o.FeatureRidge != d.FeatureRidge,
	}
}

// trials is the progress of a search, and what its figures depend on next to the snapshot.
type trials struct {
	HeldOut lake.HoldOut `json:"heldOut"`
	Options als.Options  `json:"options"`
	Trials  []lake.Trial `json:"trials"`
}

// trials returns those that an earlier attempt has noted. None count if the deployment has changed between two attempts.
func (h *Handler) trials(ctx context.Context, plan plan) (trials, error) {
	mine := trials{HeldOut: h.HeldOut, Options: h.Options}
	var noted trials
	_, err := h.Lake.GetJSON(ctx, lake.CheckpointKey(plan.ID, forSearch), maxNote, &noted)
	if errors.Is(err, objectstore.ErrNotFound) {
		return mine, nil
	}
	if err == nil && noted.HeldOut == mine.HeldOut && noted.Options == mine.Options {
		mine.Trials = noted.Trials
	}
	return mine, err
}
