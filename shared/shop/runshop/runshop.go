// Package runshop keeps the shop of a run in the lake, as lake.ShapeKey. plan-extract writes it, with the types that it
// found in the source. The other steps read it, so that all of a run goes by one shop.
package runshop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/store/objectstore"
)

// maxShop bounds the size of a shop, in bytes.
const maxShop = 1 << 20

// Read returns the shop of a run. Errors: ObjectStoreUnavailable, and InvalidInput if there is none, because nothing was
// planned or the run's objects have expired. No further attempt could find it.
func Read(ctx context.Context, store *objectstore.Store, run string) (shop shape.Shop, err error) {
	_, err = store.GetJSON(ctx, lake.ShapeKey(run), maxShop, &shop)
	if errors.Is(err, objectstore.ErrNotFound) {
		return shop, failure.InvalidInput.Errorf("the shop of run %s is gone, because a run's objects expire: start a run of another name: %w", run, err)
	}
	return shop, err
}

// Write stores the shop of a run, once. If an earlier attempt has stored one, it has to be the same, because the ranges
// of the plan belong to it. Errors: SchemaMismatch for another shop, Overtaken, ObjectStoreUnavailable.
func Write(ctx context.Context, store *objectstore.Store, run string, shop shape.Shop) error {
	text, err := json.Marshal(shop)
	if err != nil {
		return fmt.Errorf("encoding the shop of run %s: %w", run, err)
	}
	if len(text) > maxShop {
		return failure.Invalidf("the shop takes %d bytes, and %d are the most: shorten its queries", len(text), maxShop)
	}
	stored, _, err := store.Get(ctx, lake.ShapeKey(run), maxShop)
	switch {
	case errors.Is(err, objectstore.ErrNotFound):
		return put(ctx, store, run, text)
	case err == nil && !bytes.Equal(stored, text):
		return failure.SchemaMismatch.Errorf("the shop file or the types of the source changed between two attempts of run %s: start a run of another name", run)
	}
	return err
}

func put(ctx context.Context, store *objectstore.Store, run string, text []byte) error {
	_, err := store.Put(ctx, lake.ShapeKey(run), bytes.NewReader(text), objectstore.IfAbsent())
	if errors.Is(err, objectstore.ErrPrecondition) {
		return failure.Overtaken.Errorf("another attempt of run %s has just stored its shop: %w", run, err)
	}
	return err
}
