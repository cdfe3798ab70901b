package shopfile

import (
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // Lambda's image has no time zones

	"go.yaml.in/yaml/v4"

	"recsys/shared/contract/shape"
)

var (
	// columnName is what Parquet, Hive, Athena and PostgreSQL carry without quotes.
	columnName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)
	databaseName = regexp.MustCompile(`^[A-Za-z0-9_$-]{1,64}$`)
	// personal is the name of a column that says who the customer is.
	personal = regexp.MustCompile(`(?i)^(e_?mail.*|.*_?e_?mail|mail|user_?name|login|name|(customer|first|last|full|nick|family|given|sur)_?name|phone.*|mobile|telephone|password.*)$`)
)

// reserved are names that training rows, the list of products, partitions or stream records use themselves.
var reserved = []string{
	CustomerID, ProductID, "type", "at", "quantity", "value", "rating", "range_key",
	"part", "snapshot", "reason", "stockunknown",
	"session_id", "customer_number", "product_code", "browse_history", "in_shopping_cart",
	"recommended_items", "similar_items", "trending_items", "recommendation",
}

var (
	customerRoles = []shape.Role{shape.Category, shape.Number, shape.Price, shape.Remark}
	productRoles  = append(slices.Clone(customerRoles), shape.Stock, shape.Availability, shape.Name)
)

// Texts of the key id.
var idTypes = map[string]shape.ID{
	"int": {Type: shape.Int}, "bigint": {Type: shape.BigInt}, "text": {Type: shape.Text},
	"hashed": {Type: shape.Text, Hashed: true},
}

func (r *reader) customers(n *yaml.Node, shop *shape.Shop) {
	var group *yaml.Node
	r.object(n, "customers", fields{
		"id":      func(n *yaml.Node) { r.id(n, &shop.Customer, "int", "bigint", "text", "hashed") },
		"query":   func(n *yaml.Node) { r.query(n, &shop.Source.Customers, true) },
		"files":   func(n *yaml.Node) { r.files(n, &shop.Source.Customers) },
		"names":   func(n *yaml.Node) { r.names(n, &shop.Source.Customers) },
		"columns": func(n *yaml.Node) { shop.CustomerColumns = r.declared(n, "customers", customerRoles) },
		"group":   func(n *yaml.Node) { group = n },
	})
	r.origin(n, "customers", shop.Source.Customers)
	shop.Source.Customers.Name = "customers"
	shop.Group = r.category(group, shop.CustomerColumns)
}

func (r *reader) products(n *yaml.Node, shop *shape.Shop) {
	var line *yaml.Node
	r.object(n, "products", fields{
		"id":      func(n *yaml.Node) { r.id(n, &shop.Product, "int", "bigint", "text") },
		"query":   func(n *yaml.Node) { r.query(n, &shop.Source.Products, false) },
		"files":   func(n *yaml.Node) { r.files(n, &shop.Source.Products) },
		"names":   func(n *yaml.Node) { r.names(n, &shop.Source.Products) },
		"columns": func(n *yaml.Node) { shop.ProductColumns = r.declared(n, "products", productRoles) },
		"line":    func(n *yaml.Node) { line = n },
	})
	r.origin(n, "products", shop.Source.Products)
	shop.Source.Products.Name = "products"
	shop.Line = r.category(line, shop.ProductColumns)
}

// id reads the type of an id, and keeps its name.
func (r *reader) id(n *yaml.Node, id *shape.ID, choices ...string) {
	read := idTypes[r.oneOf(n, choices...)]
	id.Type, id.Hashed = read.Type, read.Hashed
}

// declared reads columns as `city: category`.
func (r *reader) declared(n *yaml.Node, of string, roles []shape.Role) (columns []shape.Column) {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}
	only := map[shape.Role]string{} // roles that one column may have
	r.each(n, "columns of "+of, func(key, value *yaml.Node) {
		r.columnName(key, of)
		if of == "customers" && value.Value == string(shape.Name) {
			r.missf(value, "the role name for customers", "no such column: a customer's name never enters a row")
			return
		}
		role := shape.Role(r.oneOf(value, names...))
		if before := only[role]; before != "" {
			r.missf(value, "the role %s again, which %s has", "one column with it", role, before)
		}
		if role == shape.Name || role == shape.Stock || role == shape.Availability {
			only[role] = key.Value
		}
		columns = append(columns, shape.Column{Name: key.Value, Role: role})
	})
	if len(columns) > maxColumns {
		r.missf(n, "%d columns of %s", "at most %d", len(columns), of, maxColumns)
	}
	return columns
}

// columnName checks a column's name and keeps it for uniqueColumns.
func (r *reader) columnName(key *yaml.Node, of string) {
	switch name := key.Value; {
	case !columnName.MatchString(name):
		r.missf(key, "the column name %q", "a letter or _, then up to 62 letters, digits and _: rename it in the query with AS", shortened(name))
	case slices.Contains(reserved, strings.ToLower(name)):
		r.missf(key, "the column name %q, which the pipeline uses itself", "another name: rename it in the query with AS", name)
	case of == "customers" && personal.MatchString(name):
		r.missf(key, "the customers' column %q", "no name, e-mail address or phone number: they never enter a row", name)
	}
	r.columns = append(r.columns, named{key.Value, key})
}

// uniqueColumns finds names that two columns share. Hive and Athena tell no case.
func (r *reader) uniqueColumns() {
	seen := map[string]named{}
	for _, column := range r.columns {
		lower := strings.ToLower(column.name)
		if before, twice := seen[lower]; twice {
			r.missf(column.at, "the column %q, which line %d has as %q", "a name that no other column has but for case: rename one in its query with AS",
				column.name, before.at.Line, before.name)
			continue
		}
		seen[lower] = column
	}
}

// category returns the name of a declared category that the key names. Without the key it is "".
func (r *reader) category(n *yaml.Node, columns []shape.Column) string {
	if n == nil {
		return ""
	}
	var names []string
	for _, column := range columns {
		if column.Role == shape.Category {
			names = append(names, column.Name)
		}
	}
	if len(names) == 0 {
		r.missf(n, "%s, but no column is a category", "a column with the role category", kindOf(n))
		return ""
	}
	return r.oneOf(n, names...)
}

func (r *reader) database(n *yaml.Node) string {
	text, ok := r.text(n)
	if ok && !databaseName.MatchString(text) {
		r.missf(n, "the database %q", "1 to 64 letters, digits, _, $ and -", shortened(text))
	}
	return text
}

// timezone reads an IANA name. "Local" would mean another zone on each machine.
func (r *reader) timezone(n *yaml.Node) string {
	text, ok := r.text(n)
	if _, err := time.LoadLocation(text); ok && (err != nil || text == "Local" || text == "") {
		r.missf(n, "the time zone %q", "an IANA name, as Europe/Berlin or UTC", shortened(text))
	}
	return text
}
