// Command extract copies one range of customers out of the shop's MySQL, in one consistent snapshot: their
// ratings, the customers themselves and all products, as raw Parquet files.
//
// Values go as they are, the bad ones too: judging them is transform's work.
// Input: workflow.RangeInput. Output: workflow.Extracted, and the objects of lake.RawKey.
// Errors: InvalidInput, SchemaMismatch, SourceUnavailable, ObjectStoreUnavailable.
package main

import (
	"context"
	"log/slog"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/metrics"
	"recsys/shared/shop/source"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// Handler extracts ranges.
type Handler struct {
	Source *source.Database
	Lake   *objectstore.Store
}

// Handle extracts one range. Run again, it reads the source anew and replaces all three files.
func (h Handler) Handle(ctx context.Context, in workflow.RangeInput) (workflow.Extracted, error) {
	var out workflow.Extracted
	if err := in.Validate(); err != nil {
		return out, err
	}
	err := h.Source.Snapshot(ctx, func(s *source.Snapshot) error {
		var err error
		out.Ratings, err = copyTable(ctx, h.Lake, lake.RawKey(in.ID, "ratings", in.Range.Index),
			func(visit func(training.RawRating) error) error { return s.Ratings(ctx, in.Range, visit) },
			func(table *training.Writer[training.RawRating]) { training.SetRatingType(table, s.RatingType()) })
		if err != nil {
			return err
		}
		out.Customers, err = copyTable(ctx, h.Lake, lake.RawKey(in.ID, "customers", in.Range.Index),
			func(visit func(training.RawCustomer) error) error { return s.Customers(ctx, in.Range, visit) })
		if err != nil {
			return err
		}
		out.Products, err = copyTable(ctx, h.Lake, lake.RawKey(in.ID, "products", in.Range.Index),
			func(visit func(training.RawProduct) error) error { return s.Products(ctx, visit) })
		return err
	})
	if err != nil {
		return workflow.Extracted{}, err
	}
	metrics.Count(ctx, metrics.Rows, out.Ratings)
	slog.InfoContext(ctx, "extracted", "run", in.ID, "range", in.Range.Index,
		"ratings", out.Ratings, "customers", out.Customers, "products", out.Products)
	return out, nil
}

// copyTable writes the rows that stream visits to a scratch file and puts that: the source waits for a local disk, not
// for S3. Each function in describe may add metadata to the file.
func copyTable[T any](ctx context.Context, store *objectstore.Store, key string,
	stream func(visit func(T) error) error, describe ...func(*training.Writer[T]),
) (rows int64, err error) {
	file, err := objectstore.Scratch()
	if err != nil {
		return 0, err
	}
	defer file.Close()
	table := training.NewWriter[T](file)
	for _, add := range describe {
		add(table)
	}
	err = stream(func(row T) error {
		rows++
		return table.Append(row)
	})
	if err != nil {
		return 0, err
	}
	if err := table.Close(); err != nil {
		return 0, err
	}
	_, err = store.PutFile(ctx, key, file)
	return rows, err
}
