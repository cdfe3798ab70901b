package training

import (
	"reflect"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"recsys/shared/contract/shape"
)

// RatingType is the type of a snapshot's productRating, as Hive and Athena name it. It follows from the type of the
// source's column, not from the values, so that it stays from night to night.
type RatingType string

const (
	// WholeRatings are stars, 1 to 5: the source's column is an integer type or DECIMAL without decimals.
	WholeRatings RatingType = "int"
	// FractionalRatings are hundredths of a star, 0.50 to 5.00. Half a star is the least that shops with half stars have.
	FractionalRatings RatingType = "decimal(3,2)"
)

// ratingField is the field of structs that rows are read into.
const ratingField = "ProductRating"

// Hundredths returns the unit of the column, in hundredths of a star.
func (t RatingType) Hundredths() int32 {
	if t == FractionalRatings {
		return 1
	}
	return 100
}

// lowest returns the lowest rating, in hundredths.
func (t RatingType) lowest() int64 {
	if t == FractionalRatings {
		return 50
	}
	return 100
}

// highest is the highest rating, in hundredths.
const highest = 500

// column returns the option that makes productRating of this type in a file.
func (t RatingType) column() *parquet.StructTagOption {
	tag := reflect.StructTag(`parquet:"productRating"`)
	if t == FractionalRatings {
		tag = `parquet:"productRating,decimal(2:3)"`
	}
	return &parquet.StructTagOption{ColumnPath: []string{ratingField}, StructTag: tag}
}

// WriterOptions returns the Options of a file of Row or Example whose ratings are of this type.
func (t RatingType) WriterOptions() []parquet.WriterOption {
	if t == FractionalRatings {
		return append(Options(), t.column())
	}
	return Options()
}

// Ratings returns the type of a shop's ratings, "" if it has none.
func Ratings(shop shape.Shop) RatingType {
	column, _ := shop.Interaction(shape.Stars)
	return RatingType(column.Type)
}

// RatingsOf returns the type of the ratings in a file of Row or Example.
func RatingsOf(file *parquet.File) RatingType {
	leaf, ok := file.Schema().Lookup("productRating")
	if !ok || leaf.Node.Type().LogicalType() == nil {
		return WholeRatings
	}
	if _, decimal := leaf.Node.Type().LogicalType().Value.(*format.DecimalType); decimal {
		return FractionalRatings
	}
	return WholeRatings
}

// NewReader reads a file as rows of T, which may name fewer columns than the file has. productRating comes as the file
// has it, in the unit of RatingsOf.
func NewReader[T any](file *parquet.File) *parquet.GenericReader[T] {
	if RatingsOf(file) == FractionalRatings {
		return parquet.NewGenericReader[T](file, FractionalRatings.column())
	}
	return parquet.NewGenericReader[T](file)
}
