package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/neighbours"
	"recsys/shared/learn/sparse"
	"recsys/shared/store/objectstore"
)

// fixed are the item-item models of options that name one, if no search has found better settings.
var fixed = map[string]lake.Neighbours{
	lake.KNN:  {Kind: lake.KNN, TargetExponent: 0.3, SourceExponent: 0.3, Kept: lake.DefaultKept, Beta: 0.5},
	lake.EASE: {Kind: lake.EASE, Ridge: 200, Kept: lake.DefaultKept, Beta: 0.5},
}

// neighbours returns the item-item model that ranks next to the vectors, nil for none.
func (h *Handler) neighbours(tried *lake.Search) *lake.Neighbours {
	var found *lake.Neighbours
	if tried != nil {
		found = tried.Trials[tried.Chosen].Neighbours
	}
	switch wanted, named := fixed[h.Neighbours]; {
	case named && (found == nil || found.Kind != wanted.Kind):
		return &wanted
	case h.Neighbours == "off":
		return nil
	}
	return found
}

// writeNeighbours writes the item-item model for one of the two fits, unless an earlier attempt has. Next to the ratings it
// takes 16 bytes for each neighbour that a product keeps, and the memory that package neighbours states.
func (w work) writeNeighbours(ctx context.Context, name string, ratings *sparse.Matrix, chosen *lake.Neighbours) error {
	if chosen == nil {
		return nil
	}
	key := map[string]string{forEvaluation: lake.EvaluationNeighboursKey, forServing: lake.NeighboursKey}[name]
	note, done := lake.CheckpointKey(w.plan.ID, name+"-neighbours"), made{w.heldOut, *chosen}
	if before, err := w.noted(ctx, note); err != nil || before == done {
		return err
	}
	began := time.Now()
	table, err := neighbours.Make(ctx, ratings, *chosen, w.Options.Workers)
	if errors.As(err, new(*neighbours.TooLarge)) || errors.Is(err, neighbours.ErrIllConditioned) {
		return failure.Invalidf("neighbours for %s on snapshot %s: set itemNeighbours to auto, off or another kind (%w)", name, w.plan.Snapshot, err)
	}
	if err != nil {
		return fmt.Errorf("neighbours for %s on snapshot %s: %w", name, w.plan.Snapshot, err)
	}
	slog.InfoContext(ctx, "neighbours", "run", w.plan.ID, "fit", name, "kind", chosen.Kind, "entries", len(table.Items), "seconds", time.Since(began).Seconds())
	if err := w.out.neighbours(ctx, key, *chosen, table); err != nil {
		return err
	}
	_, err = w.Lake.PutJSON(ctx, note, done)
	return err
}

// made is noted when neighbours are written. A deployment between two attempts may change both of its parts.
type made struct {
	HeldOut    lake.HoldOut    `json:"heldOut"`
	Neighbours lake.Neighbours `json:"neighbours"`
}

// noted returns the zero value if nothing is noted.
func (w work) noted(ctx context.Context, key string) (before made, err error) {
	if _, err = w.Lake.GetJSON(ctx, key, maxNote, &before); errors.Is(err, objectstore.ErrNotFound) {
		err = nil
	}
	return before, err
}

// neighbours writes an item-item model.
func (o output) neighbours(ctx context.Context, key string, chosen lake.Neighbours, table *neighbours.Table) error {
	file, err := objectstore.Scratch()
	if err != nil {
		return err
	}
	defer file.Close()
	model := blend.Neighbours{Kind: chosen.Kind, Beta: chosen.Beta, Items: o.snapshot.Items, Table: table}
	if _, err := model.WriteTo(file); err != nil {
		return err
	}
	_, err = o.store.PutFile(ctx, lake.TrainedPrefix(o.run)+key, file)
	return err
}
