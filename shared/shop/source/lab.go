package source

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"recsys/shared/contract/shape"
)

// labShop returns the lab's shop with queries of its three tables, and with the type of its ratings.
func labShop(shop shape.Shop, found schema) shape.Shop {
	shop.InteractionColumns = slices.Clone(shop.InteractionColumns)
	for i, column := range shop.InteractionColumns {
		if column.Role == shape.Stars {
			shop.InteractionColumns[i].Type = found.stars()
		}
	}
	return shop
}

// labQueries returns the queries of the lab's three tables.
func labQueries(found schema) shape.Source {
	lab := shape.Lab
	inRange := " WHERE {{range " + lab.Customer.Name + "}}"
	ratings := found.query(ratingTable, inRange, []string{lab.Customer.Name, lab.Product.Name}, lab.InteractionColumns)
	ratings.Type = shape.Rating
	return shape.Source{
		Interactions: []shape.Query{ratings},
		Customers:    found.query(customerTable, inRange, []string{lab.Customer.Name}, lab.CustomerColumns),
		Products:     found.query(productTable, "", []string{lab.Product.Name}, lab.ProductColumns),
	}
}

// query returns the query of a table. A number in a column of text becomes one on the server, which knows how the shop shows it.
func (s schema) query(table, where string, ids []string, columns []shape.Column) shape.Query {
	selected := slices.Clone(ids)
	for _, column := range columns {
		expression := column.Name
		if column.Type == shape.Text && s[table].columns[strings.ToLower(column.Name)].whole() {
			expression = "CAST(" + column.Name + " AS CHAR) AS " + column.Name
		}
		selected = append(selected, expression)
	}
	return shape.Query{
		Name: table, Key: shape.Lab.Customer.Name,
		SQL: "SELECT " + strings.Join(selected, ", ") + " FROM " + s.from(table) + where,
	}
}

// openLab returns the lab's shop and its tables.
func openLab(ctx context.Context, connection *sql.Conn, shop shape.Shop) (shape.Shop, queries, tables, error) {
	found, err := readSchema(ctx, connection)
	if err != nil {
		return shop, queries{}, tables{}, err
	}
	shop = labShop(shop, found)
	q, err := prepareAll(ctx, connection, shop, labQueries(found))
	if err != nil {
		return shop, q, tables{}, err
	}
	for _, p := range append(q.with(q.products), q.customers) {
		p.textBytes()
	}
	t, err := tablesOf(shop, q, comparison{family: wholes})
	if found[ratingTable].unique { // spares a sort
		t.interactions.order = "1, 2"
	}
	return shop, q, t, err
}

// textBytes makes bytes texts: the lab's texts may be VARBINARY.
func (p prepared) textBytes() {
	for i := range p.fields {
		if p.fields[i].family == octets {
			p.fields[i].family = words
		}
	}
}
