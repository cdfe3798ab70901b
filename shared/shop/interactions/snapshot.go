package interactions

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/sparse"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// Snapshot holds the ratings of one snapshot, and the facts about its customers and items.
type Snapshot struct {
	Name      string
	Shop      shape.Shop // the shop that it was made of
	Customers []Customer // those who rated something, by ascending id: the rows of Ratings
	Items     []Item     // all products, rated or not, by ascending code: the columns of Ratings
	Unsound   []string   // codes of products whose row was bad: in the shop, without columns
	Ratings   *sparse.Matrix
}

// Customer is a row.
type Customer struct {
	ID            string
	City, Country string
	CreditLimit   float64 // NaN where it is not known
}

// Item is a column.
type Item struct {
	Code, Line, Scale string
	BuyPrice, MSRP    float64 // NaN where they are not known, as line and scale are "": it came while the snapshot was read
}

// IDs are the customers' ids, by row.
func (s *Snapshot) IDs() []string {
	ids := make([]string, len(s.Customers))
	for i := range s.Customers {
		ids[i] = s.Customers[i].ID
	}
	return ids
}

// Codes are the items' codes, by column.
func (s *Snapshot) Codes() []string {
	codes := make([]string, len(s.Items))
	for i := range s.Items {
		codes[i] = s.Items[i].Code
	}
	return codes
}

// ShopCodes returns the codes of all products of the shop, also of those whose row was bad.
func (s *Snapshot) ShopCodes() *training.Codes {
	codes := training.NewCodes(len(s.Items) + len(s.Unsound))
	for i := range s.Items {
		codes.Add(s.Items[i].Code)
	}
	for _, code := range s.Unsound {
		codes.Add(code)
	}
	return codes
}

// maxManifest bounds a snapshot's manifest, in bytes.
const maxManifest = 512 << 20

// ErrNoSnapshot: no training data is published yet.
var ErrNoSnapshot = errors.New("no training data is published")

// Latest names the snapshot that readers see, or returns ErrNoSnapshot.
func Latest(ctx context.Context, store *objectstore.Store) (lake.Latest, error) {
	var latest lake.Latest
	_, err := store.GetJSON(ctx, lake.LatestKey, lake.MaxLatest, &latest)
	if errors.Is(err, objectstore.ErrNotFound) {
		return latest, ErrNoSnapshot
	}
	return latest, err
}

// Read reads a snapshot from the lake, range after range. Beside the result, a range's file is on the scratch disk
// and a batch of rows in memory. Errors are the store's. objectstore.ErrNotFound means that the snapshot is gone.
func Read(ctx context.Context, store *objectstore.Store, name string) (*Snapshot, error) {
	return read(ctx, store, name, true)
}

// ReadShop reads the customers and the items as Read does, and keeps no ratings: they would fill most of the memory.
func ReadShop(ctx context.Context, store *objectstore.Store, name string) (*Snapshot, error) {
	return read(ctx, store, name, false)
}

func read(ctx context.Context, store *objectstore.Store, name string, keepRatings bool) (*Snapshot, error) {
	var manifest lake.Manifest
	if _, err := store.GetJSON(ctx, lake.ManifestKey(name), maxManifest, &manifest); err != nil {
		return nil, err
	}
	room := manifest.Rows
	if !keepRatings {
		room = 0
	}
	r := reader{
		Snapshot:    &Snapshot{Name: name, Shop: shape.Lab, Ratings: &sparse.Matrix{Start: []int64{0}, Columns: make([]int32, 0, room), Ratings: make([]uint16, 0, room)}},
		keepRatings: keepRatings, columns: map[string]int32{}, texts: map[string]string{},
	}
	err := r.readProducts(ctx, store, lake.ProductsKey(name))
	if err != nil && !errors.Is(err, objectstore.ErrNotFound) { // a snapshot of an earlier release has no list of products
		return nil, err
	}
	for i := range manifest.Ranges {
		if err := r.readRange(ctx, store, lake.RangeKey(name, i)); err != nil {
			return nil, err
		}
	}
	r.finish()
	return r.Snapshot, nil
}

// reader is a Snapshot on the way. Columns are in the order of arrival until finish.
type reader struct {
	*Snapshot
	keepRatings bool
	columns     map[string]int32  // by code
	number      int32             // of the last customer
	texts       map[string]string // one copy of each city, country, line and scale
}

func (r *reader) readProducts(ctx context.Context, store *objectstore.Store, key string) error {
	table, err := training.OpenTable[training.CatalogueRow](ctx, store, key)
	if err != nil {
		return err
	}
	defer table.Close()
	for {
		p, err := table.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if p.Reason != "" {
			r.Unsound = append(r.Unsound, strings.Clone(p.ProductCode))
			continue
		}
		r.add(Item{strings.Clone(p.ProductCode), r.text([]byte(p.ProductLine)), r.text([]byte(p.ProductScale)), money(p.BuyPrice), money(p.MSRP)})
	}
}

// add takes an item in and gives it its column.
func (r *reader) add(item Item) int32 {
	column := int32(len(r.Items))
	r.columns[item.Code], r.Items = column, append(r.Items, item)
	return column
}

// finish puts items and the columns of each row into ascending order.
func (r *reader) finish() {
	r.Ratings.Width = len(r.Items)
	slices.SortFunc(r.Items, func(a, b Item) int { return strings.Compare(a.Code, b.Code) })
	place := make([]int32, len(r.Items))
	for i := range r.Items {
		place[r.columns[r.Items[i].Code]] = int32(i)
	}
	var entries []uint64 // a column and its rating, to be sorted as one
	for c := range r.Customers {
		columns, ratings := r.Ratings.Row(c)
		entries = entries[:0]
		for k, column := range columns {
			entries = append(entries, uint64(place[column])<<16|uint64(ratings[k]))
		}
		slices.Sort(entries)
		for k, entry := range entries {
			columns[k], ratings[k] = int32(entry>>16), uint16(entry)
		}
	}
}

// HeldOut is the hold-out rule for the snapshot's rows and columns, see sparse.HeldOut.
func (s *Snapshot) HeldOut(seed uint64, fraction float64) func(row, column int) bool {
	draws := make([]sparse.Draw, len(s.Customers))
	for row := range draws {
		draws[row] = sparse.DrawOf(seed, s.Customers[row].ID)
	}
	return func(row, column int) bool { return draws[row].HeldOut(fraction, s.Items[column].Code) }
}
