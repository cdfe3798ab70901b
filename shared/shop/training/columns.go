package training

import (
	"strings"

	"github.com/parquet-go/parquet-go"
)

// TableName names a table of the shop.
type TableName string

const (
	RatingTable   TableName = "ratings"
	CustomerTable TableName = "customers"
	ProductTable  TableName = "products"
)

// Keys of the shop's tables. The order of rows and the join go by them.
const (
	CustomerKey = "customerNumber"
	ProductKey  = "productCode"
	RatingKey   = "productRating"
)

// Type is the type of a column in a training row.
type Type string

const (
	// Text is at most lake.MaxText characters, without blanks around it.
	Text Type = "string"
	// Money is DECIMAL(10,2), an int64 of hundredths in files.
	Money Type = "decimal(10,2)"
	// Stock is a whole number of pieces.
	Stock Type = "int"
)

// Column is a column of the shop that becomes a column of the training row of the same name.
type Column struct {
	Table TableName
	Name  string
	Type  Type
	// Missing is the reason why a row without a value is rejected. "" lets it pass, as NULL.
	Missing Reason
	// Bad is the reason why a number that does not fit the type is rejected.
	Bad Reason
}

// Shop is the table of the columns that are read: those of customers, then those of products, in the order of the
// training row. The rating and the customer's number follow them in files. Everything else derives from it: the SELECT
// lists, the check of the schema, the reader's grants, the files of all steps and the columns of Glue's table.
type Shop []Column

// Lab is the shop of the sample database, classicmodels.
var Lab = Shop{
	{CustomerTable, "city", Text, IncompleteAddress, ""},
	{CustomerTable, "state", Text, "", ""},
	{CustomerTable, "postalCode", Text, "", ""},
	{CustomerTable, "country", Text, IncompleteAddress, ""},
	{CustomerTable, "creditLimit", Money, "", CreditLimitOutOfRange},
	{ProductTable, ProductKey, Text, IncompleteProduct, ""},
	{ProductTable, "productLine", Text, IncompleteProduct, ""},
	{ProductTable, "productScale", Text, IncompleteProduct, ""},
	{ProductTable, "quantityInStock", Stock, NoQuantity, QuantityOutOfRange},
	{ProductTable, "buyPrice", Money, NoPrice, PriceOutOfRange},
	{ProductTable, "MSRP", Money, NoPrice, PriceOutOfRange},
}

// Of returns the columns of one table.
func (s Shop) Of(table TableName) []Column {
	var columns []Column
	for _, column := range s {
		if column.Table == table {
			columns = append(columns, column)
		}
	}
	return columns
}

// RawNames returns the columns of a raw row: the table's key, which is the customer's number for customers and the
// product's code for products, and then its other columns.
func (s Shop) RawNames(table TableName) []string {
	var names []string
	if table == CustomerTable {
		names = append(names, CustomerKey)
	}
	for _, column := range s.Of(table) {
		names = append(names, column.Name)
	}
	return names
}

// CatalogColumn is a column of the training data as Hive and Athena name and type it.
type CatalogColumn struct{ Name, Type string }

// Catalog returns the columns of a partition's file, in order. Hive's names are lower case.
func (s Shop) Catalog(ratings RatingType) []CatalogColumn {
	columns := make([]CatalogColumn, 0, len(s)+1)
	for _, column := range s {
		columns = append(columns, CatalogColumn{strings.ToLower(column.Name), string(column.Type)})
	}
	return append(columns, CatalogColumn{strings.ToLower(RatingKey), string(ratings)})
}

// PartitionColumn is the column that the folders carry.
var PartitionColumn = CatalogColumn{strings.ToLower(CustomerKey), "int"}

// RowSchema returns the schema of a range's file. The customer's number is its last column, so that a partition's row is
// a range's row without its last value.
func (s Shop) RowSchema(ratings RatingType) *parquet.Schema {
	names, nodes := s.partition(ratings)
	nodes[CustomerKey] = parquet.Int(32)
	return parquet.NewSchema("Row", ordered{nodes, append(names, CustomerKey)})
}

// PartitionSchema returns the schema of a customer's file: one rating a row with the columns of its customer and its
// product.
func (s Shop) PartitionSchema(ratings RatingType) *parquet.Schema {
	names, nodes := s.partition(ratings)
	return parquet.NewSchema("Example", ordered{nodes, names})
}

func (s Shop) partition(ratings RatingType) (names []string, nodes parquet.Group) {
	nodes = parquet.Group{}
	for _, column := range s {
		names, nodes[column.Name] = append(names, column.Name), column.node()
	}
	nodes[RatingKey] = ratings.node()
	return append(names, RatingKey), nodes
}

func (c Column) node() parquet.Node {
	var node parquet.Node
	switch c.Type {
	case Money:
		node = parquet.Decimal(2, 10, parquet.Int64Type)
	case Stock:
		node = parquet.Int(32)
	default:
		node = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	}
	if c.Missing == "" {
		return parquet.Optional(node)
	}
	return node
}

// rawSchema returns the schema of a raw file: texts, which may be NULL.
func (s Shop) rawSchema(table TableName) *parquet.Schema {
	nodes := parquet.Group{}
	for _, name := range s.RawNames(table) {
		nodes[name] = parquet.Optional(parquet.String())
	}
	return parquet.NewSchema(rawNames[table], ordered{nodes, s.RawNames(table)})
}

// rawNames are the names of the schemas of raw files.
var rawNames = map[TableName]string{CustomerTable: "RawCustomer", ProductTable: "RawProduct"}

// ordered is a group whose fields keep their order. parquet.Group sorts them by name.
type ordered struct {
	parquet.Group
	names []string
}

func (o ordered) Fields() []parquet.Field {
	byName := map[string]parquet.Field{}
	for _, field := range o.Group.Fields() {
		byName[field.Name()] = field
	}
	fields := make([]parquet.Field, len(o.names))
	for i, name := range o.names {
		fields[i] = byName[name]
	}
	return fields
}
