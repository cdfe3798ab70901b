package main

import (
	"time"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
)

// join makes training rows of interactions, their customers and their products.
type join struct {
	shop         shape.Shop
	interactions *training.Interactions
	products     products
	customers    customers

	interaction training.Interaction // the last one
	parts       [4][]parquet.Value   // of the last row

	// rated has, by a product's id, the customer of its last rating. It shows duplicates, which need not be neighbours if
	// blanks stand before an id.
	rated map[string]string

	// closed are the customers before the last one, if ids are texts. Readers want all rows of a customer together.
	closed map[string]struct{}
	last   string
}

func newJoin(shop shape.Shop, startedAt time.Time, products products, customers customers) *join {
	return &join{
		shop: shop, interactions: training.NewInteractions(shop, startedAt),
		products: products, customers: customers, rated: map[string]string{}, closed: map[string]struct{}{},
	}
}

// row returns the parts of an interaction's training row, or the reason why it has none. They are valid until the next
// call.
func (j *join) row(raw training.Raw) ([][]parquet.Value, training.Reason, error) {
	of := &j.interaction
	if reason := j.interactions.Clean(raw, of); reason != "" {
		return nil, reason, nil
	}
	by, reason, err := j.customers.find(of)
	if err != nil || reason != "" {
		return nil, reason, err
	}
	item, reason := j.products.find(of.Product)
	switch {
	case reason != "":
		return nil, reason, nil
	case by.reason != "":
		return nil, by.reason, nil
	case item.Reason != "":
		return nil, item.Reason, nil
	}
	if !j.shop.Customer.Type.Whole() && !j.together(by.id) {
		return nil, training.AmbiguousCustomer, nil
	}
	if of.Kind == shape.Rating {
		if before, rated := j.rated[item.Code]; rated && before == by.id {
			return nil, training.DuplicateRating, nil
		}
		j.rated[item.Code] = by.id
	}
	id := j.interactions.CustomerValue(by.id, of.Number)
	j.parts[0], j.parts[1], j.parts[2], j.parts[3] = by.values, item.Part, of.Values, append(j.parts[3][:0], id)
	return j.parts[:], "", nil
}

// together reports whether the rows of the customer lie together so far. They do not if the database takes two spellings
// for different customers that mean one here.
func (j *join) together(customer string) bool {
	if customer == j.last {
		return true
	}
	if _, closed := j.closed[customer]; closed {
		return false
	}
	if j.last != "" {
		j.closed[j.last] = struct{}{}
	}
	j.last = customer
	return true
}
