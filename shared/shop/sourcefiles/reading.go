package sourcefiles

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// sampleSize is how many customers of interactions are drawn to cut ranges by. With 400 ranges, a range's size is off by
// some eight per cent.
const sampleSize = 1 << 16

// sources of interactions' columns, in the order of a raw row.
var interactionColumns = []shape.Column{
	{Name: "type", Role: shape.Kind, Type: shape.Text},
	{Name: "at", Role: shape.Time, Type: shape.Timestamp},
	{Name: "quantity", Role: shape.Quantity, Type: "decimal(12,4)"},
	{Name: "value", Role: shape.Value, Type: "decimal(18,4)"},
	{Name: "rating", Role: shape.Stars, Type: "decimal(3,2)"},
}

// reading is the pass over the files.
type reading struct {
	source  Source
	shop    shape.Shop
	zone    *time.Location
	objects []objectstore.Object
	split   *Split

	used              []objectstore.Object // the files that were read
	customer, product idKind
	seen              [5]bool // the interactions' columns that some file has
	sample            []string
	drawn             int64
	random            *rand.Rand
}

// wanted is a column of a raw row, and its place in the file.
type wanted struct {
	column   shape.Column
	from     string // its name in the file
	must     bool   // the file has to have it
	place    int    // in the file's rows, -1 if it is not there
	constant string // its value, if the file has none
}

// all reads every query's files.
func (r *reading) all(ctx context.Context) error {
	r.random = rand.New(rand.NewPCG(1, 0))
	for _, query := range r.shop.Source.Interactions {
		if err := r.table(ctx, training.InteractionTable, query, r.interactionColumns(query)); err != nil {
			return err
		}
	}
	if r.shop.HasCustomers() {
		if err := r.table(ctx, training.CustomerTable, r.shop.Source.Customers, r.listColumns(r.shop.Customer, r.shop.CustomerColumns, r.shop.Source.Customers)); err != nil {
			return err
		}
	}
	if r.shop.HasProducts() {
		return r.table(ctx, training.ProductTable, r.shop.Source.Products, r.listColumns(r.shop.Product, r.shop.ProductColumns, r.shop.Source.Products))
	}
	return nil
}

func (r *reading) interactionColumns(query shape.Query) []wanted {
	columns := []wanted{r.want(query, shape.Column{Name: r.shop.Customer.Name}, true), r.want(query, shape.Column{Name: r.shop.Product.Name}, true)}
	for _, column := range interactionColumns {
		_, named := query.Names[column.Name]
		w := r.want(query, column, named || column.Role == shape.Kind && query.Type == "")
		if column.Role == shape.Kind && query.Type != "" {
			w = wanted{column: column, constant: query.Type}
		}
		columns = append(columns, w)
	}
	return columns
}

func (r *reading) listColumns(id shape.ID, columns []shape.Column, query shape.Query) []wanted {
	out := []wanted{r.want(query, shape.Column{Name: id.Name}, true)}
	for _, column := range columns {
		out = append(out, r.want(query, column, true))
	}
	return out
}

func (r *reading) want(query shape.Query, column shape.Column, must bool) wanted {
	from := query.Names[column.Name]
	if from == "" {
		from = column.Name
	}
	return wanted{column: column, from: from, must: must, place: -1}
}

// table reads the files of one query into the spool of its table.
func (r *reading) table(ctx context.Context, name training.TableName, query shape.Query, columns []wanted) error {
	objects, err := r.matching(query)
	if err != nil {
		return err
	}
	to := r.split.tables[name]
	if to == nil {
		if to, err = newSpool(); err != nil {
			return err
		}
		r.split.tables[name] = to
	}
	for _, object := range objects {
		r.used = append(r.used, object)
		if err := r.file(ctx, name, object, columns, to); err != nil {
			var bad *formatError
			if errors.As(err, &bad) {
				return r.faultf(query, "%s: %w", r.source.Lake.URI(object.Key), err)
			}
			return err
		}
	}
	return nil
}

// file reads one file. Its rows come as the raw rows of the table.
func (r *reading) file(ctx context.Context, name training.TableName, object objectstore.Object, columns []wanted, to *spool) error {
	file, err := open(ctx, r.source.Lake, object)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := place(columns, file.names()); err != nil {
		return err
	}
	raw := make(training.Raw, len(columns))
	for number := int64(1); ; number++ {
		cells, err := file.next()
		if errors.Is(err, io.EOF) {
			return missingKeys(columns, file.names())
		}
		if err != nil {
			return &formatError{fmt.Errorf("row %d: %w", number, err)}
		}
		if len(file.names()) > 0 {
			if err := placeMore(columns, file.names()); err != nil {
				return err
			}
		}
		for i, column := range columns {
			raw[i] = r.cell(column, cells)
		}
		r.note(name, columns, raw)
		if err := to.add(raw); err != nil {
			return err
		}
		if number%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// cell returns a value as raw files have it.
func (r *reading) cell(column wanted, cells []string) string {
	if column.place < 0 || column.place >= len(cells) {
		return column.constant
	}
	text := cells[column.place]
	switch {
	case text == `\N`:
		return ""
	case column.column.Role == shape.Time:
		return utc(text, r.zone)
	case column.column.Name == r.shop.Customer.Name:
		return r.shop.Customer.Stored(strings.TrimSpace(text))
	default:
		return text
	}
}

// note counts a row, and looks at its ids.
func (r *reading) note(name training.TableName, columns []wanted, raw training.Raw) {
	switch name {
	case training.CustomerTable:
		r.customer.add(raw[0])
	case training.ProductTable:
		r.split.counts.products++
		r.product.add(raw[0])
	default:
		r.split.counts.interactions++
		r.customer.add(raw[0])
		r.product.add(raw[1])
		for i := range interactionColumns {
			r.seen[i] = r.seen[i] || columns[2+i].place >= 0 || columns[2+i].constant != ""
		}
		r.draw(raw[0])
	}
}

// draw keeps a sample of the interactions' customers: algorithm R, see
// https://en.wikipedia.org/wiki/Reservoir_sampling#Simple:_Algorithm_R
func (r *reading) draw(customer string) {
	r.drawn++
	if len(r.sample) < sampleSize {
		r.sample = append(r.sample, strings.Clone(customer))
		return
	}
	if at := r.random.Int64N(r.drawn); at < sampleSize {
		r.sample[at] = strings.Clone(customer)
	}
}
