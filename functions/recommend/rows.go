package main

import (
	"math"
	"slices"

	"github.com/jackc/pgx/v5"

	"recsys/shared/activity"
	"recsys/shared/vectorstore"
)

// The rows of the queries arrive ordered, best first.

func (a *asking) takeRecommended(rows pgx.Rows) error {
	var record int
	var strategy activity.Strategy
	var id string
	var distance float64
	_, err := pgx.ForEachRow(rows, []any{&record, &strategy, &id, &distance}, func() error {
		if score := a.version.Metric.Score(distance); finite(score) {
			answer := &a.questions[record].answer
			answer.Strategy = strategy
			answer.Recommended = append(answer.Recommended, activity.Scored{ID: id, Score: score})
		}
		return nil
	})
	return err
}

func (a *asking) takeSimilar(rows pgx.Rows) error {
	var records []int
	var product string
	var id *string
	var distance *float64
	_, err := pgx.ForEachRow(rows, []any{&records, &product, &id, &distance}, func() error {
		for _, record := range records {
			answer := &a.questions[record].answer
			answer.SimilarTo = product
			if id != nil && finite(*distance) {
				answer.Similar = append(answer.Similar, activity.Near{ID: *id, Distance: *distance})
			}
		}
		return nil
	})
	return err
}

func (a *asking) takePopular(rows pgx.Rows) error {
	var country, item string
	var count int64
	_, err := pgx.ForEachRow(rows, []any{&country, &item, &count}, func() error {
		a.popular[country] = append(a.popular[country], activity.Scored{ID: item, Score: float64(count)})
		return nil
	})
	return err
}

// fallBack answers the records that no vector answered.
func (a *asking) fallBack() {
	for i := range a.questions {
		answer := &a.questions[i].answer
		if len(answer.Recommended) > 0 {
			continue
		}
		answer.Strategy = activity.Popular
		answer.Recommended = a.mostPopular(vectorstore.CountryKey(a.questions[i].record.Country), answer.Recommended)
		if len(answer.Recommended) == 0 {
			answer.Strategy = activity.None
		}
	}
}

// mostPopular is the most rated items of the country, filled up with those of all countries. Their scores are
// divided so that they stay under 1 rating, and the list's scores fall from the first to the last.
func (a *asking) mostPopular(country string, items []activity.Scored) []activity.Scored {
	if country != vectorstore.AnyCountry {
		items = append(items, a.popular[country]...)
	}
	own := len(items)
	everywhere := a.popular[vectorstore.AnyCountry]
	for _, item := range everywhere {
		if len(items) == a.limit {
			break
		}
		if !slices.ContainsFunc(items[:own], func(has activity.Scored) bool { return has.ID == item.ID }) {
			if own > 0 {
				item.Score /= everywhere[0].Score + 1
			}
			items = append(items, item)
		}
	}
	return items
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
