package source

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/shape"
)

// Survey holds the facts about the source that planning needs.
type Survey struct {
	Shop         shape.Shop // with all types
	Interactions int64      // with those of guests. An estimate if the file has statements that count
	Customers    int64      // with interactions
	Products     int64
	Warnings     []string // in words
}

// Survey checks the source against the shop and counts. It visits each customer's key with the number of interactions,
// in ascending order. Interactions without a customer come first, with the key nil.
func (d *Database) Survey(ctx context.Context, shop shape.Shop, visit func(key *string, interactions int64)) (found Survey, err error) {
	err = d.Snapshot(ctx, shop, func(s *Snapshot) error {
		found, err = s.survey(ctx, visit)
		return err
	})
	return found, err
}

func (s *Snapshot) survey(ctx context.Context, visit func(key *string, interactions int64)) (Survey, error) {
	found := Survey{Shop: s.shop}
	if s.queries.products.Given() {
		if err := s.number(ctx, &found.Products, "counting products", "SELECT COUNT(*) FROM "+s.queries.products.where("TRUE")); err != nil {
			return found, err
		}
	}
	statement, err := s.countStatement(ctx)
	if err != nil {
		return found, err
	}
	var seen neighbours
	err = query(ctx, s.connection, func(row []sql.RawBytes) error {
		key, interactions, err := s.readCount(row)
		if err != nil {
			return err
		}
		found.Interactions += interactions
		if key != nil {
			found.Customers++
			seen.add(*key, interactions)
		}
		visit(key, interactions)
		return nil
	}, "counting interactions by customer", statement)
	if err != nil {
		return found, err
	}
	if err := s.checkKeys(ctx, seen); err != nil {
		return found, err
	}
	found.Warnings, err = s.warnings(ctx, seen)
	return found, err
}

func (s *Snapshot) readCount(row []sql.RawBytes) (key *string, interactions int64, err error) {
	if row[1] != nil {
		if interactions, err = strconv.ParseInt(string(row[1]), 10, 64); err != nil {
			return nil, 0, fmt.Errorf("reading a count: %w", err)
		}
	}
	if row[0] != nil {
		text := string(row[0])
		if s.tables.interactions.compared.family == wholes {
			text = string(digits(row[0]))
		}
		key = &text
	}
	return key, interactions, nil
}

// countStatement returns the statement that counts interactions by the customer's key, in ascending order.
func (s *Snapshot) countStatement(ctx context.Context) (string, error) {
	compared := s.tables.interactions.compared
	from, key, sum := "", "", ""
	if only := s.queries.interactions[0]; len(s.queries.interactions) == 1 && only.Count == "" {
		from, key, sum = only.where("TRUE"), compared.of("q."+quote(only.keyColumn(s.shop.Customer.Name))), "COUNT(*)"
	} else {
		var counts []string
		for _, p := range s.queries.interactions {
			count, err := s.countOf(ctx, p)
			if err != nil {
				return "", err
			}
			counts = append(counts, count)
		}
		from, key, sum = "("+strings.Join(counts, " UNION ALL ")+") c", "c.k", "SUM(c.n)"
	}
	return fmt.Sprintf("SELECT %s, %s FROM %s GROUP BY %s ORDER BY %s", compared.bound("MIN("+key+")"), sum, from, key, key), nil
}

// countOf returns the SELECT of the keys k of one query and their numbers of interactions n.
func (s *Snapshot) countOf(ctx context.Context, p prepared) (string, error) {
	compared := s.tables.interactions.compared
	if p.Count == "" {
		key := compared.of("q." + quote(p.keyColumn(s.shop.Customer.Name)))
		return "SELECT " + key + " AS k, COUNT(*) AS n FROM " + p.where("TRUE") + " GROUP BY 1", nil
	}
	own := p.Query
	own.SQL, own.Name, own.Line = p.Count, p.Name+" (count)", 0
	counted, err := prepare(ctx, s.connection, s.shop, own)
	if err != nil {
		return "", err
	}
	key, ok := counted.field(rangeKey)
	if len(counted.fields) != 2 || !ok || key.family != compared.family {
		return "", failure.SchemaMismatch.Errorf("%s: count has to select two columns: the key AS range_key, of the type that its query has, and the number of its interactions", p.place)
	}
	number := counted.fields[0]
	if strings.EqualFold(number.name, rangeKey) {
		number = counted.fields[1]
	}
	if number.family != wholes {
		return "", failure.SchemaMismatch.Errorf("%s: column %s of count is %s: want a whole number, as COUNT(*)", p.place, number.name, number.server)
	}
	return "SELECT " + compared.of("q."+quote(key.name)) + " AS k, q." + quote(number.name) + " AS n FROM " + counted.where("TRUE"), nil
}

// Estimated reports whether the file has statements of its own that count. Their numbers may be those of orders, not of
// interactions.
func Estimated(shop shape.Shop) bool {
	for _, q := range shop.Source.Interactions {
		if q.Count != "" {
			return true
		}
	}
	return false
}

// number reads a single whole number.
func (s *Snapshot) number(ctx context.Context, into *int64, doing, statement string) error {
	return query(ctx, s.connection, func(row []sql.RawBytes) (err error) {
		*into, err = strconv.ParseInt(string(row[0]), 10, 64)
		return err
	}, doing, statement)
}
