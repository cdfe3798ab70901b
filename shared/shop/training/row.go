// Package training is the training row: its columns, how the shop's rows become it, and the Parquet files
// that carry rows from step to step.
//
// extract writes RawRating, RawCustomer and RawProduct: the source's values as they are, the bad ones too.
// transform joins and cleans them into Row. partition-write splits Rows by customer into files of Example.
// Money is DECIMAL(10,2): an int64 of hundredths, never a float. Prices of more decimals are rounded to that.
package training

// Example is one rating with the facts about its customer and its product: the columns of a partition's file, in the
// order of the contract. Optional strings are null in the file when they are empty.
type Example struct {
	City            string `parquet:"city,dict"`
	State           string `parquet:"state,optional,dict"`
	PostalCode      string `parquet:"postalCode,optional,dict"`
	Country         string `parquet:"country,dict"`
	CreditLimit     *int64 `parquet:"creditLimit,optional,decimal(2:10)"` // hundredths
	ProductCode     string `parquet:"productCode,dict"`
	ProductLine     string `parquet:"productLine,dict"`
	ProductScale    string `parquet:"productScale,dict"`
	QuantityInStock int32  `parquet:"quantityInStock"`
	BuyPrice        int64  `parquet:"buyPrice,decimal(2:10)"` // hundredths
	MSRP            int64  `parquet:"MSRP,decimal(2:10)"`     // hundredths
	ProductRating   int32  `parquet:"productRating"`          // see RatingType
}

// Row is an Example with its customer: the columns of a range's file, sorted by customer. The customer's
// number is the last column, so that a partition's row is a range's row without its last value. The columns
// are spelled out again because parquet-go reads NULL as 0 behind a pointer of an embedded struct.
type Row struct {
	City            string `parquet:"city,dict"`
	State           string `parquet:"state,optional,dict"`
	PostalCode      string `parquet:"postalCode,optional,dict"`
	Country         string `parquet:"country,dict"`
	CreditLimit     *int64 `parquet:"creditLimit,optional,decimal(2:10)"` // hundredths
	ProductCode     string `parquet:"productCode,dict"`
	ProductLine     string `parquet:"productLine,dict"`
	ProductScale    string `parquet:"productScale,dict"`
	QuantityInStock int32  `parquet:"quantityInStock"`
	BuyPrice        int64  `parquet:"buyPrice,decimal(2:10)"` // hundredths
	MSRP            int64  `parquet:"MSRP,decimal(2:10)"`     // hundredths
	ProductRating   int32  `parquet:"productRating"`          // see RatingType
	CustomerNumber  int32  `parquet:"customerNumber"`
}

// RawRating is a row of the source's table ratings. "" is NULL, a number is MySQL's text.
type RawRating struct {
	CustomerNumber string `parquet:"customerNumber,optional,dict"`
	ProductCode    string `parquet:"productCode,optional,dict"`
	ProductRating  string `parquet:"productRating,optional,dict"`
}

// RawCustomer is a row of the source's table customers. "" is NULL, a number is MySQL's text.
type RawCustomer struct {
	CustomerNumber string `parquet:"customerNumber,optional"`
	City           string `parquet:"city,optional"`
	State          string `parquet:"state,optional"`
	PostalCode     string `parquet:"postalCode,optional"`
	Country        string `parquet:"country,optional"`
	CreditLimit    string `parquet:"creditLimit,optional"`
}

// RawProduct is a row of the source's table products. "" is NULL, a number is MySQL's text.
type RawProduct struct {
	ProductCode     string `parquet:"productCode,optional"`
	ProductLine     string `parquet:"productLine,optional"`
	ProductScale    string `parquet:"productScale,optional"`
	QuantityInStock string `parquet:"quantityInStock,optional"`
	BuyPrice        string `parquet:"buyPrice,optional"`
	MSRP            string `parquet:"MSRP,optional"`
}

// Column is a column of the training data as Hive and Athena name and type it.
type Column struct{ Name, Type string }

// Columns returns the columns of an Example, in order. Hive's names are lower case.
func Columns(ratings RatingType) []Column {
	return []Column{
		{"city", "string"}, {"state", "string"}, {"postalcode", "string"}, {"country", "string"},
		{"creditlimit", "decimal(10,2)"}, {"productcode", "string"}, {"productline", "string"},
		{"productscale", "string"}, {"quantityinstock", "int"}, {"buyprice", "decimal(10,2)"},
		{"msrp", "decimal(10,2)"}, {"productrating", string(ratings)},
	}
}

// PartitionColumn is the column that the folders carry.
var PartitionColumn = Column{"customernumber", "int"}
