package main

import (
	"fmt"
	"slices"
	"strings"

	"recsys/shared/learn/model"
	"recsys/shared/stream/activity"
)

// facts says where a model's columns are in Record.Features.
type facts struct{ texts, numbers []int }

// factsOf finds the columns among the features of a shop's records, by their names in any case. It reports false if one is not
// there, or if there are none: the model then has nothing to go by.
func factsOf(columns model.Columns, features []activity.Feature) (facts, bool) {
	places := func(names []string) (places []int) {
		for _, name := range names {
			places = append(places, slices.IndexFunc(features, func(f activity.Feature) bool { return strings.EqualFold(f.Column, name) }))
		}
		return places
	}
	f := facts{places(columns.Texts), places(columns.Numbers)}
	all := slices.Concat(f.texts, f.numbers)
	return f, len(all) > 0 && !slices.Contains(all, -1)
}

// of returns the facts of a record. It reports false if the record does not hold all of them.
func (f facts) of(r *activity.Record) (model.Record, bool) {
	user := model.Record{Texts: make([]string, len(f.texts)), Numbers: make([]float64, len(f.numbers))}
	given := true
	for i, place := range f.texts {
		user.Texts[i] = r.Features[place].Text
		given = given && r.Features[place].Given
	}
	for i, place := range f.numbers {
		user.Numbers[i] = r.Features[place].Number
		given = given && r.Features[place].Given
	}
	return user, given
}

// modelVectors returns a vector for each record that holds all facts that the model looks at, else nil.
func modelVectors(records []*activity.Record, m *model.Model, dimension int) ([][]float32, error) {
	vectors := make([][]float32, len(records))
	if m == nil || len(records) == 0 {
		return vectors, nil
	}
	known, found := factsOf(m.UserColumns(), records[0].Features)
	if !found {
		return vectors, nil
	}
	users := make([]model.Record, 0, len(records))
	places := make([]int, 0, len(records))
	for i, r := range records {
		if user, given := known.of(r); given {
			users, places = append(users, user), append(places, i)
		}
	}
	numbers := make([]float32, len(users)*dimension)
	undirected, err := m.Embed(numbers, users)
	if err != nil {
		return nil, fmt.Errorf("computing user vectors: %w", err)
	}
	for k, i := range places {
		vectors[i] = numbers[k*dimension : (k+1)*dimension]
	}
	for _, k := range undirected {
		vectors[places[k]] = nil
	}
	return vectors, nil
}
