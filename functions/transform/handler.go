// Command transform joins a range's ratings with their customers and products, cleans them, and writes the
// good ones as training rows and the others, with their reasons, to quarantine.
//
// Input: workflow.RangeInput. Output: workflow.Transformed. Reads the objects of lake.RawKey. Writes
// lake.QuarantineKey (NDJSON, empty when all is well, so that a retried run leaves the same objects) and
// lake.RangeKey, whose metadata counts the rejected rows by reason. With the first range it also writes
// lake.ProductsKey. Errors: InvalidInput, ObjectStoreUnavailable.
package main

import (
	"context"
	"log/slog"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/metrics"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// Handler transforms ranges.
type Handler struct {
	Shop training.Shop
	Lake *objectstore.Store
}

// Handle transforms one range. Run again, it writes the same bytes. In memory are a row group and all
// products, however many ratings the range has.
func (h Handler) Handle(ctx context.Context, in workflow.RangeInput) (workflow.Transformed, error) {
	var out workflow.Transformed
	if err := in.Validate(); err != nil {
		return out, err
	}
	raw := func(table training.TableName) string { return lake.RawKey(in.ID, string(table), in.Range.Index) }
	products, err := readProducts(ctx, h.Lake, h.Shop, raw(training.ProductTable))
	if err != nil {
		return out, err
	}
	if in.Range.Index == catalogueRange {
		if err := putCatalogue(ctx, h.Lake, in.ID, h.Shop, products.byCode); err != nil {
			return out, err
		}
	}
	ratings, err := training.OpenTable[training.RawRating](ctx, h.Lake, raw(training.RatingTable))
	if err != nil {
		return out, err
	}
	defer ratings.Close()
	customers, err := h.Shop.OpenRaw(ctx, h.Lake, training.CustomerTable, raw(training.CustomerTable))
	if err != nil {
		return out, err
	}
	defer customers.Close()

	kind, err := training.RawRatingType(ratings.File)
	if err != nil {
		return out, err
	}
	sink, err := newSink(h.Shop, kind)
	if err != nil {
		return out, err
	}
	defer sink.close()
	if err := sink.fill(ctx, ratings, newJoin(h.Shop, products, customers, kind)); err != nil {
		return out, err
	}
	if err := sink.put(ctx, h.Lake, in); err != nil {
		return out, err
	}
	out = workflow.Transformed{Rows: sink.accepted, Rejected: sink.refused}
	metrics.Count(ctx, metrics.Rows, out.Rows)
	metrics.Count(ctx, metrics.RejectedRows, out.Rejected)
	slog.InfoContext(ctx, "transformed", "run", in.ID, "range", in.Range.Index,
		"rows", out.Rows, "rejected", out.Rejected, "reasons", sink.reasons)
	return out, nil
}
