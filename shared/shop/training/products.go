package training

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/shape"
	"recsys/shared/store/objectstore"
)

// CheckedProduct is a cleaned product, or why it cannot be used: then its id and its stock are all that counts.
type CheckedProduct struct {
	Code   string          // its id as text
	Part   []parquet.Value // the product's part of a training row
	Values []parquet.Value // as shape.Shop.ProductColumns
	Reason Reason
	Stock  *int32 // nil if nobody can tell it
}

// Products are a shop's, by their ids.
type Products map[string]CheckedProduct

// Add takes a product. Of several with one id nobody can tell which one an interaction means.
func (p Products) Add(shop shape.Shop, raw Raw) {
	checked := CheckedProduct{Code: Trimmed(raw.Key())}
	number, bad := int64(0), error(nil)
	if shop.Product.Type.Whole() {
		if number, bad = WholeID(shop.Product.Type, checked.Code); bad == nil {
			checked.Code = strconv.FormatInt(number, 10)
		}
	}
	checked.Values, checked.Reason = clean(shop.ProductColumns, raw[1:], BadProduct)
	switch flaw := flawIn(checked.Code); {
	case checked.Code == "" || bad != nil:
		checked.Reason = IncompleteProduct
	case flaw != "":
		checked.Reason = flaw
	}
	if checked.Reason == "" {
		checked.Part = productPart(shop, checked, number)
	}
	for i, column := range shop.ProductColumns {
		if column.Role == shape.Stock {
			if pieces, err := parseQuantity(Trimmed(raw[1+i])); err == nil {
				checked.Stock = &pieces
			}
		}
	}
	if _, repeated := p[checked.Code]; repeated {
		checked.Reason, checked.Stock = DuplicateProduct, nil
	}
	p[checked.Code] = checked
}

// productPart returns the product's part of a training row: its id, and its columns but the name.
func productPart(shop shape.Shop, product CheckedProduct, number int64) []parquet.Value {
	first := len(shop.CustomerColumns)
	part := append(make([]parquet.Value, 0, 1+len(product.Values)), productValue(shop, product.Code, number).Level(0, 0, first))
	for i, column := range shop.ProductColumns {
		if column.Role != shape.Name {
			part = append(part, level(product.Values[i], column, first+len(part)))
		}
	}
	return part
}

// productValue returns a product's id as files have it.
func productValue(shop shape.Shop, code string, number int64) parquet.Value {
	switch shop.Product.Type {
	case shape.Int:
		return parquet.Int32Value(int32(number))
	case shape.BigInt:
		return parquet.Int64Value(number)
	default:
		return parquet.ValueOf(code)
	}
}

// SeenProduct returns the product that an interaction names, in a shop without a list of products.
func SeenProduct(shop shape.Shop, code string) CheckedProduct {
	product := CheckedProduct{Code: code}
	number, _ := WholeID(shop.Product.Type, code)
	product.Part = productPart(shop, product, number)
	return product
}

// ReadProducts reads a range's raw products.
func ReadProducts(ctx context.Context, store *objectstore.Store, shop shape.Shop, key string) (Products, error) {
	table, err := OpenRaw(ctx, store, shop, ProductTable, key)
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
