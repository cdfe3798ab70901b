package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/shop/training"
)

// customers is a stream of customers by ascending number, NULLs first: training.RawTable.
type customers interface {
	Next() (training.Raw, error)
}

// join is a merge join: ratings and customers both come in the order of customerNumber, so one pass over
// each is enough and one customer is in memory.
type join struct {
	shop      training.Shop
	products  products
	customers customers
	ratings   training.RatingType

	at       int64 // the number of the customer below, once one was read
	read     bool
	ended    bool
	customer []parquet.Value    // the customer's part of a training row
	parts    [3][]parquet.Value // of the last row
	reason   training.Reason    // why the customer's ratings cannot be used

	// rated has, by a product's code, the customer of its last rating. It shows duplicates, which need not be
	// neighbours if blanks stand before a code.
	rated map[string]int32
	last  int32 // the customer of the last rating taken, once there is one
}

func newJoin(shop training.Shop, products products, customers customers, ratings training.RatingType) *join {
	return &join{shop: shop, products: products, customers: customers, ratings: ratings, rated: map[string]int32{}}
}

// row returns the parts of a rating's training row, or the reason why it has none. They are valid until the next call.
func (j *join) row(raw *training.RawRating) ([][]parquet.Value, training.Reason, error) {
	rating, reason := training.CleanRating(raw, j.ratings)
	if reason != "" {
		return nil, reason, nil
	}
	number := rating.CustomerNumber
	if err := j.seek(int64(number)); err != nil {
		return nil, "", err
	}
	if !j.read || j.ended || j.at != int64(number) {
		return nil, training.UnknownCustomer, nil
	}
	item, reason := j.products.find(rating.ProductCode)
	by, rated := j.rated[item.Code]
	switch {
	case reason != "":
		return nil, reason, nil
	case j.reason != "":
		return nil, j.reason, nil
	case item.Reason != "":
		return nil, item.Reason, nil
	case rated && by == number:
		return nil, training.DuplicateRating, nil
	}
	j.rated[item.Code] = number
	j.last = number
	j.parts[0], j.parts[1], j.parts[2] = j.customer, item.Values, j.shop.AppendRest(j.parts[2][:0], rating.Rating, number)
	return j.parts[:], "", nil
}

// seek goes on to the first customer whose number is not below this one.
func (j *join) seek(number int64) error {
	if len(j.rated) > 0 && number < int64(j.last) {
		return fmt.Errorf("the range's ratings are not in the order of customerNumber: %d after %d", number, j.last)
	}
	for !j.ended && (!j.read || j.at < number) {
		raw, err := j.customers.Next()
		if errors.Is(err, io.EOF) {
			j.ended = true
			return nil
		}
		if err != nil {
			return err
		}
		at, err := strconv.ParseInt(raw.Key(), 10, 32)
		if err != nil { // NULL or beyond int32: no rating can mean this customer
			continue
		}
		j.at, j.read = at, true
		j.customer, j.reason = j.shop.CleanCustomer(raw)
	}
	return nil
}
