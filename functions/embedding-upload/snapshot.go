package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"recsys/shared/contract/lake"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// refresh brings the active version up to the newest snapshot, or the shop alone where none is active.
func (h *Handler) refresh(ctx context.Context) error {
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
	if found {
		refreshed, err = vectorstore.Refresh(ctx, h.DB, active.Version, latest.rows())
	} else {
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
	counts   *itemCounts
	rated    *parquetRows[ratedRow]
	products *parquetRows[productRow]
	whole    bool // the products are all that the shop holds
}

// ratedRow and productRow are the columns that are wanted of training.Row and of training.CatalogueRow.
type (
	ratedRow struct {
		ProductCode    string `parquet:"productCode,dict"`
		CustomerNumber int32  `parquet:"customerNumber"`
	}
	productRow struct {
		ProductCode     string `parquet:"productCode"`
		ProductLine     string `parquet:"productLine,dict"`
		QuantityInStock int32  `parquet:"quantityInStock"`
		StockUnknown    bool   `parquet:"stockUnknown"`
	}
)

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
	ranges, err := keysUnder(ctx, store, lake.RangeFilesPrefix(s.Snapshot))
	if err != nil {
		return nil, err
	}
	products, err := keysUnder(ctx, store, lake.ProductsKey(s.Snapshot)) // none, of an earlier release
	if err != nil {
		return nil, err
	}
	s.rated = &parquetRows[ratedRow]{ctx: ctx, store: store, keys: ranges,
		values: func(r *ratedRow) []any { return []any{r.CustomerNumber, r.ProductCode} }}
	s.products = &parquetRows[productRow]{ctx: ctx, store: store, keys: products, values: (*productRow).values}
	if s.products.open() {
		s.whole = training.ListsAllProducts(s.products.table.File)
	}
	return s, s.products.Err()
}

func (r *productRow) values() []any {
	if r.StockUnknown {
		return []any{r.ProductCode, r.ProductLine, nil}
	}
	return []any{r.ProductCode, r.ProductLine, r.QuantityInStock}
}

func keysUnder(ctx context.Context, store *objectstore.Store, prefix string) (keys []string, err error) {
	err = store.List(ctx, prefix, func(object objectstore.Object) error {
		keys = append(keys, object.Key)
		return nil
	})
	return keys, err
}

// rows is the zero value for nil.
func (s *snapshot) rows() vectorstore.Snapshot {
	if s == nil {
		return vectorstore.Snapshot{}
	}
	return vectorstore.Snapshot{Name: s.Snapshot, Of: s.StartedAt,
		Popularity: s.counts, Rated: s.rated, Products: s.products, Whole: s.whole}
}

// Close ends the reading. Nil may be closed.
func (s *snapshot) Close() {
	if s == nil {
		return
	}
	s.counts.Close()
	s.rated.Close()
	s.products.Close()
}

// parquetRows is the rows of Parquet objects, one object after the other: a pgx.CopyFromSource.
type parquetRows[T any] struct {
	ctx    context.Context
	store  *objectstore.Store
	keys   []string // of the objects that are not begun yet
	values func(*T) []any

	table *training.Table[T]
	row   *T
	err   error
}

func (p *parquetRows[T]) Next() bool {
	for p.err == nil {
		if p.table == nil && !p.open() {
			return false
		}
		p.row, p.err = p.table.Next()
		if p.err == nil {
			return true
		}
		if errors.Is(p.err, io.EOF) {
			p.err = p.table.Close()
			p.table = nil
		}
	}
	return false
}

// open begins the next object. It returns false at the end.
func (p *parquetRows[T]) open() bool {
	if len(p.keys) == 0 {
		return false
	}
	p.table, p.err = training.OpenTable[T](p.ctx, p.store, p.keys[0])
	if p.err != nil {
		p.err = fmt.Errorf("reading %s: %w", p.keys[0], p.err)
		p.table = nil
		return false
	}
	p.keys = p.keys[1:]
	return true
}

func (p *parquetRows[T]) Values() ([]any, error) { return p.values(p.row), nil }
func (p *parquetRows[T]) Err() error             { return p.err }

// Close frees the resources of an unfinished reading.
func (p *parquetRows[T]) Close() {
	if p.table != nil {
		p.table.Close()
		p.table = nil
	}
}
