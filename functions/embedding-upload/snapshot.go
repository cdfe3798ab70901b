package main

import (
	"context"
	"errors"
	"log/slog"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// refresh brings the active version up to the newest snapshot. If none is active, or one of another shop, it brings up the shop
// alone. After a rollback it leaves a version of another shop as it is, because somebody wants it back.
func (h *Handler) refresh(ctx context.Context, rolledBack bool) error {
	active, found, err := vectorstore.Current(ctx, h.DB)
	if err != nil {
		return err
	}
	latest, err := latestSnapshot(ctx, h.Lake)
	if err != nil || latest == nil {
		return err
	}
	defer latest.Close()
	var refreshed bool
	if found && shape.OrLab(active.Shop).SameIDs(latest.shop) {
		refreshed, err = vectorstore.Refresh(ctx, h.DB, active.Version, latest.rows())
	} else if !rolledBack {
		active = vectorstore.Record{}
		refreshed, err = vectorstore.RefreshWithoutModel(ctx, h.DB, latest.rows())
	}
	if refreshed {
		slog.InfoContext(ctx, "brought up to the newest snapshot", "version", active.Version, "snapshot", latest.Snapshot)
	}
	return err
}

// snapshot streams a published snapshot's facts about the shop. Nothing of it is held in memory but a batch of rows.
type snapshot struct {
	lake.Latest
	shop     shape.Shop
	counts   *itemCounts
	rated    *pairs // not recommended again
	seen     *pairs // recommended again
	products *products
}

// maxManifest bounds a snapshot's manifest, in bytes.
const maxManifest = 512 << 20

// latestSnapshot is the one that is published now. It is nil if there is none, or none with a popularity.
func latestSnapshot(ctx context.Context, store *objectstore.Store) (*snapshot, error) {
	s := &snapshot{}
	_, err := store.GetJSON(ctx, lake.LatestKey, lake.MaxLatest, &s.Latest)
	if errors.Is(err, objectstore.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if s.counts, err = countsOf(ctx, store, s.Latest); err != nil || s.counts == nil {
		return nil, err
	}
	var manifest struct { // its partitions may be a million
		Shop  *shape.Shop
		Kinds map[string]int64
	}
	_, err = store.GetJSON(ctx, lake.ManifestKey(s.Snapshot), maxManifest, &manifest)
	if err != nil && !errors.Is(err, objectstore.ErrNotFound) {
		return nil, err
	}
	s.shop = shape.OrLab(manifest.Shop)
	if s.rated, err = ratedOf(ctx, store, s.shop, s.Snapshot); err != nil {
		return nil, err
	}
	if s.seen, err = seenOf(ctx, store, s.shop, s.Snapshot, manifest.Kinds); err != nil {
		return nil, err
	}
	s.products, err = productsOf(ctx, store, s.shop, s.Snapshot)
	return s, err
}

func keysUnder(ctx context.Context, store *objectstore.Store, prefix string) (keys []string, err error) {
	err = store.List(ctx, prefix, func(object objectstore.Object) error {
		keys = append(keys, object.Key)
		return nil
	})
	return keys, err
}

// of returns the snapshot's shop, and the lab for nil.
func (s *snapshot) of() shape.Shop {
	if s == nil {
		return shape.Lab
	}
	return s.shop
}

// rows is the zero value for nil.
func (s *snapshot) rows() vectorstore.Snapshot {
	if s == nil {
		return vectorstore.Snapshot{}
	}
	return vectorstore.Snapshot{Name: s.Snapshot, Of: s.StartedAt, Shop: &s.shop,
		Popularity: s.counts, Rated: s.rated, Seen: s.seen, Products: s.products, Whole: s.products.whole}
}

// Close ends the reading. Nil may be closed.
func (s *snapshot) Close() {
	if s == nil {
		return
	}
	s.counts.Close()
	s.rated.Close()
	s.seen.Close()
	s.products.Close()
}
