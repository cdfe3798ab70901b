package main

import (
	"context"

	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// catalogueRange is the range whose transformation lists the shop's products, those without interactions among them. A
// product that came after it was read is in another range's rows, if a customer has interacted with it.
const catalogueRange = 0

// products are held whole: the shop's small dimension.
type products struct {
	shop   shape.Shop
	byCode training.Products
	codes  *training.Codes
	// listed reports that the shop lists its products. Otherwise byCode has those that were seen.
	listed bool
}

// readProducts reads a range's raw products, if the shop lists them.
func readProducts(ctx context.Context, store *objectstore.Store, shop shape.Shop, key string) (products, error) {
	if !shop.HasProducts() {
		return newProducts(shop, training.Products{}), nil
	}
	byCode, err := training.ReadProducts(ctx, store, shop, key)
	if err != nil {
		return products{}, err
	}
	return newProducts(shop, byCode), nil
}

func newProducts(shop shape.Shop, byCode training.Products) products {
	codes := training.NewCodes(len(byCode))
	for code := range byCode {
		codes.Add(code)
	}
	return products{shop, byCode, codes, shop.HasProducts()}
}

// find returns the product that an interaction's id means, as training.Codes tells. The product's own spelling is the one
// to write. Without a list each spelling is a product of its own.
func (p products) find(code string) (training.CheckedProduct, training.Reason) {
	if product, exact := p.byCode[code]; exact {
		return product, ""
	}
	if !p.listed {
		product := training.SeenProduct(p.shop, code)
		p.byCode[code] = product
		return product, ""
	}
	spelling, reason := p.codes.Find(code)
	return p.byCode[spelling], reason
}
