package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// pairs is customers of a snapshot with products: a pgx.CopyFromSource of (customer, product). It reads the range files, one
// after the other. Pairs may repeat.
type pairs struct {
	ctx   context.Context
	store *objectstore.Store
	keys  []string // of the files that are not begun yet
	names []string // of the columns: customer, product, and the type if rows have one
	wants func(kind string) bool

	file *training.Selected
	pair [2]string
	err  error
}

// ratedOf returns the pairs that are not recommended again. Goods that are bought again make none.
func ratedOf(ctx context.Context, store *objectstore.Store, shop shape.Shop, snapshot string) (*pairs, error) {
	none := shop.Meaning.Repeatable || len(shop.Meaning.Exclude) == 0
	return pairsOf(ctx, store, shop, snapshot, none, shop.Excludes)
}

// seenOf returns the pairs that training counts and that may be recommended again. kinds are the snapshot's interactions by
// type. The lab has ratings alone, so it has no such pairs.
func seenOf(ctx context.Context, store *objectstore.Store, shop shape.Shop, snapshot string, kinds map[string]int64) (*pairs, error) {
	wants := func(kind string) bool { return shop.WeightOf(kind) > 0 && !shop.Excludes(kind) }
	none := shop.IsLab() || len(kinds) > 0 && !slices.ContainsFunc(slices.Collect(maps.Keys(kinds)), wants)
	return pairsOf(ctx, store, shop, snapshot, none, wants)
}

// pairsOf returns the pairs of a snapshot by interactions of the wanted types, or none.
func pairsOf(ctx context.Context, store *objectstore.Store, shop shape.Shop, snapshot string, none bool, wants func(kind string) bool) (*pairs, error) {
	p := &pairs{ctx: ctx, store: store, names: []string{shop.Customer.Name, shop.Product.Name}, wants: wants}
	if kind, given := shop.Interaction(shape.Kind); given {
		p.names = append(p.names, kind.Name)
	}
	if none {
		return p, nil
	}
	var err error
	p.keys, err = keysUnder(ctx, store, lake.RangeFilesPrefix(snapshot))
	return p, err
}

func (p *pairs) Next() bool {
	for p.err == nil {
		if p.file == nil && !p.open() {
			return false
		}
		values, err := p.file.Next()
		if errors.Is(err, io.EOF) {
			p.err = p.file.Close()
			p.file = nil
			continue
		}
		if p.err = err; err != nil {
			break
		}
		kind := shape.Rating // of all rows of the lab
		if len(values) > 2 {
			kind = training.Text(values[2])
		}
		if !p.wants(kind) {
			continue
		}
		p.pair = [2]string{training.Text(values[0]), training.Text(values[1])}
		return true
	}
	return false
}

// open begins the next file. It returns false at the end.
func (p *pairs) open() bool {
	if len(p.keys) == 0 {
		return false
	}
	p.file, p.err = training.OpenSelected(p.ctx, p.store, p.keys[0], p.names...)
	if p.err != nil {
		p.err = fmt.Errorf("reading %s: %w", p.keys[0], p.err)
		return false
	}
	p.keys = p.keys[1:]
	return true
}

func (p *pairs) Values() ([]any, error) { return []any{p.pair[0], p.pair[1]}, nil }
func (p *pairs) Err() error             { return p.err }

// Close frees the resources of an unfinished reading.
func (p *pairs) Close() {
	if p.file != nil {
		p.file.Close()
		p.file = nil
	}
}
