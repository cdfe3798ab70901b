package main

import (
	"context"
	"maps"
	"slices"

	"recsys/shared/lake"
	"recsys/shared/objectstore"
	"recsys/shared/training"
)

// listProducts puts the shop's products beside the snapshot, those that nobody rated among them. They are those that
// the first range was read with; a product that came later is in the ranges' rows if it was rated.
func (h Handler) listProducts(ctx context.Context, manifest lake.Manifest) error {
	if manifest.Ranges == 0 {
		return nil
	}
	byCode, err := training.ReadProducts(ctx, h.Lake, lake.RawKey(manifest.Snapshot, "products", 0))
	if err != nil {
		return err
	}
	scratch, err := objectstore.Scratch()
	if err != nil {
		return err
	}
	defer scratch.Close()
	rows := training.NewWriter[training.CatalogueRow](scratch)
	for _, code := range slices.Sorted(maps.Keys(byCode)) {
		product := byCode[code]
		if code == "" || product.Reason != "" {
			continue
		}
		err := rows.Append(training.CatalogueRow{
			ProductCode: code, ProductLine: product.Line, ProductScale: product.Scale,
			QuantityInStock: product.QuantityInStock, BuyPrice: product.BuyPrice, MSRP: product.MSRP,
		})
		if err != nil {
			return err
		}
	}
	if err := rows.Close(); err != nil {
		return err
	}
	_, err = h.Lake.PutFile(ctx, lake.ProductsKey(manifest.Snapshot), scratch)
	return err
}
