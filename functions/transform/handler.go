// Command transform joins a range's interactions with their customers and products, cleans them, and writes the good ones
// as training rows. The others go to quarantine with their reasons, or are skipped where the shop's rules say so.
//
// Input: workflow.RangeInput. Output: workflow.Transformed. Reads: lake.ShapeKey, the objects of lake.RawKey. Writes:
// lake.RangeKey, lake.QuarantineKey, lake.SkippedKey of a shop with a file, and lake.ProductsKey with the first range.
// Errors: InvalidInput, SchemaMismatch, ObjectStoreUnavailable.
//
// The quarantine is NDJSON. It is empty when all is well, so that a retried run leaves the same objects. The metadata of
// lake.RangeKey counts the rows that were left out, by reason.
package main

import (
	"context"
	"log/slog"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/metrics"
	"recsys/shared/shop/runshop"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// Handler transforms ranges.
type Handler struct{ Lake *objectstore.Store }

// Handle transforms one range. Run again, it writes the same bytes. In memory are a row group and all products, however
// many interactions the range has. With text ids, the range's customers are in memory too.
func (h Handler) Handle(ctx context.Context, in workflow.RangeInput) (workflow.Transformed, error) {
	var out workflow.Transformed
	if err := in.Validate(); err != nil {
		return out, err
	}
	shop, err := runshop.Read(ctx, h.Lake, in.ID)
	if err != nil {
		return out, err
	}
	sink, err := h.transform(ctx, shop, in)
	if err != nil {
		return out, err
	}
	out = workflow.Transformed{Rows: sink.accepted, Rejected: sink.refused, Skipped: sink.passed}
	metrics.Count(ctx, metrics.Rows, out.Rows)
	metrics.Count(ctx, metrics.RejectedRows, out.Rejected)
	slog.InfoContext(ctx, "transformed", "run", in.ID, "range", in.Range.Index,
		"rows", out.Rows, "rejected", out.Rejected, "reasons", sink.facts.Rejected, "skipped", out.Skipped, "skips", sink.facts.Skipped)
	return out, nil
}

// transform writes a range's files, and returns what has been counted.
func (h Handler) transform(ctx context.Context, shop shape.Shop, in workflow.RangeInput) (*sink, error) {
	raw := func(table training.TableName) string { return lake.RawKey(in.ID, string(table), in.Range.Index) }
	products, err := readProducts(ctx, h.Lake, shop, raw(training.ProductTable))
	if err != nil {
		return nil, err
	}
	if in.Range.Index == catalogueRange && shop.HasProducts() {
		if err := training.PutCatalogue(ctx, h.Lake, in.ID, shop, products.byCode); err != nil {
			return nil, err
		}
	}
	interactions, err := training.OpenRaw(ctx, h.Lake, shop, training.InteractionTable, raw(training.InteractionTable))
	if err != nil {
		return nil, err
	}
	defer interactions.Close()
	customers, err := openCustomers(ctx, h.Lake, shop, raw(training.CustomerTable))
	if err != nil {
		return nil, err
	}
	defer customers.Close()
	sink, err := newSink(shop)
	if err != nil {
		return nil, err
	}
	defer sink.close()
	if err := sink.fill(ctx, interactions, newJoin(shop, in.StartedAt, products, customers)); err != nil {
		return nil, err
	}
	return sink, sink.put(ctx, h.Lake, in)
}
