package main

import (
	"context"
	"maps"
	"slices"

	"recsys/shared/lake"
	"recsys/shared/objectstore"
	"recsys/shared/training"
)

// catalogueRange is the range whose transformation lists the shop's products, those that nobody rated among them. A
// product that came after it was read is in another range's rows, if it was rated.
const catalogueRange = 0

// putCatalogue stores the list of a run's products.
func putCatalogue(ctx context.Context, store *objectstore.Store, run string, products training.Products) error {
	scratch, err := objectstore.Scratch()
	if err != nil {
		return err
	}
	defer scratch.Close()
	rows := training.NewWriter[training.CatalogueRow](scratch)
	for _, code := range slices.Sorted(maps.Keys(products)) {
		product := products[code]
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
	_, err = store.PutFile(ctx, lake.ProductsKey(run), scratch)
	return err
}
