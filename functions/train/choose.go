package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
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
func (h *Handler) choose(ctx context.Context, plan plan, snapshot *interactions.Snapshot, data als.Data, heldOut lake.HoldOut) (als.Options, *lake.Search, error) {
	options := h.Options
	options.Confidence = !snapshot.Shop.IsLab()
	if !h.Search {
		return options, nil, nil
	}
	noted, err := h.trials(ctx, plan, heldOut)
	if err != nil {
		return options, nil, err
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
	how := search.Options{
		Seed: heldOut.Seed ^ validationSeed, Pinned: pinned(options, data), Neighbours: h.Neighbours,
		Folds: folds(snapshot), Repeatable: snapshot.Shop.Meaning.Repeatable, Memory: h.Memory,
	}
	found, err := search.Run(ctx, data, snapshot.HeldOut, options, how, noted.Trials, after)
	switch {
	case errors.Is(err, search.ErrTooFew), errors.Is(err, search.ErrNoneFits):
		slog.InfoContext(ctx, "no search", "run", plan.ID, "reason", err)
		return options, nil, nil
	case err != nil:
		return options, nil, fmt.Errorf("searching the options on snapshot %s: %w", plan.Snapshot, err)
	}
	return search.Apply(found.Trials[found.Chosen], options), &found, nil
}

// folds returns the splits of the search by time, nil if the snapshot is not parted by time.
func folds(snapshot *interactions.Snapshot) (folds []search.Fold) {
	for _, p := range snapshot.Parts[1:] {
		folds = append(folds, search.Fold{Train: p.Train, HeldOut: p.HeldOut})
	}
	return folds
}

// pinned returns the options that the search leaves alone: those that were given, and the ridge on features in a shop
// without any.
func pinned(o als.Options, data als.Data) settings.Pinned {
	given := o.Pinned
	given.FeatureRidge = given.FeatureRidge || data.Users.Width+data.Items.Width == 0
	return given
}

// trials is the progress of a search, and what its figures depend on next to the snapshot.
type trials struct {
	HeldOut lake.HoldOut `json:"heldOut"`
	Options als.Options  `json:"options"`
	// Neighbours are those that may be chosen.
	Neighbours string       `json:"neighbours"`
	Trials     []lake.Trial `json:"trials"`
}

// trials returns those that an earlier attempt has noted. None count if the deployment has changed between two attempts.
func (h *Handler) trials(ctx context.Context, plan plan, heldOut lake.HoldOut) (trials, error) {
	mine := trials{HeldOut: heldOut, Options: h.Options, Neighbours: h.Neighbours}
	var noted trials
	_, err := h.Lake.GetJSON(ctx, lake.CheckpointKey(plan.ID, forSearch), maxNote, &noted)
	if errors.Is(err, objectstore.ErrNotFound) {
		return mine, nil
	}
	if err == nil && noted.HeldOut == mine.HeldOut && noted.Options == mine.Options && noted.Neighbours == mine.Neighbours {
		mine.Trials = noted.Trials
	}
	return mine, err
}
