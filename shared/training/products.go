package training

import (
	"context"
	"errors"
	"io"

	"recsys/shared/objectstore"
)

// CheckedProduct is a cleaned product, or why it cannot be used: then its code is all that counts.
type CheckedProduct struct {
	Product
	Reason Reason
}

// Products are a shop's, by their codes, trimmed.
type Products map[string]CheckedProduct

// Add takes a product. Of several with one code nobody can tell which one a rating means.
func (p Products) Add(raw *RawProduct) {
	product, reason := CleanProduct(raw)
	if _, repeated := p[product.Code]; repeated {
		reason = DuplicateProduct
	}
	p[product.Code] = CheckedProduct{product, reason}
}

// ReadProducts reads a range's raw products.
func ReadProducts(ctx context.Context, store *objectstore.Store, key string) (Products, error) {
	table, err := OpenTable[RawProduct](ctx, store, key)
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
		products.Add(raw)
	}
}

// CatalogueRow is a product of a snapshot, rated or not: a row of lake.ProductsKey, which is sorted by the code.
type CatalogueRow struct {
	ProductCode     string `parquet:"productCode"`
	ProductLine     string `parquet:"productLine,dict"`
	ProductScale    string `parquet:"productScale,dict"`
	QuantityInStock int32  `parquet:"quantityInStock"`
	BuyPrice        int64  `parquet:"buyPrice,decimal(2:10)"` // hundredths
	MSRP            int64  `parquet:"MSRP,decimal(2:10)"`     // hundredths
}
