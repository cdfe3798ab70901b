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
	if chosen.Kind == lake.EASE && ratings.Width > neighbours.MaxEASE {
		return failure.Invalidf("EASE takes %d products at most, and the shop has %d: set itemNeighbours to knn or auto", neighbours.MaxEASE, ratings.Width)
	}
	if entries := ratings.Width * chosen.Kept; entries > blend.MostEntries {
		return failure.Invalidf("item neighbours take %d products at most, and the shop has %d: set itemNeighbours to off or auto",
			blend.MostEntries/chosen.Kept, ratings.Width)
	}
	began := time.Now()
	table, err := compute(ctx, ratings, *chosen, w.Options.Workers)
	if errors.Is(err, neighbours.ErrIllConditioned) {
		return failure.Invalidf("neighbours for %s on snapshot %s: set itemNeighbours to knn or auto (%w)", name, w.plan.Snapshot, err)
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

// compute returns the table of an item-item model.
func compute(ctx context.Context, ratings *sparse.Matrix, chosen lake.Neighbours, workers int) (*neighbours.Table, error) {
	switch chosen.Kind {
	case lake.KNN:
		return neighbours.KNN(ctx, ratings, neighbours.KNNOptions{
			Neighbours: chosen.Kept, TargetExponent: chosen.TargetExponent, SourceExponent: chosen.SourceExponent, Workers: workers})
	case lake.EASE:
		return neighbours.EASE(ctx, ratings, neighbours.EASEOptions{Ridge: chosen.Ridge, Neighbours: chosen.Kept, Workers: workers})
	}
	return nil, fmt.Errorf("neighbours of the kind %q: want %s or %s", chosen.Kind, lake.KNN, lake.EASE)
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
