package answers

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"recsys/shared/contract/shape"
	"recsys/shared/learn/model"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
)

// facts says where a model's columns are in Record.Features.
type facts struct {
	texts, numbers []int
	all            bool // a record must give all of them
}

// factsOf finds the columns among the features of a shop's records, by their names in any case. It reports false if one is not
// there, or if there are none: the model then has nothing to go by. A record of the lab must give all of them. In another shop one
// that says something is enough, because training rows may lack the others as well.
func factsOf(columns model.Columns, features []activity.Feature, lab bool) (facts, bool) {
	places := func(names []string) (places []int) {
		for _, name := range names {
			places = append(places, slices.IndexFunc(features, func(f activity.Feature) bool { return strings.EqualFold(f.Column, name) }))
		}
		return places
	}
	f := facts{places(columns.Texts), places(columns.Numbers), lab}
	all := slices.Concat(f.texts, f.numbers)
	return f, len(all) > 0 && !slices.Contains(all, -1)
}

// of returns the facts of a record. It reports false if the record gives too few of them.
func (f facts) of(r *activity.Record) (model.Record, bool) {
	user := model.Record{Texts: make([]string, len(f.texts)), Numbers: make([]float64, len(f.numbers))}
	all, some := true, false
	take := func(place int) activity.Feature {
		feature := r.Features[place]
		all = all && feature.Given
		some = some || feature.Text != "" || !math.IsNaN(feature.Number)
		return feature
	}
	for i, place := range f.texts {
		user.Texts[i] = take(place).Text
	}
	for i, place := range f.numbers {
		user.Numbers[i] = take(place).Number
	}
	if f.all {
		return user, all
	}
	return user, some
}

// modelVectors returns a vector for each record that gives the facts that the model looks at, else nil.
func modelVectors(records []*activity.Record, m *model.Model, v vectorstore.ActiveVersion) ([][]float32, error) {
	vectors := make([][]float32, len(records))
	if m == nil || len(records) == 0 {
		return vectors, nil
	}
	known, found := factsOf(m.UserColumns(), records[0].Features, shape.OrLab(v.Shop).IsLab())
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
	dimension := v.Dimension
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
