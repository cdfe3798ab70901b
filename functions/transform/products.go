package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"recsys/shared/objectstore"
	"recsys/shared/training"
)

// product is a cleaned product, or why its ratings cannot be used.
type product struct {
	training.Product
	reason training.Reason
}

// products are held whole: the shop's small dimension.
type products struct {
	byCode map[string]product // the code trimmed
	// spelling finds the code by its lower case, "" where several differ in nothing else: a foreign key of
	// MySQL's default collation has no case.
	spelling map[string]string
}

// readProducts reads a range's raw products.
func readProducts(ctx context.Context, store *objectstore.Store, key string) (products, error) {
	out := products{map[string]product{}, map[string]string{}}
	table, err := training.OpenTable[training.RawProduct](ctx, store, key)
	if err != nil {
		return out, err
	}
	defer table.Close()
	for {
		raw, err := table.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out.add(raw)
	}
}

// add takes a product. Of several with one code nobody can tell which one a rating means.
func (p products) add(raw *training.RawProduct) {
	clean, reason := training.CleanProduct(raw)
	if _, repeated := p.byCode[clean.Code]; repeated {
		reason = training.DuplicateProduct
	}
	p.byCode[clean.Code] = product{clean, reason}
	folded := strings.ToLower(clean.Code)
	if other, taken := p.spelling[folded]; taken && other != clean.Code {
		p.spelling[folded] = ""
	} else {
		p.spelling[folded] = clean.Code
	}
}

// find finds a product by its code as spelled, or else without regard to case. The product's own spelling is
// the one to write.
func (p products) find(code string) (found product, known bool) {
	if found, known = p.byCode[code]; known {
		return found, true
	}
	if spelling := p.spelling[strings.ToLower(code)]; spelling != "" {
		found, known = p.byCode[spelling]
	}
	return found, known
}
