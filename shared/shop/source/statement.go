package source

import (
	"database/sql"
	"strconv"
	"strings"
	"time"

	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
)

// table is a raw table as SQL: one or more queries with the same columns, read by one statement in one order.
type table struct {
	doing    string // for messages
	branches []branch
	order    string // as ORDER BY has it
	compared comparison
}

// branch is a query of a table.
type branch struct {
	prepared
	columns []string // the SQL of each column of a raw row. "" if the server does not send it
	cells   []cell   // the text of each column of a raw row
}

// statement returns the SELECT of a range. If there are several branches, the last column is the branch's number.
func (t table) statement(span workflow.Range) (string, error) {
	var selects []string
	for i, b := range t.branches {
		condition, err := t.compared.within(b.Key, span)
		if err != nil {
			return "", err
		}
		columns := t.sent(b)
		if len(t.branches) > 1 {
			columns = append(columns, strconv.Itoa(i))
		}
		selects = append(selects, "SELECT "+strings.Join(columns, ", ")+" FROM "+b.where(condition))
	}
	return strings.Join(selects, " UNION ALL ") + " ORDER BY " + t.order, nil
}

// sends reports whether the server sends a column of raw rows in any branch.
func (t table) sends(column int) bool {
	for _, b := range t.branches {
		if b.columns[column] != "" {
			return true
		}
	}
	return false
}

// sent returns the columns of a branch's SELECT. A column that only others have is NULL.
func (t table) sent(b branch) (columns []string) {
	for i, column := range b.columns {
		switch {
		case column != "":
			columns = append(columns, column)
		case t.sends(i):
			columns = append(columns, "NULL")
		}
	}
	return columns
}

// visitor returns the function that takes the rows of the statement. The raw row is valid during the call.
func (t table) visitor(visit func(training.Raw) error) func([]sql.RawBytes) error {
	raw := make(training.Raw, len(t.branches[0].columns))
	places := make([]int, len(raw)) // of the columns in the row, -1 if the server does not send them
	next := 0
	for i := range raw {
		places[i] = -1
		if t.sends(i) {
			places[i] = next
			next++
		}
	}
	return func(row []sql.RawBytes) error {
		cells := t.branches[0].cells
		if len(t.branches) > 1 {
			i, err := strconv.Atoi(string(row[next]))
			if err != nil {
				return err
			}
			cells = t.branches[i].cells
		}
		for i, place := range places {
			var value sql.RawBytes
			if place >= 0 {
				value = row[place]
			}
			raw[i] = cells[i](value)
		}
		return visit(raw)
	}
}

// tables are the raw tables of a shop.
type tables struct{ interactions, customers, products table }

// tablesOf returns the tables of a shop, which is resolved.
func tablesOf(shop shape.Shop, q queries, compared comparison) (tables, error) {
	zone, err := zoneOf(shop.Source.Timezone)
	if err != nil {
		return tables{}, err
	}
	interactions := table{doing: "reading interactions", compared: compared}
	for _, p := range q.interactions {
		interactions.branches = append(interactions.branches, interactionsOf(shop, p, q, compared, zone))
	}
	interactions.order = orderOf(shop, interactions)
	customers := table{doing: "reading customers", order: "1", compared: compared}
	if q.customers.Given() {
		customers.branches = []branch{listOf(shop.Customer, shop.CustomerColumns, q.customers, zone)}
	}
	products := table{doing: "reading products", order: "1", compared: compared}
	if q.products.Given() {
		products.branches = []branch{listOf(shop.Product, shop.ProductColumns, q.products, zone)}
	}
	return tables{interactions, customers, products}, nil
}

// interactionsOf returns the branch of one query. Texts of several queries need one collation for ORDER BY, and times
// of several types would become one type.
func interactionsOf(shop shape.Shop, p prepared, q queries, compared comparison, zone *time.Location) branch {
	several := len(q.interactions) > 1
	native := !several || !compared.bytewise && p.keyColumn(shop.Customer.Name) != rangeKey
	customer, product := idOf(shop.Customer, p, native), idOf(shop.Product, p, !several)
	b := branch{p, []string{customer.sql, product.sql}, []cell{repeated(customer.text), interned(product.text)}}
	for _, column := range shop.InteractionColumns {
		f, ok := p.field(column.Name)
		sql, text := valueOf(f, column.Role), valueText(f, column.Role, zone)
		switch {
		case !ok && column.Role == shape.Kind:
			sql, text = "", constant(p.Type)
		case !ok:
			sql, text = "", constant("")
		case several && column.Role == shape.Time:
			sql = "CAST(" + sql + " AS CHAR)"
		case several && column.Role == shape.Kind:
			sql = "CONVERT(" + sql + " USING utf8mb4) COLLATE utf8mb4_bin"
		}
		b.columns, b.cells = append(b.columns, sql), append(b.cells, text)
	}
	return b
}

// orderOf returns the order of interactions: customer, product, time, type, then the highest rating first, and at last the query.
func orderOf(shop shape.Shop, t table) string {
	var order []string
	position := 0
	place := map[shape.Role]string{}
	for i := range t.branches[0].columns {
		if !t.sends(i) {
			continue
		}
		position++
		if i < 2 {
			order = append(order, strconv.Itoa(position))
		} else {
			place[shop.InteractionColumns[i-2].Role] = strconv.Itoa(position)
		}
	}
	for _, next := range []struct {
		role      shape.Role
		direction string
	}{{shape.Time, ""}, {shape.Kind, ""}, {shape.Stars, " DESC"}, {shape.Quantity, ""}, {shape.Value, ""}} {
		if at := place[next.role]; at != "" {
			order = append(order, at+next.direction)
		}
	}
	if len(t.branches) > 1 { // equal rows of several queries come in one order, too
		order = append(order, strconv.Itoa(position+1))
	}
	return strings.Join(order, ", ")
}

// listOf returns the branch of customers or of products.
func listOf(id shape.ID, columns []shape.Column, p prepared, zone *time.Location) branch {
	own := idOf(id, p, true)
	b := branch{p, []string{own.sql}, []cell{interned(own.text)}}
	for _, column := range columns {
		f, _ := p.field(column.Name)
		b.columns = append(b.columns, valueOf(f, column.Role))
		b.cells = append(b.cells, valueText(f, column.Role, zone))
	}
	return b
}

// idExpression is an id as SQL, and how its value becomes text.
type idExpression struct {
	sql  string
	text func(sql.RawBytes) []byte
}

// idOf returns an id. A hashed one never leaves the database: it is SHA-256 of the text in lower case, without blanks
// around it. An empty text stays empty. native keeps the collation of a text, in which its different spellings are neighbours.
func idOf(id shape.ID, p prepared, native bool) idExpression {
	f, _ := p.field(id.Name)
	column := "q." + quote(f.name)
	switch {
	case id.Hashed:
		text := "LOWER(TRIM(CONVERT(" + column + " USING utf8mb4)))"
		return idExpression{"IF(" + text + " = '', '', SHA2(" + text + ", 256))", idText(field{family: words})}
	case f.family == words && !native:
		return idExpression{"CONVERT(" + column + " USING utf8mb4) COLLATE utf8mb4_bin", idText(f)}
	}
	return idExpression{column, idText(f)}
}

// valueOf returns a column as SQL. BIT would come as bytes, and a number that is a text keeps the zeros of ZEROFILL.
func valueOf(f field, role shape.Role) string {
	column := "q." + quote(f.name)
	switch {
	case f.family == bits:
		return column + " + 0"
	case f.family == wholes && (role == shape.Category || role == shape.Remark || role == shape.Name):
		return "CAST(" + column + " AS CHAR)"
	}
	return column
}

// quote returns a name for a statement.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
