package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"recsys/shared/contract/lake"
	"recsys/shared/shop/training"
)

// rated holds the columns of a training row that popularity needs.
type rated struct {
	Country     string `parquet:"country"`
	ProductCode string `parquet:"productCode"`
}

// countPopularity counts each item's ratings by country, over the ranges' files one after the other.
func (h Handler) countPopularity(ctx context.Context, manifest lake.Manifest) error {
	counts := map[rated]int64{}
	for i := range manifest.Ranges {
		if err := h.countRange(ctx, lake.RangeKey(manifest.Snapshot, i), counts); err != nil {
			return err
		}
	}
	popularity := lake.Popularity{Snapshot: manifest.Snapshot, Items: make([]lake.ItemCount, 0, len(counts))}
	for of, count := range counts {
		popularity.Items = append(popularity.Items, lake.ItemCount{Item: of.ProductCode, Country: of.Country, Count: count})
	}
	slices.SortFunc(popularity.Items, func(a, b lake.ItemCount) int {
		return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(a.Country, b.Country))
	})
	_, err := h.Lake.PutJSON(ctx, lake.PopularityKey(manifest.Snapshot), popularity)
	return err
}

func (h Handler) countRange(ctx context.Context, key string, counts map[rated]int64) error {
	table, err := training.OpenTable[rated](ctx, h.Lake, key)
	if err != nil {
		return err
	}
	defer table.Close()
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		counts[*row]++
	}
}
