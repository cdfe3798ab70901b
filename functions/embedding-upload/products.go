package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// products is the list of a snapshot's products: a pgx.CopyFromSource of (product, line, stock). The stock is nil if nobody can
// tell it, and in a shop that has no column for it.
type products struct {
	shop  shape.Shop
	line  int  // the place of the line's column, -1 for none
	whole bool // these are all products that the shop holds

	table   *training.CatalogueTable // nil at the end
	product training.Product
	err     error
}

// productsOf opens the list of a snapshot. One of an earlier release may lack it: then there are no rows.
func productsOf(ctx context.Context, store *objectstore.Store, shop shape.Shop, snapshot string) (*products, error) {
	p := &products{shop: shop, line: slices.IndexFunc(shop.ProductColumns, func(c shape.Column) bool { return c.Name == shop.Line })}
	key := lake.ProductsKey(snapshot)
	table, err := training.OpenCatalogue(ctx, store, shop, key)
	if errors.Is(err, objectstore.ErrNotFound) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("reading %s: %w", key, err)
	}
	p.table, p.whole = table, training.ListsAllProducts(table.File)
	return p, nil
}

func (p *products) Next() bool {
	if p.table == nil || p.err != nil {
		return false
	}
	p.product, p.err = p.table.Next()
	if errors.Is(p.err, io.EOF) {
		p.err = nil
		p.Close()
		return false
	}
	return p.err == nil
}

func (p *products) Values() ([]any, error) {
	line := ""
	if p.line >= 0 {
		line = training.Text(p.product.Values[p.line])
	}
	return []any{p.product.ID, line, p.stock()}, nil
}

// stock returns the pieces as an int32, or nil.
func (p *products) stock() any {
	var stock any
	for i, column := range p.shop.ProductColumns {
		value := training.Number(column.Type, p.product.Values[i])
		switch {
		case math.IsNaN(value):
		case column.Role == shape.Availability && value == 0:
			return int32(0)
		case column.Role == shape.Stock && !p.product.StockUnknown:
			stock = int32(min(max(math.Ceil(value), math.MinInt32), math.MaxInt32))
		}
	}
	return stock
}

func (p *products) Err() error { return p.err }

// Close frees the resources of an unfinished reading.
func (p *products) Close() {
	if p.table != nil {
		p.table.Close()
		p.table = nil
	}
}
