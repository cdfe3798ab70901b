package main

import (
	"context"
	"strings"

	"recsys/shared/objectstore"
	"recsys/shared/training"
)

// products are held whole: the shop's small dimension.
type products struct {
	byCode training.Products
	// spelling finds the code by its lower case, "" where several differ in nothing else: a foreign key of
	// MySQL's default collation has no case.
	spelling map[string]string
}

// readProducts reads a range's raw products.
func readProducts(ctx context.Context, store *objectstore.Store, key string) (products, error) {
	byCode, err := training.ReadProducts(ctx, store, key)
	if err != nil {
		return products{}, err
	}
	return newProducts(byCode), nil
}

func newProducts(byCode training.Products) products {
	p := products{byCode, make(map[string]string, len(byCode))}
	for code := range byCode {
		folded := strings.ToLower(code)
		if _, taken := p.spelling[folded]; taken {
			code = ""
		}
		p.spelling[folded] = code
	}
	return p
}

// find finds a product by its code as spelled, or else without regard to case. The product's own spelling is
// the one to write.
func (p products) find(code string) (found training.CheckedProduct, known bool) {
	if found, known = p.byCode[code]; known {
		return found, true
	}
	if spelling := p.spelling[strings.ToLower(code)]; spelling != "" {
		found, known = p.byCode[spelling]
	}
	return found, known
}
