package source

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
)

// Inspection is all that a look at a source finds, for people.
type Inspection struct {
	Survey
	Kinds   map[string]int64 // interactions by type
	Samples []Sample         // of each query, in the order of the shop file
}

// Sample holds the first rows of a query, as extract would write them. NULL is "".
type Sample struct {
	Query   string
	Columns []string
	Rows    [][]string
}

// sampleRows is the length of a sample.
const sampleRows = 10

// Inspect checks a source against a shop, counts, and takes samples. It changes nothing. Errors are those of Survey.
func (d *Database) Inspect(ctx context.Context, shop shape.Shop) (found Inspection, err error) {
	err = d.Snapshot(ctx, shop, func(s *Snapshot) error {
		if found.Survey, err = s.survey(ctx, func(*string, int64) {}); err != nil {
			return err
		}
		if found.Kinds, err = s.kinds(ctx); err != nil {
			return err
		}
		found.Interactions = 0 // statements of the file may have counted orders
		for _, count := range found.Kinds {
			found.Interactions += count
		}
		found.Samples, err = s.samples(ctx)
		return err
	})
	return found, err
}

// kinds counts interactions by type.
func (s *Snapshot) kinds(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	for _, p := range s.queries.interactions {
		kind, from := "''", p.where("TRUE")
		if f, ok := p.field(string(shape.Kind)); ok && p.Type == "" {
			kind = "q." + quote(f.name)
		}
		err := query(ctx, s.connection, func(row []sql.RawBytes) error {
			count, err := strconv.ParseInt(string(row[1]), 10, 64)
			name := p.Type
			if name == "" {
				name = strings.ToLower(strings.TrimSpace(string(row[0])))
			}
			counts[name] += count
			return err
		}, p.place, "SELECT "+kind+", COUNT(*) FROM "+from+" GROUP BY 1")
		if err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// samples takes some rows of each query.
func (s *Snapshot) samples(ctx context.Context) (samples []Sample, err error) {
	names := map[string][]string{
		s.tables.interactions.doing: training.RawNames(s.shop, training.InteractionTable),
		s.tables.customers.doing:    training.RawNames(s.shop, training.CustomerTable),
		s.tables.products.doing:     training.RawNames(s.shop, training.ProductTable),
	}
	for _, t := range []table{s.tables.interactions, s.tables.customers, s.tables.products} {
		for _, b := range t.branches {
			sample := Sample{Query: b.Name, Columns: names[t.doing]}
			one := table{branches: []branch{b}, order: "NULL", compared: t.compared}
			statement, err := one.statement(workflow.Range{})
			if err != nil {
				return nil, err
			}
			err = query(ctx, s.connection, one.visitor(func(raw training.Raw) error {
				sample.Rows = append(sample.Rows, slices.Clone(raw))
				return nil
			}), b.place, statement+" LIMIT "+strconv.Itoa(sampleRows))
			if err != nil {
				return nil, err
			}
			samples = append(samples, sample)
		}
	}
	return samples, nil
}
