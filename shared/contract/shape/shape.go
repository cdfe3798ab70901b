// Package shape describes a shop: its ids, the columns of its training rows, and the meaning of its interactions.
//
// A shop file becomes a Shop (package shopfile). Without a file it is Lab. plan-extract checks a Shop against the source,
// fills in the types that it finds, and writes it to lake.ShapeKey of the run. The steps of the run read it there. The
// manifest of the snapshot and the row of a version carry it on. So rows, vectors and answers always go by the shop that
// they were made of.
package shape

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Shop is the description of one shop.
type Shop struct {
	Name string `json:"name"` // of the shop file without its ending, "" of the lab
	Hash string `json:"hash"` // SHA-256 of the shop file in hexadecimal digits, "" of the lab

	Customer ID `json:"customer"`
	Product  ID `json:"product"`

	// The columns of a training row. A row has the customer's columns, the product's id, the product's columns, the
	// interaction's columns and the customer's id, in this order.
	CustomerColumns    []Column `json:"customerColumns"`
	ProductColumns     []Column `json:"productColumns"`
	InteractionColumns []Column `json:"interactionColumns"`

	Group string `json:"group"` // the customers' column that popularity is counted by, "" for the whole shop alone
	Line  string `json:"line"`  // the products' column that a list is kept diverse by, "" for none

	Source   Source   `json:"source"`
	Meaning  Meaning  `json:"meaning"`
	Cleaning Cleaning `json:"cleaning"`
	Layout   Layout   `json:"layout"`
}

// ID is an id and its type.
type ID struct {
	Name string `json:"name"` // of the column in training rows
	Type Type   `json:"type"` // Int, BigInt or Text. "" until plan-extract has found it
	// Hashed replaces the id by its SHA-256, for ids that are e-mail addresses.
	Hashed bool `json:"hashed,omitempty"`
}

// Type is the type of a column, as Hive and Athena name it. A decimal has its digits: decimal(10,2).
type Type string

const (
	Int       Type = "int"
	BigInt    Type = "bigint"
	Text      Type = "string"
	Double    Type = "double"
	Timestamp Type = "timestamp" // milliseconds, UTC
	Money     Type = "decimal(10,2)"
)

// Role is the use of a column.
type Role string

const (
	// Of customers and products.
	Category Role = "category" // a feature: one of few values
	Number   Role = "number"   // a feature
	Price    Role = "price"    // a feature: a number, never negative
	Remark   Role = "text"     // carried along, no feature
	// Of products alone. Name is for people. It is in the list of products and in no training row.
	Stock        Role = "stock"        // whole pieces. 0 and less is sold out
	Availability Role = "availability" // true if the product can be bought
	Name         Role = "name"
	// Of interactions.
	Kind     Role = "type" // purchase, rating, view, …
	Time     Role = "at"
	Quantity Role = "quantity"
	Value    Role = "value"
	Stars    Role = "rating" // 0.5 to 5
)

// Column is a column of a training row.
type Column struct {
	Name string `json:"name"`
	Role Role   `json:"role"`
	Type Type   `json:"type"` // "" until plan-extract has found it
	// Missing is the reason why a row without a value is rejected. "" lets it pass, as NULL.
	Missing string `json:"missing,omitempty"`
	// Bad is the reason why a value that does not fit the type is rejected.
	Bad string `json:"bad,omitempty"`
}

// IsFeature reports whether models learn from the column.
func (c Column) IsFeature() bool { return c.Role == Category || c.Role == Number || c.Role == Price }

// Source says how the shop's rows are read. Without queries the lab's tables are read.
type Source struct {
	Database     string  `json:"database,omitempty"` // the one that the queries were written for, "" for any
	Timezone     string  `json:"timezone"`           // IANA name: the zone of times that carry none
	Interactions []Query `json:"interactions"`
	Customers    Query   `json:"customers"`
	Products     Query   `json:"products"`
	// Fingerprint tells the files of a run from others. "" of a database.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// Query is a SELECT of the shop's database. Its result names its columns as the training row does.
type Query struct {
	Name string `json:"name"`
	SQL  string `json:"sql"`  // with the placeholder {{range KEY}}, except for products
	Type string `json:"type"` // the type of all its interactions, "" if the column `type` says it
	// Key is the KEY of the placeholder, such as o.customer_id. Line is the line of SQL's start in the shop file.
	Key  string `json:"key"`
	Line int    `json:"line"`
	// Count is a SELECT of the range keys (column range_key) and how many interactions each has.
	Count string `json:"count,omitempty"`
	// Files is in place of SQL: the pattern of the files' names under lake.SourcePrefix, as path.Match takes it. Names has
	// the files' own names of columns, by the row's.
	Files string            `json:"files,omitempty"`
	Names map[string]string `json:"names,omitempty"`
}

// Meaning says what interactions tell about a customer's taste.
type Meaning struct {
	// Weights is the weight of one interaction by its type. A rating's is multiplied by its stars. 1 without an entry.
	Weights map[string]float64 `json:"weights,omitempty"`
	// HalfLife is the number of days after which an interaction counts half. 0 is never.
	HalfLife float64 `json:"halfLife,omitempty"`
	// Exclude holds the types of interactions after which a product is not recommended to the customer again.
	Exclude []string `json:"exclude"`
	// Repeatable is for goods that are bought again: nothing is excluded, and a repeated purchase is a target of the
	// evaluation.
	Repeatable bool `json:"repeatable,omitempty"`
}

// Cleaning says what is done with rows that break the contract.
type Cleaning struct {
	// Rules holds Skip or Reject by the reason (training.ReasonsOfFiles). Other reasons go by training.RulesOfFiles.
	Rules map[string]Rule `json:"rules,omitempty"`
}

// Rule is what is done with a bad row.
type Rule string

const (
	Skip   Rule = "skip"   // counted. It is normal in this shop
	Reject Rule = "reject" // goes to quarantine. Too many stop the run
)

// Layout says how a snapshot is partitioned.
type Layout string

const (
	ByCustomer Layout = "customer" // one object a customer: customerNumber=103/
	ByRange    Layout = "range"    // one object a range: part=0007/
)

// Types of interactions that the pipeline gives a meaning of their own.
const (
	Rating   = "rating"
	Purchase = "purchase"
)

// Columns returns all columns of a training row but the ids, in order.
func (s Shop) Columns() []Column {
	return slices.Concat(s.CustomerColumns, s.ProductColumns, s.InteractionColumns)
}

// Interaction returns the column of interactions that has the role.
func (s Shop) Interaction(role Role) (Column, bool) { return withRole(s.InteractionColumns, role) }

// ProductWith returns the first column of products that has the role.
func (s Shop) ProductWith(role Role) (Column, bool) { return withRole(s.ProductColumns, role) }

func withRole(columns []Column, role Role) (Column, bool) {
	i := slices.IndexFunc(columns, func(c Column) bool { return c.Role == role })
	if i < 0 {
		return Column{}, false
	}
	return columns[i], true
}

// WithRatings returns a copy of the shop whose ratings are of a type.
func (s Shop) WithRatings(ratings Type) Shop {
	s.InteractionColumns = slices.Clone(s.InteractionColumns)
	for i, column := range s.InteractionColumns {
		if column.Role == Stars {
			s.InteractionColumns[i].Type = ratings
		}
	}
	return s
}

// Features returns the columns that models learn from.
func Features(columns []Column) []Column {
	return slices.DeleteFunc(slices.Clone(columns), func(c Column) bool { return !c.IsFeature() })
}

// Excludes reports whether an interaction of the type keeps its product from being recommended again.
func (s Shop) Excludes(kind string) bool {
	return !s.Meaning.Repeatable && slices.Contains(s.Meaning.Exclude, kind)
}

// WeightOf returns the weight of one interaction of the type.
func (s Shop) WeightOf(kind string) float64 {
	if weight, given := s.Meaning.Weights[kind]; given {
		return weight
	}
	return 1
}

// OrLab returns the shop, or Lab for nil: snapshots and versions of earlier releases carry no shop.
func OrLab(shop *Shop) Shop {
	if shop == nil {
		return Lab
	}
	return *shop
}

// SameIDs reports whether customers and products have the same ids in both: the shop file has the same name, and the ids the
// same types. Other vectors and pairs must not be mixed.
func (s Shop) SameIDs(other Shop) bool {
	return s.Name == other.Name && s.Customer.Type == other.Customer.Type && s.Customer.Hashed == other.Customer.Hashed &&
		s.Product.Type == other.Product.Type
}

// IsLab reports whether the shop is read from the lab's three tables.
func (s Shop) IsLab() bool { return len(s.Source.Interactions) == 0 }

// HasCustomers reports whether the shop lists its customers. Without a list every customer of an interaction is one.
func (s Shop) HasCustomers() bool { return s.IsLab() || s.Source.Customers.Given() }

// HasProducts reports whether the shop lists its products. Without a list every product of an interaction is one.
func (s Shop) HasProducts() bool { return s.IsLab() || s.Source.Products.Given() }

// Given reports whether there is such a query.
func (q Query) Given() bool { return q.SQL != "" || q.Files != "" }

// Stored returns an id as raw files, rows, vectors and answers have it: the text itself, or the hash of its small letters
// without blanks around it. Databases compute the same hash themselves. An empty text stays empty.
func (id ID) Stored(text string) string {
	if !id.Hashed {
		return text
	}
	trimmed := strings.ToLower(strings.TrimSpace(text))
	if trimmed == "" {
		return ""
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(trimmed)))
}

// InFiles reports whether the shop is read from files.
func (s Shop) InFiles() bool { return !s.IsLab() && s.Source.Interactions[0].Files != "" }

// Whole reports whether values of the type are whole numbers.
func (t Type) Whole() bool { return t == Int || t == BigInt }

// Decimal reports whether the type is a decimal.
func (t Type) Decimal() bool { return strings.HasPrefix(string(t), "decimal(") }
