package interactions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"recsys/shared/lake"
	"recsys/shared/objectstore"
	"recsys/shared/training"
)

// Snapshot is the ratings of one snapshot, with what is known of its customers and items.
type Snapshot struct {
	Name      string
	Customers []Customer // those who rated something, by ascending number: the rows of Ratings
	Items     []Item     // all products, rated or not, by ascending code: the columns of Ratings
	Ratings   *Matrix
}

// Customer is a row.
type Customer struct {
	Number        int32
	City, Country string
	CreditLimit   float64 // NaN where it is not known
}

// Item is a column.
type Item struct {
	Code, Line, Scale string
	BuyPrice, MSRP    float64
}

// Numbers are the customers' numbers, by row.
func (s *Snapshot) Numbers() []int32 {
	numbers := make([]int32, len(s.Customers))
	for i := range s.Customers {
		numbers[i] = s.Customers[i].Number
	}
	return numbers
}

// Codes are the items' codes, by column.
func (s *Snapshot) Codes() []string {
	codes := make([]string, len(s.Items))
	for i := range s.Items {
		codes[i] = s.Items[i].Code
	}
	return codes
}

// maxManifest bounds a snapshot's manifest, in bytes.
const maxManifest = 512 << 20

// ErrNoSnapshot: no training data is published yet.
var ErrNoSnapshot = errors.New("no training data is published")

// Latest names the snapshot that readers see; ErrNoSnapshot where there is none.
func Latest(ctx context.Context, store *objectstore.Store) (lake.Latest, error) {
	var latest lake.Latest
	_, err := store.GetJSON(ctx, lake.LatestKey, lake.MaxLatest, &latest)
	if errors.Is(err, objectstore.ErrNotFound) {
		return latest, ErrNoSnapshot
	}
	return latest, err
}

// Read reads a snapshot from the lake, range after range. Beside the result, a range's file is on the scratch disk and a
// batch of rows in memory. Errors are the store's; objectstore.ErrNotFound where the snapshot is gone.
func Read(ctx context.Context, store *objectstore.Store, name string) (*Snapshot, error) {
	var manifest lake.Manifest
	if _, err := store.GetJSON(ctx, lake.ManifestKey(name), maxManifest, &manifest); err != nil {
		return nil, err
	}
	r := reader{
		Snapshot: &Snapshot{Name: name, Ratings: &Matrix{
			Start: []int64{0}, Columns: make([]int32, 0, manifest.Rows), Ratings: make([]uint8, 0, manifest.Rows),
		}},
		columns: map[string]int32{}, texts: map[string]string{},
	}
	if err := each(ctx, store, lake.ProductsKey(name), r.addProduct); err != nil && !errors.Is(err, objectstore.ErrNotFound) {
		return nil, err // a snapshot of an earlier release has no list of products
	}
	for i := range manifest.Ranges {
		if err := each(ctx, store, lake.RangeKey(name, i), r.addRating); err != nil {
			return nil, err
		}
	}
	r.finish()
	return r.Snapshot, nil
}

// row is what Read looks at in a training.Row.
type row struct {
	City           string `parquet:"city"`
	Country        string `parquet:"country"`
	CreditLimit    *int64 `parquet:"creditLimit,optional,decimal(2:10)"`
	ProductCode    string `parquet:"productCode"`
	ProductLine    string `parquet:"productLine"`
	ProductScale   string `parquet:"productScale"`
	BuyPrice       int64  `parquet:"buyPrice,decimal(2:10)"`
	MSRP           int64  `parquet:"MSRP,decimal(2:10)"`
	ProductRating  int32  `parquet:"productRating"`
	CustomerNumber int32  `parquet:"customerNumber"`
}

// reader is a Snapshot on the way; columns are in the order of arrival until finish.
type reader struct {
	*Snapshot
	columns map[string]int32  // by code
	texts   map[string]string // one copy of each city, country, line and scale
}

// each calls add for the rows of an object.
func each[T any](ctx context.Context, store *objectstore.Store, key string, add func(*T) error) error {
	table, err := training.OpenTable[T](ctx, store, key)
	if err != nil {
		return err
	}
	defer table.Close()
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err == nil {
			err = add(row)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", store.URI(key), err)
		}
	}
}

func (r *reader) addProduct(p *training.CatalogueRow) error {
	r.column(p.ProductCode, p.ProductLine, p.ProductScale, p.BuyPrice, p.MSRP)
	return nil
}

func (r *reader) addRating(row *row) error {
	if last := len(r.Customers) - 1; last < 0 || r.Customers[last].Number != row.CustomerNumber {
		if last >= 0 && r.Customers[last].Number > row.CustomerNumber {
			return fmt.Errorf("customer %d comes after %d: the rows are not sorted", row.CustomerNumber, r.Customers[last].Number)
		}
		r.Customers = append(r.Customers, Customer{row.CustomerNumber, r.text(row.City), r.text(row.Country), money(row.CreditLimit)})
		r.Ratings.Start = append(r.Ratings.Start, 0)
	}
	column := r.column(row.ProductCode, row.ProductLine, row.ProductScale, row.BuyPrice, row.MSRP)
	r.Ratings.Columns = append(r.Ratings.Columns, column)
	r.Ratings.Ratings = append(r.Ratings.Ratings, uint8(row.ProductRating))
	r.Ratings.Start[len(r.Customers)] = int64(len(r.Ratings.Columns))
	return nil
}

// column is the item's, which is taken in where it is new.
func (r *reader) column(code, line, scale string, buyPrice, msrp int64) int32 {
	if column, known := r.columns[code]; known {
		return column
	}
	column := int32(len(r.Items))
	code = strings.Clone(code)
	r.columns[code] = column
	r.Items = append(r.Items, Item{code, r.text(line), r.text(scale), float64(buyPrice) / 100, float64(msrp) / 100})
	return column
}

func (r *reader) text(text string) string {
	if kept, known := r.texts[text]; known {
		return kept
	}
	text = strings.Clone(text)
	r.texts[text] = text
	return text
}

func money(hundredths *int64) float64 {
	if hundredths == nil {
		return math.NaN()
	}
	return float64(*hundredths) / 100
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
			entries = append(entries, uint64(place[column])<<8|uint64(ratings[k]))
		}
		slices.Sort(entries)
		for k, entry := range entries {
			columns[k], ratings[k] = int32(entry>>8), uint8(entry)
		}
	}
}

// HeldOut is the hold-out rule for the snapshot's rows and columns, see the function HeldOut.
func (s *Snapshot) HeldOut(seed uint64, fraction float64) func(row, column int) bool {
	return func(row, column int) bool {
		return HeldOut(seed, fraction, s.Customers[row].Number, s.Items[column].Code)
	}
}
