// Command extract copies one range of customers out of the shop's MySQL, in one consistent snapshot: their
// interactions, the customers themselves and all products, as raw Parquet files.
//
// Values go as they are, the bad ones too: judging them is transform's work.
// Input: workflow.RangeInput. Output: workflow.Extracted, and the objects of lake.RawKey. Reads lake.ShapeKey.
// Errors: InvalidInput, SchemaMismatch, SourceUnavailable, ObjectStoreUnavailable.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/metrics"
	"recsys/shared/shop/runshop"
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
	shop, err := runshop.Read(ctx, h.Lake, in.ID)
	if err != nil {
		return out, err
	}
	if shop.InFiles() {
		return h.splitBefore(ctx, shop, in)
	}
	err = h.Source.Snapshot(ctx, shop, func(s *source.Snapshot) error {
		if err := sameTypes(shop, s.Shop()); err != nil {
			return failure.SchemaMismatch.Errorf("the source changed while run %s read it: %w: start another run", in.ID, err)
		}
		out.Ratings, err = h.copyRaw(ctx, shop, in, training.InteractionTable, func(visit func(training.Raw) error) error { return s.Interactions(ctx, in.Range, visit) })
		if err != nil {
			return err
		}
		out.Customers, err = h.copyRaw(ctx, shop, in, training.CustomerTable, func(visit func(training.Raw) error) error { return s.Customers(ctx, in.Range, visit) })
		if err != nil {
			return err
		}
		out.Products, err = h.copyRaw(ctx, shop, in, training.ProductTable, func(visit func(training.Raw) error) error { return s.Products(ctx, visit) })
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

// splitBefore counts the rows of a shop in files. plan-extract has written them.
func (h Handler) splitBefore(ctx context.Context, shop shape.Shop, in workflow.RangeInput) (out workflow.Extracted, err error) {
	for _, table := range []struct {
		name  training.TableName
		there bool
		rows  *int64
	}{
		{training.InteractionTable, true, &out.Ratings}, {training.CustomerTable, shop.HasCustomers(), &out.Customers},
		{training.ProductTable, shop.HasProducts(), &out.Products},
	} {
		if !table.there {
			continue
		}
		file, err := training.OpenFile(ctx, h.Lake, lake.RawKey(in.ID, string(table.name), in.Range.Index))
		if err != nil {
			return out, err
		}
		*table.rows = file.File.NumRows()
		if err := file.Close(); err != nil {
			return out, err
		}
	}
	slog.InfoContext(ctx, "split before", "run", in.ID, "range", in.Range.Index,
		"ratings", out.Ratings, "customers", out.Customers, "products", out.Products)
	return out, nil
}

// sameTypes reports a column whose type is not the planned one.
func sameTypes(planned, found shape.Shop) error {
	before, now := planned.Columns(), found.Columns()
	if len(before) != len(now) {
		return fmt.Errorf("%d columns became %d", len(before), len(now))
	}
	for i := range now {
		if before[i] != now[i] {
			return fmt.Errorf("column %s was %s and is %s", before[i].Name, before[i].Type, now[i].Type)
		}
	}
	return nil
}

// copyRaw copies the interactions or the customers of a range, or all products.
func (h Handler) copyRaw(ctx context.Context, shop shape.Shop, in workflow.RangeInput, name training.TableName, stream func(visit func(training.Raw) error) error) (int64, error) {
	return copyTable(ctx, h.Lake, lake.RawKey(in.ID, string(name), in.Range.Index), func(file *os.File) (rows, error) {
		table := training.NewRawWriter(shop, file, name)
		return table, stream(table.AppendRaw)
	})
}

// rows is a file of rows that is written: a training.Writer or a training.RowWriter.
type rows interface {
	Rows() int64
	Close() error
}

// copyTable has fill write a scratch file, and puts that: the source waits for a local disk, not for S3.
func copyTable(ctx context.Context, store *objectstore.Store, key string, fill func(*os.File) (rows, error)) (int64, error) {
	file, err := objectstore.Scratch()
	if err != nil {
		return 0, err
	}
	defer file.Close()
	table, err := fill(file)
	if err != nil {
		return 0, err
	}
	if err := table.Close(); err != nil {
		return 0, err
	}
	_, err = store.PutFile(ctx, key, file)
	return table.Rows(), err
}
