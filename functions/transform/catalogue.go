package main

import (
	"context"
	"maps"
	"slices"

	"recsys/shared/contract/lake"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// catalogueRange is the range whose transformation lists the shop's products, those that nobody rated among them. A
// product that came after it was read is in another range's rows, if it was rated.
const catalogueRange = 0

// putCatalogue stores the list of a run's products, those of bad rows among them.
func putCatalogue(ctx context.Context, store *objectstore.Store, run string, shop training.Shop, products training.Products) error {
	scratch, err := objectstore.Scratch()
	if err != nil {
		return err
	}
	defer scratch.Close()
	rows := training.NewWriter[training.CatalogueRow](scratch)
	for _, code := range slices.Sorted(maps.Keys(products)) {
		product := products[code]
		row, listed := product.Catalogue(shop)
		if !listed {
			continue
		}
		if err := rows.Append(row); err != nil {
			return err
		}
	}
	if err := rows.Close(); err != nil {
		return err
	}
	_, err = store.PutFile(ctx, lake.ProductsKey(run), scratch)
	return err
}
