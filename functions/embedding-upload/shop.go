package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"recsys/shared/contract/shape"
	"recsys/shared/learn/model"
	"recsys/shared/shop/interactions"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// shop is the other side of a hand-over's comparison: the products and the customers of the newest snapshot.
type shop struct {
	codes     *training.Codes
	whole     bool // the codes are all that the shop holds
	products  []interactions.Item
	customers []interactions.Customer // those with a rating, by ascending id

	customerType shape.Type // of their ids
}

// readShop returns nil if there is no snapshot, or none that is whole.
func readShop(ctx context.Context, store *objectstore.Store, latest *snapshot) (*shop, error) {
	if latest == nil {
		return nil, nil
	}
	read, err := interactions.ReadShop(ctx, store, latest.Snapshot)
	if errors.Is(err, objectstore.ErrNotFound) {
		slog.WarnContext(ctx, "the snapshot is not whole: the hand-over is not compared with it", "snapshot", latest.Snapshot, "error", err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &shop{codes: read.ShopCodes(), whole: latest.whole, products: read.Items, customers: read.Customers, customerType: read.Shop.Customer.Type}, nil
}

// customer returns the features of a customer who rated something.
func (s *shop) customer(id string) (model.User, bool) {
	i, found := slices.BinarySearchFunc(s.customers, id, func(c interactions.Customer, id string) int { return s.customerType.Compare(c.ID, id) })
	if !found {
		return model.User{}, false
	}
	c := &s.customers[i]
	return model.User{City: c.City, Country: c.Country, CreditLimit: c.CreditLimit}, true
}
