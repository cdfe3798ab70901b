package main

import (
	"strconv"

	"recsys/shared/activity"
	"recsys/shared/ranking"
)

// Lists of different lengths travel flat, as pairs of a record's index and a value, or each as the text of an array.

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

// arrayOfArrays writes an array of the texts of vectors or arrays, as PostgreSQL reads it: {NULL,"[1,2]","{\"a\",\"b\"}"}.
type arrayOfArrays []byte

// addVector adds a vector; nil is NULL. The shortest digits that make the same float32 lose nothing.
func (v *arrayOfArrays) addVector(vector []float32) {
	if vector == nil {
		*v = append(*v, ",NULL"...)
		return
	}
	b := append(*v, ',', '"')
	for i, x := range vector {
		b = append(b, ',')
		if i == 0 {
			b[len(b)-1] = '['
		}
		b = strconv.AppendFloat(b, float64(x), 'g', -1, 32)
	}
	*v = append(b, ']', '"')
}

// addProducts adds the codes of products, which hold no NUL.
func (v *arrayOfArrays) addProducts(products []activity.Product) {
	b := append(*v, `,"{`...)
	for i, product := range products {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `\"`...)
		for k := range len(product.Code) {
			switch c := product.Code[k]; c {
			case '"', '\\': // escaped in the inner array, and that in the outer one
				b = append(b, '\\', '\\', '\\', c)
			default:
				b = append(b, c)
			}
		}
		b = append(b, `\"`...)
	}
	*v = append(b, `}"`...)
}

func (v arrayOfArrays) literal() string {
	if len(v) == 0 {
		return "{}"
	}
	return "{" + string(v[1:]) + "}"
}
