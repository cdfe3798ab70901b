package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/pgvector/pgvector-go"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/blend"
)

// catalogue is a version's lake.CatalogueKey in a scratch file, and a pgx.CopyFromSource of (id, vector).
type catalogue struct {
	*blend.CatalogueReader
	sum string
}

// writeCatalogue writes the items to the version's catalogue and returns it for reading. The scratch file takes 4 bytes a
// number. Errors: InvalidEmbeddings, if a line is wrong or the items do not fit the shop.
func writeCatalogue(ctx context.Context, copies copies, metric distance.Metric, items *items, scratch *os.File) (c catalogue, err error) {
	if c.sum, err = copyItems(scratch, metric, items); err != nil {
		return c, err
	}
	if _, err := copies.store.PutFile(ctx, lake.VersionKey(copies.version, lake.CatalogueKey), scratch); err != nil {
		return c, err
	}
	if _, err := scratch.Seek(0, io.SeekStart); err != nil {
		return c, fmt.Errorf("reading the catalogue again: %w", err)
	}
	c.CatalogueReader, err = blend.NewCatalogueReader(scratch)
	return c, err
}

func copyItems(into io.Writer, metric distance.Metric, items *items) (sum string, err error) {
	out, err := blend.NewCatalogueWriter(into, metric, items.Dimension)
	if err != nil {
		return "", err
	}
	for items.Next() {
		_, vector := items.Row()
		if err := out.Add(items.id, vector); err != nil {
			return "", err
		}
	}
	if err := items.Err(); err != nil {
		return "", err
	}
	return out.Close()
}

func (c catalogue) Values() ([]any, error) {
	id, vector := c.Row()
	return []any{id, pgvector.NewVector(vector)}, nil
}
