package main

import (
	"context"

	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// products are held whole: the shop's small dimension.
type products struct {
	byCode training.Products
	codes  *training.Codes
}

// readProducts reads a range's raw products.
func readProducts(ctx context.Context, store *objectstore.Store, shop training.Shop, key string) (products, error) {
	byCode, err := training.ReadProducts(ctx, store, shop, key)
	if err != nil {
		return products{}, err
	}
	return newProducts(byCode), nil
}

func newProducts(byCode training.Products) products {
	codes := training.NewCodes(len(byCode))
	for code := range byCode {
		codes.Add(code)
	}
	return products{byCode, codes}
}

// find returns the product that a rating's code means, as training.Codes tells. The product's own spelling is the one
// to write.
func (p products) find(code string) (training.CheckedProduct, training.Reason) {
	spelling, reason := p.codes.Find(code)
	return p.byCode[spelling], reason
}
