package main

import (
	"context"
	"errors"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/blend"
	"recsys/shared/store/vectorstore"
)

// readNeighbours returns the rows for the table of neighbours, nil for a version whose vectors rank alone. They take 8 bytes
// an entry, 128 MB at most.
func readNeighbours(ctx context.Context, copies copies, of handOver) (*vectorstore.Neighbours, error) {
	if !of.has(lake.NeighboursKey) {
		return nil, nil
	}
	body, _, err := copies.open(ctx, lake.NeighboursKey)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	read, err := blend.ReadNeighbours(body)
	var refused *blend.RefusedFile
	if errors.As(err, &refused) {
		return nil, failure.InvalidEmbeddings.Errorf("%s: %w", lake.NeighboursKey, err)
	}
	if err != nil {
		return nil, err
	}
	return &vectorstore.Neighbours{Kind: read.Kind, Beta: read.Beta, Rows: rowsOf(read)}, nil
}

// neighbourRows are the rows of vectorstore.NeighbourTable: a pgx.CopyFromSource. Products that are neither source nor target
// are left out.
type neighbourRows struct {
	*blend.Neighbours
	isTarget []bool
	at       int
}

func rowsOf(n *blend.Neighbours) *neighbourRows {
	rows := &neighbourRows{Neighbours: n, isTarget: make([]bool, len(n.Items)), at: -1}
	for _, target := range n.Table.Items {
		rows.isTarget[target] = true
	}
	return rows
}

func (r *neighbourRows) Next() bool {
	for r.at++; r.at < len(r.Items); r.at++ {
		if targets, _ := r.Table.Row(r.at); len(targets) > 0 || r.isTarget[r.at] {
			return true
		}
	}
	return false
}

func (r *neighbourRows) Values() ([]any, error) {
	targets, weights := r.Table.Row(r.at)
	return []any{r.Items[r.at], int32(r.at), targets, weights}, nil
}

func (r *neighbourRows) Err() error { return nil }
