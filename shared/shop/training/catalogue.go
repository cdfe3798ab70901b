package training

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/store/objectstore"
)

// The columns of the list of products, lake.ProductsKey, after the product's id and its own columns. The list is sorted
// by the id's text. A product of a bad row is listed too, because the shop holds it.
const (
	reasonColumn  = "reason"       // why the row is bad, "" for a sound one
	unknownColumn = "stockUnknown" // nobody can tell the stock
)

// catalogueSchema returns the schema of the list of products.
func catalogueSchema(shop shape.Shop) *parquet.Schema {
	columns := append([]shape.Column{idColumn(shop.Product)}, shop.ProductColumns...)
	nodes := parquet.Group{}
	for _, column := range columns {
		nodes[column.Name] = node(column)
	}
	nodes[shop.Product.Name] = plainText(shop.Product.Type)
	nodes[reasonColumn] = nodeOf(shape.Text)
	nodes[unknownColumn] = parquet.Leaf(parquet.BooleanType)
	return parquet.NewSchema("CatalogueRow", ordered{nodes, append(names(columns), reasonColumn, unknownColumn)})
}

// plainText returns the type of the ids in the list, which are all different.
func plainText(t shape.Type) parquet.Node {
	if t.Whole() {
		return nodeOf(t)
	}
	return parquet.String()
}

// CatalogueWriter writes the list of products.
type CatalogueWriter struct {
	*RowWriter
	shop shape.Shop
}

// NewCatalogueWriter starts a list of products. Close completes it.
func NewCatalogueWriter(shop shape.Shop, out io.Writer) CatalogueWriter {
	return CatalogueWriter{newRowWriter(out, catalogueSchema(shop)), shop}
}

// Add appends a product, unless no list can hold its id.
func (w CatalogueWriter) Add(p CheckedProduct) error {
	number, err := WholeID(w.shop.Product.Type, p.Code)
	if p.Code == "" || flawIn(p.Code) != "" || w.shop.Product.Type.Whole() && err != nil {
		return nil
	}
	row := []parquet.Value{productValue(w.shop, p.Code, number).Level(0, 0, 0)}
	for i, column := range w.shop.ProductColumns {
		row = append(row, level(w.value(p, i), column, 1+i))
	}
	reason, unknown := parquet.ValueOf(string(p.Reason)), parquet.ValueOf(p.Stock == nil)
	return w.Append(append(row, reason.Level(0, 0, len(row)), unknown.Level(0, 0, len(row)+1)))
}

// PutCatalogue stores the list of a run's products, those of bad rows among them.
func PutCatalogue(ctx context.Context, store *objectstore.Store, run string, shop shape.Shop, products Products) error {
	scratch, err := objectstore.Scratch()
	if err != nil {
		return err
	}
	defer scratch.Close()
	rows := NewCatalogueWriter(shop, scratch)
	for _, code := range slices.Sorted(maps.Keys(products)) {
		if err := rows.Add(products[code]); err != nil {
			return err
		}
	}
	if err := rows.Close(); err != nil {
		return err
	}
	_, err = store.PutFile(ctx, lake.ProductsKey(run), scratch)
	return err
}

// value returns a column of a product. One of a bad row has the stock alone, if that.
func (w CatalogueWriter) value(p CheckedProduct, i int) parquet.Value {
	column := w.shop.ProductColumns[i]
	if p.Reason == "" && i < len(p.Values) {
		return p.Values[i]
	}
	if column.Role == shape.Stock && p.Stock != nil {
		value, _ := parse(column, strconv.Itoa(int(*p.Stock)))
		return value
	}
	if Optional(column) {
		return parquet.NullValue()
	}
	return parquet.ZeroValue(nodeOf(column.Type).Type().Kind())
}

// Product is a row of the list of products.
type Product struct {
	ID           string          // as text
	Values       []parquet.Value // as shape.Shop.ProductColumns. A bad row has its stock alone
	Reason       Reason          // why the row is bad, "" for a sound one
	StockUnknown bool
}

// CatalogueTable is a list of products, downloaded and read row by row.
type CatalogueTable struct {
	*Object
	file *parquet.GenericReader[any]
	rows []parquet.Row
	next int
	end  error
}

// OpenCatalogue downloads a list of products. A list of an earlier release lacks columns. They are NULL or empty.
func OpenCatalogue(ctx context.Context, store *objectstore.Store, shop shape.Shop, key string) (*CatalogueTable, error) {
	object, err := OpenFile(ctx, store, key)
	if err != nil {
		return nil, err
	}
	return &CatalogueTable{Object: object, file: parquet.NewGenericReader[any](object.File, catalogueSchema(shop)), rows: make([]parquet.Row, 0, batch)}, nil
}

// Next returns the next product, or io.EOF. Its values are valid until the next call.
func (t *CatalogueTable) Next() (Product, error) {
	for t.next == len(t.rows) {
		if t.end != nil {
			return Product{}, t.end
		}
		n, err := t.file.ReadRows(t.rows[:cap(t.rows)])
		t.rows, t.next, t.end = t.rows[:n], 0, err
		if err != nil && !errors.Is(err, io.EOF) {
			t.end = fmt.Errorf("reading Parquet rows: %w", err)
		}
	}
	row := t.rows[t.next]
	t.next++
	last := len(row) - 1
	return Product{Text(row[0]), row[1 : last-1], Reason(Text(row[last-1])), row[last].Boolean()}, nil
}

// Close frees the buffers and the scratch file.
func (t *CatalogueTable) Close() error { return errors.Join(t.file.Close(), t.Object.Close()) }

// Text returns an id or a text of a file as text, and "" for NULL. The text is a copy.
func Text(value parquet.Value) string {
	switch value.Kind() {
	case parquet.Int32, parquet.Int64:
		return strconv.FormatInt(wholeOf(value), 10)
	case parquet.ByteArray:
		return string(value.ByteArray())
	default:
		return ""
	}
}

// CatalogueRow is a row of the list of the lab's products.
type CatalogueRow struct {
	ProductCode     string `parquet:"productCode"`
	ProductLine     string `parquet:"productLine,dict"`
	ProductScale    string `parquet:"productScale,dict"`
	QuantityInStock int32  `parquet:"quantityInStock"`
	BuyPrice        int64  `parquet:"buyPrice,decimal(2:10)"` // hundredths
	MSRP            int64  `parquet:"MSRP,decimal(2:10)"`     // hundredths
	Reason          Reason `parquet:"reason,dict"`            // why the row is bad, "" for a sound one
	StockUnknown    bool   `parquet:"stockUnknown"`
}

// ListsAllProducts reports whether a list of products holds those of bad rows too. The lists of earlier releases do not.
func ListsAllProducts(file *parquet.File) bool {
	_, ok := file.Schema().Lookup(reasonColumn)
	return ok
}

// ProductNames returns the names of the products in a list, by their ids. A shop without a column of that role has none.
func ProductNames(ctx context.Context, store *objectstore.Store, shop shape.Shop, key string) (map[string]string, error) {
	place := slices.IndexFunc(shop.ProductColumns, func(c shape.Column) bool { return c.Role == shape.Name })
	if place < 0 {
		return nil, nil
	}
	table, err := OpenCatalogue(ctx, store, shop, key)
	if err != nil {
		return nil, err
	}
	defer table.Close()
	names := map[string]string{}
	for {
		product, err := table.Next()
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, err
		}
		if name := Text(product.Values[place]); name != "" {
			names[product.ID] = name
		}
	}
}
