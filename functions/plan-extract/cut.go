package main

import (
	"context"
	"log/slog"

	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/source"
	"recsys/shared/shop/sourcefiles"
	"recsys/shared/store/objectstore"
)

// cut is a source in ranges.
type cut struct {
	ranges []workflow.Range
	found  source.Survey
	span   numbers
	split  *sourcefiles.Split // of a shop in files, nil otherwise
}

// cut streams the counts into ranges of RowsPerRange and, where those are too many, joins neighbours. Files are read whole.
func (h Handler) cut(ctx context.Context) (cut, error) {
	if h.Shop.InFiles() {
		split, err := sourcefiles.Source{Lake: h.Lake}.Read(ctx, h.Shop, h.RowsPerRange, maxRanges)
		if err != nil {
			return cut{}, err
		}
		return cut{ranges: split.Ranges(), found: split.Survey(), split: split}, nil
	}
	var c cut
	var err error
	cuts := cutter{target: h.RowsPerRange}
	c.found, err = h.Source.Survey(ctx, h.Shop, func(key *string, interactions int64) {
		cuts.add(key, interactions)
		c.span.add(key)
	})
	c.ranges = ranges(cuts.atMost(maxRanges))
	return c, err
}

// write writes the raw files of a shop in files.
func (c cut) write(ctx context.Context, store *objectstore.Store, run string, shop shape.Shop) error {
	if c.split == nil {
		return nil
	}
	c.split.Shop = shop
	return c.split.Write(ctx, store, run)
}

func (c cut) close() {
	if c.split == nil {
		return
	}
	if err := c.split.Close(); err != nil {
		slog.Warn("a scratch file stays", "error", err)
	}
}
