package training

import (
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/shape"
)

// TableName names a raw table of a run.
type TableName string

const (
	InteractionTable TableName = "ratings"
	CustomerTable    TableName = "customers"
	ProductTable     TableName = "products"
)

// RawNames returns the columns of a raw row. A customer and a product have their id first. An interaction has the
// customer's id, the product's id and its own columns.
func RawNames(shop shape.Shop, table TableName) []string {
	switch table {
	case CustomerTable:
		return append([]string{shop.Customer.Name}, names(shop.CustomerColumns)...)
	case ProductTable:
		return append([]string{shop.Product.Name}, names(shop.ProductColumns)...)
	default:
		return append([]string{shop.Customer.Name, shop.Product.Name}, names(shop.InteractionColumns)...)
	}
}

func names(columns []shape.Column) []string {
	out := make([]string, len(columns))
	for i, column := range columns {
		out[i] = column.Name
	}
	return out
}

// InRow returns the products' columns that a training row has: all but the name, which is for people.
func InRow(products []shape.Column) []shape.Column {
	out := make([]shape.Column, 0, len(products))
	for _, column := range products {
		if column.Role != shape.Name {
			out = append(out, column)
		}
	}
	return out
}

// RowColumns returns the columns of a training row in order, without the customer's id, which is the last one. The
// product's id is a column that no row lacks.
func RowColumns(shop shape.Shop) []shape.Column {
	columns := append([]shape.Column{}, shop.CustomerColumns...)
	columns = append(columns, idColumn(shop.Product))
	columns = append(columns, InRow(shop.ProductColumns)...)
	return append(columns, shop.InteractionColumns...)
}

// idColumn returns the column of an id.
func idColumn(id shape.ID) shape.Column {
	return shape.Column{Name: id.Name, Type: id.Type, Missing: string(NoProductCode)}
}

// CatalogColumn is a column of the training data as Hive and Athena name and type it.
type CatalogColumn struct{ Name, Type string }

// Catalog returns the columns of a snapshot's files, in order. Hive's names are lower case. The customer's id is one of
// them, unless the folders carry it.
func Catalog(shop shape.Shop) []CatalogColumn {
	var columns []CatalogColumn
	for _, column := range RowColumns(shop) {
		columns = append(columns, CatalogColumn{strings.ToLower(column.Name), string(column.Type)})
	}
	if shop.Layout == shape.ByRange {
		columns = append(columns, CatalogColumn{strings.ToLower(shop.Customer.Name), string(shop.Customer.Type)})
	}
	return columns
}

// PartitionColumn returns the column that the folders carry.
func PartitionColumn(shop shape.Shop) CatalogColumn {
	if shop.Layout == shape.ByRange {
		return CatalogColumn{"part", "int"}
	}
	return CatalogColumn{strings.ToLower(shop.Customer.Name), "int"}
}

// RowSchema returns the schema of a range's file. The customer's id is its last column, so that a row of a customer's
// file is a range's row without its last value.
func RowSchema(shop shape.Shop) *parquet.Schema {
	return SchemaOf("Row", append(RowColumns(shop), idColumn(shop.Customer)))
}

// PartitionSchema returns the schema of a customer's file: one interaction a row with the columns of its customer and
// its product.
func PartitionSchema(shop shape.Shop) *parquet.Schema { return SchemaOf("Example", RowColumns(shop)) }

// SchemaOf returns the schema of a file with these columns.
func SchemaOf(name string, columns []shape.Column) *parquet.Schema {
	nodes := parquet.Group{}
	for _, column := range columns {
		nodes[column.Name] = node(column)
	}
	return parquet.NewSchema(name, ordered{nodes, names(columns)})
}

func node(c shape.Column) parquet.Node {
	if Optional(c) {
		return parquet.Optional(nodeOf(c.Type))
	}
	return nodeOf(c.Type)
}

// Optional reports whether a column may be NULL.
func Optional(c shape.Column) bool { return c.Missing == "" && c.Role != shape.Kind }

// nodeOf returns the Parquet type. A decimal of at most 9 digits is an int32, one of at most 18 an int64. Source:
// https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#decimal
func nodeOf(t shape.Type) parquet.Node {
	switch t {
	case shape.Int:
		return parquet.Int(32)
	case shape.BigInt:
		return parquet.Int(64)
	case shape.Double:
		return parquet.Leaf(parquet.DoubleType)
	case shape.Timestamp:
		return parquet.Timestamp(parquet.Millisecond)
	}
	precision, scale, decimal := digitsOf(t)
	switch {
	case !decimal:
		return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	case precision <= 9:
		return parquet.Decimal(scale, precision, parquet.Int32Type)
	case precision <= 18:
		return parquet.Decimal(scale, precision, parquet.Int64Type)
	default:
		return parquet.Decimal(scale, precision, parquet.FixedLenByteArrayType(wideDecimal))
	}
}

// wideDecimal is the size of a decimal of more than 18 digits, in bytes. It holds the 38 digits of Athena's decimals.
const wideDecimal = 16

// digitsOf returns the digits of a decimal's type, and those after its point.
func digitsOf(t shape.Type) (precision, scale int, decimal bool) {
	n, err := fmt.Sscanf(string(t), "decimal(%d,%d)", &precision, &scale)
	return precision, scale, n == 2 && err == nil
}

// rawSchema returns the schema of a raw file: texts, which may be NULL. Interactions repeat their few texts.
func rawSchema(shop shape.Shop, table TableName) *parquet.Schema {
	text := parquet.String()
	if table == InteractionTable {
		text = parquet.Encoded(text, &parquet.RLEDictionary)
	}
	nodes := parquet.Group{}
	for _, name := range RawNames(shop, table) {
		nodes[name] = parquet.Optional(text)
	}
	return parquet.NewSchema(schemaNames[table], ordered{nodes, RawNames(shop, table)})
}

// schemaNames are the names of the schemas of raw files.
var schemaNames = map[TableName]string{InteractionTable: "RawRating", CustomerTable: "RawCustomer", ProductTable: "RawProduct"}

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
