package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"recsys/shared/contract/lake"
	"recsys/shared/store/objectstore"
	"recsys/shared/stream/activity"
)

const (
	// mostPopular is how many products a degraded answer can hold.
	mostPopular = 100
	// maxPopularity bounds the file of a snapshot, in bytes.
	maxPopularity = 256 << 20
	// patience is the time for reading the file. The request's own time may be over.
	patience = 2 * time.Second
)

// fallback is the popular products of the newest snapshot. It reads S3, because the database is what it stands in for.
type fallback struct {
	lake *objectstore.Store
	warm sync.Once

	lock sync.Mutex
	kept []activity.Scored
}

// prepare reads the products with a process's first request, so that they are in memory when the database goes away.
func (f *fallback) prepare(ctx context.Context) {
	f.warm.Do(func() {
		if _, err := f.products(ctx); err != nil {
			slog.WarnContext(ctx, "there are no popular products for the time without the database", "error", err)
		}
	})
}

// products returns the most popular products, the best first.
func (f *fallback) products(ctx context.Context) ([]activity.Scored, error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.kept != nil {
		return f.kept, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	var latest lake.Latest
	if _, err := f.lake.GetJSON(ctx, lake.LatestKey, maxPopularity, &latest); err != nil {
		return nil, fmt.Errorf("reading the newest snapshot's name: %w", err)
	}
	var counted lake.Popularity
	if _, err := f.lake.GetJSON(ctx, lake.PopularityKey(latest.Snapshot), maxPopularity, &counted); err != nil {
		return nil, fmt.Errorf("reading the popular products of snapshot %s: %w", latest.Snapshot, err)
	}
	f.kept = mostWanted(counted.Items)
	return f.kept, nil
}

// mostWanted adds up the groups of customers.
func mostWanted(counts []lake.ItemCount) []activity.Scored {
	totals := map[string]float64{}
	for _, count := range counts {
		totals[count.Item] += count.Count
	}
	products := make([]activity.Scored, 0, len(totals))
	for id, total := range totals {
		products = append(products, activity.Scored{ID: id, Score: total})
	}
	slices.SortFunc(products, func(a, b activity.Scored) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return slices.Clip(products[:min(len(products), mostPopular)])
}
