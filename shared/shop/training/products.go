package training

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/store/objectstore"
)

// CheckedProduct is a cleaned product, or why it cannot be used: then its code and its stock are all that counts.
type CheckedProduct struct {
	Code   string
	Values []parquet.Value // the product's part of a training row
	Reason Reason
	Stock  *int32 // nil if nobody can tell it
}

// Products are a shop's, by their codes, trimmed.
type Products map[string]CheckedProduct

// Add takes a product. Of several with one code nobody can tell which one a rating means.
func (p Products) Add(shop Shop, raw Raw) {
	checked := CheckedProduct{Code: trimmed(raw.Key())}
	checked.Values, checked.Reason = shop.clean(ProductTable, raw)
	for i, column := range shop.Of(ProductTable) {
		if column.Type == Stock {
			if pieces, err := parseQuantity(raw[i]); err == nil {
				checked.Stock = &pieces
			}
		}
	}
	if _, repeated := p[checked.Code]; repeated {
		checked.Reason, checked.Stock = DuplicateProduct, nil
	}
	p[checked.Code] = checked
}

// ReadProducts reads a range's raw products.
func ReadProducts(ctx context.Context, store *objectstore.Store, shop Shop, key string) (Products, error) {
	table, err := shop.OpenRaw(ctx, store, ProductTable, key)
	if err != nil {
		return nil, err
	}
	defer table.Close()
	products := Products{}
	for {
		raw, err := table.Next()
		if errors.Is(err, io.EOF) {
			return products, nil
		}
		if err != nil {
			return nil, err
		}
		products.Add(shop, raw)
	}
}

// CatalogueRow is a product of a snapshot, rated or not: a row of lake.ProductsKey, which is sorted by the code. A product
// of a bad row is listed too, because the shop holds it. Then the code and the stock are all that counts.
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

// Catalogue returns a product's row. It returns false if no list can hold the code.
func (p *CheckedProduct) Catalogue(shop Shop) (CatalogueRow, bool) {
	row := CatalogueRow{ProductCode: p.Code, Reason: p.Reason, StockUnknown: p.Stock == nil}
	if p.Stock != nil {
		row.QuantityInStock = *p.Stock
	}
	if p.Reason == "" {
		row.ProductLine, row.ProductScale = p.value(shop, "productLine").String(), p.value(shop, "productScale").String()
		row.BuyPrice, row.MSRP = p.value(shop, "buyPrice").Int64(), p.value(shop, "MSRP").Int64()
	}
	return row, p.Code != "" && flawIn(p.Code) == ""
}

// value returns a column of a sound product.
func (p *CheckedProduct) value(shop Shop, name string) parquet.Value {
	i := slices.IndexFunc(shop.Of(ProductTable), func(c Column) bool { return c.Name == name })
	return p.Values[i]
}

// ListsAllProducts reports whether a list of products holds those of bad rows too. The lists of earlier releases do not.
func ListsAllProducts(file *parquet.File) bool {
	_, ok := file.Schema().Lookup("reason")
	return ok
}
