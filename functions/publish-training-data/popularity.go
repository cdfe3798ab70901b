package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
)

// counted is the key of a count.
type counted struct{ item, group string }

// counter adds up the interactions of a snapshot.
type counter struct {
	shop   shape.Shop
	newest int64 // Unix milliseconds, 0 without times
	counts map[counted]float64
	schema *parquet.Schema // of the columns that are read
	// The places of those columns, -1 for none.
	group, item, kind, at int
}

// countPopularity adds up the interactions with each item by group, over the ranges' files one after the other. An
// interaction has the weight of its type, and half of it for each half-life that it is older than the newest. A shop that lists
// no products has those that were counted.
func (h Handler) countPopularity(ctx context.Context, manifest *lake.Manifest) error {
	counter := newCounter(*manifest)
	for i := range manifest.Ranges {
		if err := h.countRange(ctx, lake.RangeKey(manifest.Snapshot, i), counter); err != nil {
			return err
		}
	}
	_, err := h.Lake.PutJSON(ctx, lake.PopularityKey(manifest.Snapshot), lake.Popularity{Snapshot: manifest.Snapshot, Items: counter.items()})
	if err != nil || counter.shop.HasProducts() {
		return err
	}
	products := counter.products()
	manifest.Products = int64(len(products))
	return training.PutCatalogue(ctx, h.Lake, manifest.Snapshot, counter.shop, products)
}

func newCounter(manifest lake.Manifest) *counter {
	c := &counter{shop: manifest.Shape(), counts: map[counted]float64{}}
	if manifest.Newest != nil {
		c.newest = manifest.Newest.UnixMilli()
	}
	kind, _ := c.shop.Interaction(shape.Kind)
	at, _ := c.shop.Interaction(shape.Time)
	var wanted []shape.Column
	for _, column := range training.RowColumns(c.shop) {
		if slices.Contains([]string{c.shop.Group, c.shop.Product.Name, kind.Name, at.Name}, column.Name) {
			wanted = append(wanted, column)
		}
	}
	place := func(name string) int {
		return slices.IndexFunc(wanted, func(column shape.Column) bool { return column.Name == name })
	}
	c.schema = training.SchemaOf("Counted", wanted)
	c.group, c.item, c.kind, c.at = place(c.shop.Group), place(c.shop.Product.Name), place(kind.Name), place(at.Name)
	return c
}

// items returns the counts, to four decimals, so that their text does not tell how they were added up.
func (c *counter) items() []lake.ItemCount {
	items := make([]lake.ItemCount, 0, len(c.counts))
	for of, count := range c.counts {
		items = append(items, lake.ItemCount{Item: of.item, Group: of.group, Count: math.Round(count*1e4) / 1e4})
	}
	slices.SortFunc(items, func(a, b lake.ItemCount) int {
		return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(a.Group, b.Group))
	})
	return items
}

// products are those that were seen, for a shop that lists none.
func (c *counter) products() training.Products {
	products := training.Products{}
	for of := range c.counts {
		products[of.item] = training.SeenProduct(c.shop, of.item)
	}
	return products
}

func (h Handler) countRange(ctx context.Context, key string, counter *counter) error {
	table, err := training.OpenFile(ctx, h.Lake, key)
	if err != nil {
		return err
	}
	defer table.Close()
	reader := parquet.NewGenericReader[any](table.File, counter.schema)
	defer reader.Close()
	rows := make([]parquet.Row, 1024)
	for {
		n, err := reader.ReadRows(rows)
		for _, row := range rows[:n] {
			counter.add(row)
		}
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("reading the rows of %s: %w", h.Lake.URI(key), err)
		}
	}
}

// add counts one row.
func (c *counter) add(row parquet.Row) {
	of := counted{item: training.Text(row[c.item])}
	if c.group >= 0 {
		of.group = training.Text(row[c.group])
	}
	weight := 1.0
	if c.kind >= 0 {
		weight = c.shop.WeightOf(string(row[c.kind].ByteArray()))
	}
	if halfLife := c.shop.Meaning.HalfLife; halfLife > 0 && c.at >= 0 && !row[c.at].IsNull() {
		age := time.Duration(c.newest-row[c.at].Int64()) * time.Millisecond
		weight *= math.Exp2(-age.Hours() / 24 / halfLife)
	}
	c.counts[of] += weight
}
