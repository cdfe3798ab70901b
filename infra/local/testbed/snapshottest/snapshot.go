// Package snapshottest publishes small snapshots of any shop for tests, with the pipeline's own cleaning and writers.
package snapshottest

import (
	"slices"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// Line is a row as texts by the columns' names. A column without an entry is NULL.
type Line map[string]string

// Times is the text of a time that is so many days after the first of January 2025.
func Times(days float64) string {
	return time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(days * 24 * float64(time.Hour))).Format(time.DateTime)
}

// Publish makes a snapshot the newest one. Its lines come in ranges, as the steps write them: each customer's together. A
// line has the customer's columns, the product's id and the interaction's columns.
func Publish(tb testing.TB, store *objectstore.Store, name string, shop shape.Shop, products []Line, ranges ...[]Line) lake.Manifest {
	tb.Helper()
	p := publisher{tb, store, shop, training.Products{}}
	names := training.RawNames(shop, training.ProductTable)
	for _, line := range products {
		p.products.Add(shop, line.raw(names))
	}
	p.must(training.PutCatalogue(tb.Context(), store, name, shop, p.products))
	manifest := lake.Manifest{Snapshot: name, Ranges: len(ranges), Shop: &shop, Kinds: map[string]int64{}}
	newest := int64(0)
	for i, lines := range ranges {
		newest = max(newest, p.putRange(lake.RangeKey(name, i), lines, manifest.Kinds))
		manifest.Rows += int64(len(lines))
	}
	if newest > 0 {
		at := time.UnixMilli(newest).UTC()
		manifest.Newest = &at
	}
	_, err := store.PutJSON(tb.Context(), lake.ManifestKey(name), manifest)
	p.must(err)
	_, err = store.PutJSON(tb.Context(), lake.LatestKey, lake.Latest{Snapshot: name, Shop: shop.Hash})
	p.must(err)
	return manifest
}

func (l Line) raw(names []string) training.Raw {
	raw := make(training.Raw, len(names))
	for i, name := range names {
		raw[i] = l[name]
	}
	return raw
}

type publisher struct {
	testing.TB
	store    *objectstore.Store
	shop     shape.Shop
	products training.Products
}

func (p publisher) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// putRange writes a range's file, counts its types and returns the newest time, 0 without any.
func (p publisher) putRange(key string, lines []Line, kinds map[string]int64) (newest int64) {
	p.Helper()
	file, err := objectstore.Scratch()
	p.must(err)
	defer file.Close()
	rows := training.NewRowWriter(p.shop, file)
	clean := training.NewInteractions(p.shop, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	for _, line := range lines {
		var of training.Interaction
		if reason := clean.Clean(line.raw(training.RawNames(p.shop, training.InteractionTable)), &of); reason != "" {
			p.Fatalf("%v: %s", line, reason)
		}
		customer, reason := training.CleanCustomer(p.shop, line.raw(training.RawNames(p.shop, training.CustomerTable)))
		product, listed := p.products[of.Product]
		if !listed {
			unlisted := training.Products{}
			unlisted.Add(p.shop, Line{p.shop.Product.Name: of.Product}.raw(training.RawNames(p.shop, training.ProductTable)))
			product = unlisted[of.Product]
		}
		if reason != "" || product.Reason != "" {
			p.Fatalf("%v: customer %q, product %q", line, reason, product.Reason)
		}
		p.must(rows.Append(customer, product.Part, slices.Clone(of.Values), []parquet.Value{clean.CustomerValue(of.Customer, of.Number)}))
		kinds[of.Kind]++
		newest = max(newest, of.At)
	}
	p.must(rows.Close())
	_, err = p.store.PutFile(p.Context(), key, file)
	p.must(err)
	return newest
}
