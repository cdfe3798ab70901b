package interactions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/learn/sparse"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// row holds the columns of a training.Row that are read. Rows pass as column values, without becoming structs: a
// string for each rating would be most of the work.
type row struct {
	City           string `parquet:"city"`
	Country        string `parquet:"country"`
	CreditLimit    *int64 `parquet:"creditLimit,optional,decimal(2:10)"`
	ProductCode    string `parquet:"productCode"`
	ProductRating  int32  `parquet:"productRating"`
	CustomerNumber int32  `parquet:"customerNumber"`
}

// The places of row's columns.
const (
	city = iota
	country
	creditLimit
	productCode
	productRating
	customerNumber
)

// batch is how many rows are in memory at once.
const batch = 1024

func (r *reader) readRange(ctx context.Context, store *objectstore.Store, key string) error {
	table, err := training.OpenTable[row](ctx, store, key)
	if err != nil {
		return err
	}
	defer table.Close()
	values := training.NewReader[row](table.File)
	defer values.Close()
	star := training.RatingsOf(table.File).Hundredths()
	rows := make([]parquet.Row, batch)
	for {
		n, err := values.ReadRows(rows)
		for _, row := range rows[:n] {
			if err := r.addRating(row, star); err != nil {
				return fmt.Errorf("%s: %w", store.URI(key), err)
			}
		}
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("reading the rows of %s: %w", store.URI(key), err)
		}
	}
}

// addRating adds a row's customer, item and rating. The rating is in units of so many hundredths of a star.
func (r *reader) addRating(row parquet.Row, unit int32) error {
	number, rating := row[customerNumber].Int32(), row[productRating].Int32()*unit
	if last := len(r.Customers) - 1; last < 0 || r.number != number {
		if last >= 0 && r.number > number {
			return fmt.Errorf("customer %d comes after %d: the rows are not sorted", number, r.number)
		}
		r.number = number
		limit := math.NaN()
		if !row[creditLimit].IsNull() {
			limit = money(row[creditLimit].Int64())
		}
		r.Customers = append(r.Customers, Customer{strconv.Itoa(int(number)), r.text(row[city].ByteArray()), r.text(row[country].ByteArray()), limit})
		r.Ratings.Start = append(r.Ratings.Start, 0)
	}
	if rating < sparse.LowestRating || rating > sparse.HighestRating {
		return fmt.Errorf("a rating of %d hundredths of a star: want %d to %d", rating, sparse.LowestRating, sparse.HighestRating)
	}
	code := row[productCode].ByteArray()
	column, known := r.columns[string(code)]
	if !known {
		column = r.add(Item{Code: string(code), BuyPrice: math.NaN(), MSRP: math.NaN()})
	}
	if !r.keepRatings {
		return nil
	}
	r.Ratings.Columns, r.Ratings.Ratings = append(r.Ratings.Columns, column), append(r.Ratings.Ratings, uint16(rating))
	r.Ratings.Start[len(r.Customers)] = int64(len(r.Ratings.Columns))
	return nil
}

// text is one copy of a text, which the values' memory does not outlive.
func (r *reader) text(text []byte) string {
	kept, known := r.texts[string(text)]
	if !known {
		kept = string(text)
		r.texts[kept] = kept
	}
	return kept
}

func money(hundredths int64) float64 { return float64(hundredths) / 100 }
