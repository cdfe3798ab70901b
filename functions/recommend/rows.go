package main

import (
	"math"

	"github.com/jackc/pgx/v5"

	"recsys/shared/stream/activity"
	"recsys/shared/stream/ranking"
)

// found is what the rungs of a record's ladder hold, each the best first: near is the rung 0 of queueRecommended's rows,
// and so on.
type found struct {
	strategy                     activity.Strategy // of near
	near                         []ranking.Candidate
	trending, inCountry, popular []activity.Scored
}

// forget drops what an earlier attempt has found.
func (a *asking) forget() {
	for i := range a.questions {
		a.questions[i].found, a.questions[i].answer = found{}, activity.Answer{}
	}
}

// The rows of the queries arrive ordered, best first.

func (a *asking) takeRecommended(rows pgx.Rows) error {
	var record, rung int
	var strategy activity.Strategy
	var id, line string
	var value float64
	_, err := pgx.ForEachRow(rows, []any{&record, &rung, &strategy, &id, &value, &line}, func() error {
		f := &a.questions[record].found
		switch rung {
		case 0:
			f.strategy = strategy
			score := a.version.Metric.Score(value)
			f.near = append(f.near, ranking.Candidate{Scored: activity.Scored{ID: id, Score: score}, Line: line})
		case 1:
			f.trending = append(f.trending, activity.Scored{ID: id, Score: -value})
		case 2:
			f.inCountry = append(f.inCountry, activity.Scored{ID: id, Score: -value})
		case 3:
			f.popular = append(f.popular, activity.Scored{ID: id, Score: -value})
		}
		return nil
	})
	return err
}

func (a *asking) takeSimilar(rows pgx.Rows) error {
	var record int
	var product string
	var id *string
	var distance *float64
	_, err := pgx.ForEachRow(rows, []any{&record, &product, &id, &distance}, func() error {
		answer := &a.questions[record].answer
		answer.SimilarTo = product
		if id != nil && finite(*distance) {
			answer.Similar = append(answer.Similar, activity.Near{ID: *id, Distance: *distance})
		}
		return nil
	})
	return err
}

// rank makes the lists of what was found.
func (a *asking) rank() {
	limit := a.options.Limit
	for i := range a.questions {
		f, answer := &a.questions[i].found, &a.questions[i].answer
		answer.Recommended, answer.Strategy = ranking.Ladder(limit,
			ranking.Rung{Strategy: f.strategy, Items: ranking.Diverse(f.near, limit, a.options.Diversity)},
			ranking.Rung{Strategy: activity.Trending, Items: f.trending},
			ranking.Rung{Strategy: activity.PopularInCountry, Items: f.inCountry},
			ranking.Rung{Strategy: activity.Popular, Items: f.popular})
		if a.options.TrendingItems {
			answer.Trending = append([]activity.Scored{}, f.trending...)
		}
	}
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
