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

// trialsAtOnce is how many trials are noted by one object, for an attempt that goes on after this one.
const trialsAtOnce = 8

// validationSeed turns the seed of the hold-out into that of the search's validation, so that they hold out other ratings.
const validationSeed = 0x5ea6c4

// choose searches the options to train with, and returns how. Without a search, or with too few ratings for one, the options
// are the handler's and the search is nil. data has the ratings that are not held out.
func (h *Handler) choose(ctx context.Context, plan plan, snapshot *interactions.Snapshot, data als.Data) (als.Options, *lake.Search, error) {
	if !h.Search {
		return h.Options, nil, nil
	}
	done, err := h.trials(ctx, plan)
	if err != nil {
		return h.Options, nil, err
	}
	began := time.Now()
	after := func(all []lake.Trial) error {
		took := time.Since(began)
		slog.InfoContext(ctx, "tried options", "run", plan.ID, "trial", len(all), "options", all[len(all)-1], "seconds", took.Seconds())
		deadline, bounded := ctx.Deadline()
		late := bounded && time.Until(deadline) < 2*took+reserve
		if late || len(all)%trialsAtOnce == 0 {
			if _, err := h.Lake.PutJSON(ctx, lake.CheckpointKey(plan.ID, forSearch), all); err != nil {
				return err
			}
		}
		if late {
			return failure.OutOfTime.Errorf("the search goes on after %d trials", len(all))
		}
		began = time.Now()
		return nil
	}
	found, err := search.Run(ctx, data, snapshot.HeldOut, h.Options, search.Options{Seed: h.HeldOut.Seed ^ validationSeed, Pinned: pinned(h.Options)}, done, after)
	switch {
	case errors.Is(err, search.ErrTooFew):
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

// trials returns those that an earlier attempt has noted.
func (h *Handler) trials(ctx context.Context, plan plan) (noted []lake.Trial, err error) {
	_, err = h.Lake.GetJSON(ctx, lake.CheckpointKey(plan.ID, forSearch), maxNote, &noted)
	if errors.Is(err, objectstore.ErrNotFound) {
		err = nil
	}
	return noted, err
}
