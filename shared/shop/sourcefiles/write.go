package sourcefiles

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// maxRangeBytes bounds a range, which is sorted in memory.
const maxRangeBytes = 128 << 20

// Ranges returns the ranges of the customers.
func (s *Split) Ranges() []workflow.Range {
	ranges := make([]workflow.Range, len(s.bounds)+1)
	for i := range ranges {
		ranges[i].Index = i
		if i > 0 {
			ranges[i].After, ranges[i-1].UpTo = &s.bounds[i-1].text, &s.bounds[i-1].text
		}
	}
	return ranges
}

// Write writes the raw files of all ranges. Read of the same files gives the same bytes.
func (s *Split) Write(ctx context.Context, store *objectstore.Store, run string) error {
	if err := s.writeRanges(ctx, store, run, training.InteractionTable, s.interactionPlaces()); err != nil {
		return err
	}
	if s.Shop.HasCustomers() {
		if err := s.writeRanges(ctx, store, run, training.CustomerTable, ascending(1+len(s.Shop.CustomerColumns))); err != nil {
			return err
		}
	}
	if s.Shop.HasProducts() {
		return s.writeProducts(ctx, store, run)
	}
	return nil
}

// interactionPlaces returns the places of the shop's columns in a row of the spool, which has all.
func (s *Split) interactionPlaces() []int {
	places := []int{0, 1}
	for i, column := range interactionColumns {
		if _, has := s.Shop.Interaction(column.Role); has {
			places = append(places, 2+i)
		}
	}
	return places
}

func ascending(n int) []int {
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	return places
}

// writeRanges writes the raw files of a table that is read in ranges.
func (s *Split) writeRanges(ctx context.Context, store *objectstore.Store, run string, name training.TableName, places []int) error {
	texts := len(places)
	if name == training.InteractionTable {
		texts = 2 + len(interactionColumns)
	}
	parts, err := s.distribute(s.tables[name], texts)
	if err != nil {
		return errors.Join(err, closeAll(parts))
	}
	defer closeAll(parts)
	for i, part := range parts {
		if part.bytes > maxRangeBytes {
			return failure.SchemaMismatch.Errorf("the %s of range %d take %d MiB, and %d are the most: one customer has too many, or rowsPerRange is too high",
				name, i, part.bytes>>20, maxRangeBytes>>20)
		}
		rows, err := s.sorted(part, texts, places)
		if err != nil {
			return err
		}
		if err := put(ctx, store, s.Shop, name, lake.RawKey(run, string(name), i), rows); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// distribute puts each row into the spool of its range.
func (s *Split) distribute(from *spool, texts int) (parts []*spool, err error) {
	for range len(s.bounds) + 1 {
		part, err := newSpool()
		if err != nil {
			return parts, err
		}
		parts = append(parts, part)
	}
	return parts, from.each(texts, func(raw training.Raw) error {
		return parts[rangeOf(s.bounds, boundOf(s.Shop.Customer.Type, raw[0]))].add(raw)
	})
}

// keyed is a row and its customer.
type keyed struct {
	customer bound
	raw      training.Raw
}

// sorted returns the rows of a range in the order in which a database gives them.
func (s *Split) sorted(part *spool, texts int, places []int) ([]keyed, error) {
	rows := make([]keyed, 0, part.rows)
	err := part.each(texts, func(raw training.Raw) error {
		picked := make(training.Raw, len(places))
		for i, place := range places {
			picked[i] = raw[place]
		}
		rows = append(rows, keyed{boundOf(s.Shop.Customer.Type, raw[0]), picked})
		return nil
	})
	stars := slices.Index(places, 2+starsColumn)
	slices.SortFunc(rows, func(a, b keyed) int {
		if order := a.customer.compare(b.customer); order != 0 {
			return order
		}
		return compareRows(a.raw, b.raw, stars)
	})
	return rows, err
}

// starsColumn is the place of the ratings in interactionColumns.
var starsColumn = slices.IndexFunc(interactionColumns, func(c shape.Column) bool { return c.Role == shape.Stars })

// compareRows orders the rows of a customer by spelling, product, type, time and so on. Of several ratings the highest comes
// first.
func compareRows(a, b training.Raw, stars int) int {
	for i := range a {
		order := strings.Compare(a[i], b[i])
		if i == stars {
			order = -order
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

// writeProducts writes the list of products for each range.
func (s *Split) writeProducts(ctx context.Context, store *objectstore.Store, run string) error {
	texts := 1 + len(s.Shop.ProductColumns)
	var rows []keyed
	err := s.tables[training.ProductTable].each(texts, func(raw training.Raw) error {
		rows = append(rows, keyed{bound{text: raw[0]}, raw})
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(rows, func(a, b keyed) int { return a.customer.compare(b.customer) })
	for i := range len(s.bounds) + 1 {
		if err := put(ctx, store, s.Shop, training.ProductTable, lake.RawKey(run, string(training.ProductTable), i), rows); err != nil {
			return err
		}
	}
	return nil
}

// put writes one raw file.
func put(ctx context.Context, store *objectstore.Store, shop shape.Shop, name training.TableName, key string, rows []keyed) error {
	file, err := objectstore.Scratch()
	if err != nil {
		return err
	}
	defer file.Close()
	w := training.NewRawWriter(shop, file, name)
	for _, row := range rows {
		if err := w.AppendRaw(row.raw); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("writing %s: %w", key, err)
	}
	_, err = store.PutFile(ctx, key, file)
	return err
}
