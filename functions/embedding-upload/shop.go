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
	items     *training.Codes
	whole     bool // the codes are all that the shop holds
	products  []string
	customers []string     // those with an interaction, by ascending id
	users     *model.Table // their facts
	ids       shape.Type   // of customers
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
	return &shop{items: read.ShopItems(), whole: latest.products.whole, products: read.Items, customers: read.Customers, users: read.Users, ids: read.Shop.Customer.Type}, nil
}

// customer returns the facts about a customer who has an interaction.
func (s *shop) customer(id string) (model.Record, bool) {
	i, found := slices.BinarySearchFunc(s.customers, id, s.ids.Compare)
	if !found {
		return model.Record{}, false
	}
	return s.users.Row(i), true
}
