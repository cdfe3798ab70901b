package answers

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"recsys/shared/contract/distance"
	"recsys/shared/learn/blend"
	"recsys/shared/stream/activity"
)

// Why an item is in a list. For an item by vector it is the product of the customer's history or session that speaks for it most: the one
// whose neighbours give it the highest weight over 0, else the one whose vector is nearest to it. Both retrievers find the same.

// spokenFor are the items of answers that a product may speak for.
func spokenFor(answer *activity.Answer) (items []string) {
	for _, item := range answer.Recommended {
		if item.Strategy.ByVector() {
			items = append(items, item.ID)
		}
	}
	return items
}

// giveReasons fills in the reasons of a batch's answers. speaks returns the product that speaks for an item of a record, "" if none
// does. session are the products of each record's session as the shop spells them.
func giveReasons(q *batchQuery, answers []activity.Answer, sessions [][]string, speaks func(record int, item string) string) {
	for i := range answers {
		r := &q.records[i]
		for k := range answers[i].Recommended {
			item := &answers[i].Recommended[k]
			switch {
			case item.Strategy == activity.PopularInGroup:
				item.Reason = activity.Reason{Code: activity.PopularIn, Of: r.record.Group}
			case !item.Strategy.ByVector():
				item.Reason = activity.Reason{Code: activity.ReasonCode(item.Strategy)}
			default:
				item.Reason = r.reason(speaks(i, item.ID), sessions[i])
			}
		}
	}
}

// reason returns the reason that a product is. spelled are the products of the session as the shop spells them.
func (r *recordQuery) reason(product string, spelled []string) activity.Reason {
	place := slices.Index(spelled, product)
	switch {
	case product == "":
		return activity.Reason{Code: activity.FitsTaste}
	case place < 0:
		return activity.Reason{Code: activity.NearHistory, Of: product}
	case r.session[place].InCart:
		return activity.Reason{Code: activity.NearCart, Of: product}
	}
	return activity.Reason{Code: activity.NearSession, Of: product}
}

// reasons implements retriever.
func (m *memoryRetriever) reasons(_ context.Context, q batchQuery, answers []activity.Answer) error {
	sessions := make([][]string, len(q.records))
	for i := range q.records {
		sessions[i] = m.asked[q.records[i].record].spelled
	}
	giveReasons(&q, answers, sessions, func(record int, item string) string {
		a := m.asked[q.records[record].record]
		return m.catalogue.speaker(a.history(), m.catalogue.places[item])
	})
	return nil
}

// speaker returns the product of a history that speaks for an item most.
func (c *catalogue) speaker(history []int32, item int32) string {
	best, most := "", float32(0)
	if c.scorer.Blends() {
		for _, product := range history {
			targets, weights := c.neighbours.Row(int(product))
			if k, found := slices.BinarySearch(targets, item); found && weights[k] > most {
				best, most = c.ids[product], weights[k]
			}
		}
	}
	if best != "" {
		return best
	}
	nearest := 0.0
	for _, product := range history {
		if product == item {
			continue
		}
		if d := between(c.metric, c.vector(product), c.vector(item)); finite(d) && (best == "" || d < nearest) {
			best, nearest = c.ids[product], d
		}
	}
	return best
}

// between returns the distance of two vectors.
func between(metric distance.Metric, a, b []float32) float64 {
	inner, squared := 0.0, 0.0
	for k, x := range a {
		inner += float64(x) * float64(b[k])
		squared += (float64(x) - float64(b[k])) * (float64(x) - float64(b[k]))
	}
	switch metric {
	case distance.Cosine:
		return 1 - inner/(length(a)*length(b))
	case distance.L2:
		return squared // orders as its root
	}
	return -inner
}

// reasons implements retriever. It costs a round trip.
func (p *pgvectorRetriever) reasons(ctx context.Context, q batchQuery, answers []activity.Answer) error {
	q.records = slices.Clone(q.records)
	sessions, speakers := make([][]string, len(q.records)), make([]map[string]string, len(q.records))
	for i := range answers {
		q.records[i].listed, speakers[i] = spokenFor(&answers[i]), map[string]string{}
	}
	values := q.statement()
	values.By = byListed
	batch := &pgx.Batch{}
	queue(batch, p.texts, &q, "spelled.sql", values, q.places(everyRecord)).Query(func(rows pgx.Rows) error {
		return eachRow(rows, func(record int, session []string) { sessions[record] = session })
	})
	queue(batch, p.texts, &q, "speakers.sql", values, q.places(everyRecord)).Query(func(rows pgx.Rows) error {
		var record int
		var item, product string
		_, err := pgx.ForEachRow(rows, []any{&record, &item, &product}, func() error {
			speakers[record][item] = product
			return nil
		})
		return err
	})
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	if err := p.conn.SendBatch(ctx, batch).Close(); err != nil {
		return &searchError{[]error{err}, p.conn.Conn().IsClosed()}
	}
	giveReasons(&q, answers, sessions, func(record int, item string) string { return speakers[record][item] })
	return nil
}

// MostHistory bounds the products that may speak for an item.
func (s statement) MostHistory() int { return blend.MostHistory }
