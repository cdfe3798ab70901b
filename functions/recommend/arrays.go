package main

import (
	"strings"

	"recsys/shared/activity"
	"recsys/shared/ranking"
)

// Lists of different lengths travel flat, as pairs of a record's index and a value, or each as the text of an array (arrayOf).

// telling are the sessions' products as pairs, the most telling first.
func (a *asking) telling() (records []int32, products []string) {
	for i := range a.questions {
		for _, product := range ranking.ByTelling(a.questions[i].record.Products) {
			records, products = append(records, int32(i)), append(products, product.Code)
		}
	}
	return records, products
}

// weighed are the products that make the sessions' means. Where sessions have no weight of their own, they are those of
// the records alone that the model gives no vector, each of weight 1.
func (a *asking) weighed() (records []int32, products []string, weights []int32) {
	records, products, weights = []int32{}, []string{}, []int32{}
	for i := range a.questions {
		q := &a.questions[i]
		if a.weight() == 0 && q.vector != nil {
			continue
		}
		session := ranking.ByTelling(q.record.Products)
		for _, product := range session[:min(len(session), ranking.MostTelling)] {
			weight := 1
			if a.weight() > 0 {
				weight = ranking.Weight(product)
			}
			records, products, weights = append(records, int32(i)), append(products, product.Code), append(weights, int32(weight))
		}
	}
	return records, products, weights
}

// customerID is the number as the table of users holds it; nil, which joins with nobody, for a visitor who is
// not known and for a number that the table cannot hold.
func customerID(number int64) *int32 {
	id := int32(number)
	if number == 0 || int64(id) != number {
		return nil
	}
	return &id
}

// arrayOf is the products' codes as the text of an array, {"a","b"}: arrays of different lengths are no array together.
func arrayOf(products []activity.Product) string {
	codes := make([]string, len(products))
	for i, product := range products {
		codes[i] = `"` + escaped.Replace(product.Code) + `"`
	}
	return "{" + strings.Join(codes, ",") + "}"
}

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
