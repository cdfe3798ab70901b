package source

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/shape"
)

// rangeKey is the column of a query's result that has the key, if the customer's id is another value.
const rangeKey = "range_key"

// prepared is a query of a shop with the columns of its result.
type prepared struct {
	shape.Query
	place  string // in the shop file, for messages
	fields []field
}

// placeholder is {{range KEY}}. Package shopfile sees to it that there is one.
var placeholder = regexp.MustCompile(`\{\{\s*range\s[^}]*\}\}`)

// where returns the query with a condition in place of {{range KEY}}, as a table. The line's end ends a comment.
func (p prepared) where(condition string) string {
	return "(" + placeholder.ReplaceAllLiteralString(p.SQL, condition) + "\n) q"
}

// field returns a column of the result. SQL's names have no case.
func (p prepared) field(name string) (field, bool) {
	for _, f := range p.fields {
		if strings.EqualFold(f.name, name) {
			return f, true
		}
	}
	return field{}, false
}

// keyColumn returns the column of the result that has the key.
func (p prepared) keyColumn(customer string) string {
	if _, ok := p.field(rangeKey); ok {
		return rangeKey
	}
	return customer
}

// prepare has the server check a query, and reads the columns of its result. Nothing of the query runs.
func prepare(ctx context.Context, connection *sql.Conn, shop shape.Shop, query shape.Query) (prepared, error) {
	p := prepared{Query: query, place: fmt.Sprintf("query %s", query.Name)}
	if shop.Name != "" {
		p.place = fmt.Sprintf("shop file %s, line %d, query %s", shop.Name, query.Line, query.Name)
	}
	rows, err := connection.QueryContext(ctx, "SELECT * FROM "+p.where("("+query.Key+" IS NULL AND FALSE)")+" LIMIT 0")
	if err != nil {
		return p, p.wrap(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return p, wrap(p.place, err)
	}
	for _, t := range types {
		p.fields = append(p.fields, fieldOf(t))
	}
	for rows.Next() {
	}
	return p, p.wrap(rows.Err())
}

var atLine = regexp.MustCompile(`at line (\d+)$`)

// wrap names the query, the line that the server complains about, and a remedy.
func (p prepared) wrap(err error) error {
	if err == nil {
		return nil
	}
	wrapped := wrap(p.place, err)
	var answer *mysql.MySQLError
	if !errors.As(err, &answer) || p.Line == 0 || !failure.IsPermanent(wrapped) {
		return wrapped
	}
	if found := atLine.FindStringSubmatch(answer.Message); found != nil {
		line, _ := strconv.Atoi(found[1])
		return failure.SchemaMismatch.Errorf("%w, which is line %d of the shop file", wrapped, p.Line+line-1)
	}
	return wrapped
}

// prepareAll prepares all queries of a shop. It reports the mistakes of all of them at once.
func prepareAll(ctx context.Context, connection *sql.Conn, shop shape.Shop, source shape.Source) (q queries, err error) {
	var faults []error
	each := func(query shape.Query) prepared {
		p, err := prepare(ctx, connection, shop, query)
		if err != nil {
			faults = append(faults, err)
		}
		return p
	}
	for _, query := range source.Interactions {
		q.interactions = append(q.interactions, each(query))
	}
	if source.Customers.Given() {
		q.customers = each(source.Customers)
	}
	if source.Products.Given() {
		q.products = each(source.Products)
	}
	for _, fault := range faults {
		if !failure.IsPermanent(fault) {
			return q, fault
		}
	}
	if len(faults) > 0 {
		return q, failure.SchemaMismatch.Wrap(errors.Join(faults...))
	}
	return q, nil
}

// queries are the prepared queries of a shop. Those of customers and products may be missing.
type queries struct {
	interactions        []prepared
	customers, products prepared
}

// ranged returns the queries that are read in ranges.
func (q queries) ranged() []prepared { return q.with(q.customers) }

// with returns the queries of interactions and another one, if there is such.
func (q queries) with(another prepared) []prepared {
	if !another.Given() {
		return q.interactions
	}
	return append(slices.Clone(q.interactions), another)
}

// comparisonOf finds how the keys of all queries are compared. They were checked: all are of one family.
func comparisonOf(ctx context.Context, connection *sql.Conn, shop shape.Shop, q queries) (comparison, error) {
	customer := shop.Customer.Name
	key, _ := q.interactions[0].field(q.interactions[0].keyColumn(customer))
	compared := comparison{family: key.family, letters: boundLetters}
	if shop.Customer.Hashed {
		compared.letters = hashedLetters
	}
	if key.family != words {
		return compared, nil
	}
	collations := map[string]bool{}
	for _, p := range q.ranged() {
		err := query(ctx, connection, func(row []sql.RawBytes) error {
			collations[string(row[0])] = true
			return nil
		}, p.place, "SELECT COLLATION(MAX(q."+quote(p.keyColumn(customer))+")) FROM "+p.where("("+p.Key+" IS NULL AND FALSE)"))
		if err != nil {
			return compared, err
		}
	}
	compared.bytewise = len(collations) > 1
	return compared, nil
}
