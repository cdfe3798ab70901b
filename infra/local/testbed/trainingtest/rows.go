// Package trainingtest spells the columns of the lab's shop as structs, for tests that write or read files of rows. The
// pipeline itself goes by the table shape.Lab, and a test compares the two.
package trainingtest

// Row is a row of a range's file. A file of ratings that are not whole is read and written with training.NewReader and
// training.NewWriterOf.
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
	ProductRating   int32  `parquet:"productRating"`          // in the unit of the file's RatingType
	CustomerNumber  int32  `parquet:"customerNumber"`
}

// Example is a row of a customer's file: a Row without its last column.
type Example struct {
	City            string `parquet:"city,dict"`
	State           string `parquet:"state,optional,dict"`
	PostalCode      string `parquet:"postalCode,optional,dict"`
	Country         string `parquet:"country,dict"`
	CreditLimit     *int64 `parquet:"creditLimit,optional,decimal(2:10)"`
	ProductCode     string `parquet:"productCode,dict"`
	ProductLine     string `parquet:"productLine,dict"`
	ProductScale    string `parquet:"productScale,dict"`
	QuantityInStock int32  `parquet:"quantityInStock"`
	BuyPrice        int64  `parquet:"buyPrice,decimal(2:10)"`
	MSRP            int64  `parquet:"MSRP,decimal(2:10)"`
	ProductRating   int32  `parquet:"productRating"`
}

// RawRating is a row of the source's table ratings. "" is NULL.
type RawRating struct {
	CustomerNumber string `parquet:"customerNumber,optional,dict"`
	ProductCode    string `parquet:"productCode,optional,dict"`
	ProductRating  string `parquet:"productRating,optional,dict"`
}

// Values returns the columns in the order of training.Raw.
func (r RawRating) Values() []string {
	return []string{r.CustomerNumber, r.ProductCode, r.ProductRating}
}

// RawCustomer is a row of the source's table customers. "" is NULL.
type RawCustomer struct {
	CustomerNumber string `parquet:"customerNumber,optional"`
	City           string `parquet:"city,optional"`
	State          string `parquet:"state,optional"`
	PostalCode     string `parquet:"postalCode,optional"`
	Country        string `parquet:"country,optional"`
	CreditLimit    string `parquet:"creditLimit,optional"`
}

// Values returns the columns in the order of training.Raw.
func (c RawCustomer) Values() []string {
	return []string{c.CustomerNumber, c.City, c.State, c.PostalCode, c.Country, c.CreditLimit}
}

// RawProduct is a row of the source's table products. "" is NULL.
type RawProduct struct {
	ProductCode     string `parquet:"productCode,optional"`
	ProductLine     string `parquet:"productLine,optional"`
	ProductScale    string `parquet:"productScale,optional"`
	QuantityInStock string `parquet:"quantityInStock,optional"`
	BuyPrice        string `parquet:"buyPrice,optional"`
	MSRP            string `parquet:"MSRP,optional"`
}

// Values returns the columns in the order of training.Raw.
func (p RawProduct) Values() []string {
	return []string{p.ProductCode, p.ProductLine, p.ProductScale, p.QuantityInStock, p.BuyPrice, p.MSRP}
}

// CustomerOf is the inverse of RawCustomer.Values.
func CustomerOf(values []string) RawCustomer {
	return RawCustomer{values[0], values[1], values[2], values[3], values[4], values[5]}
}

// ProductOf is the inverse of RawProduct.Values.
func ProductOf(values []string) RawProduct {
	return RawProduct{values[0], values[1], values[2], values[3], values[4], values[5]}
}
