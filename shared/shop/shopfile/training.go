package shopfile

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"recsys/shared/contract/shape"
)

const (
	maxWeight   = 1000
	maxHalfLife = 36_500 // days
)

// training reads the meaning of the interactions. kinds are the types that the queries give.
func (r *reader) training(n *yaml.Node, meaning *shape.Meaning, kinds map[string]bool) {
	r.object(n, "training", fields{
		"weights":    func(n *yaml.Node) { meaning.Weights = r.weights(n, kinds) },
		"halfLife":   func(n *yaml.Node) { meaning.HalfLife = r.halfLife(n) },
		"exclude":    func(n *yaml.Node) { meaning.Exclude = r.exclude(n, kinds) },
		"repeatable": func(n *yaml.Node) { meaning.Repeatable = r.flag(n) },
	})
}

func (r *reader) weights(n *yaml.Node, kinds map[string]bool) map[string]float64 {
	weights := map[string]float64{}
	r.each(n, "weights", func(key, value *yaml.Node) {
		r.knownKind(key, kinds)
		weight, ok := r.number(value)
		if ok && (math.IsNaN(weight) || weight < 0 || weight > maxWeight) {
			r.missf(value, "the weight %s", "0 to %d", value.Value, maxWeight)
		}
		weights[key.Value] = weight
	})
	if len(weights) > maxKinds {
		r.missf(n, "%d weights", "at most %d", len(weights), maxKinds)
	}
	return weights
}

// halfLife reads a number of days such as 90d, or none.
func (r *reader) halfLife(n *yaml.Node) float64 {
	if n.Kind == yaml.ScalarNode && n.Value == "none" {
		return 0
	}
	digits, isDays := strings.CutSuffix(n.Value, "d")
	days, err := strconv.ParseFloat(digits, 64)
	if n.Kind != yaml.ScalarNode || !isDays || err != nil || !(days > 0 && days <= maxHalfLife) {
		r.missf(n, "%s", "days as 90d (over 0, at most %d), or none", kindOf(n), maxHalfLife)
		return 0
	}
	return days
}

func (r *reader) exclude(n *yaml.Node, kinds map[string]bool) []string {
	types := []string{}
	r.list(n, "exclude", func(entry *yaml.Node) {
		if kind := r.kind(entry); kind != "" {
			r.knownKind(entry, kinds)
			types = append(types, kind)
		}
	})
	return types
}

// knownKind refuses a type that no query gives: a slip of the pen would have no effect. If a column says the types of a
// query, any may come.
func (r *reader) knownKind(n *yaml.Node, kinds map[string]bool) {
	if len(kinds) == 0 || kinds[""] || kinds[n.Value] {
		return
	}
	r.missf(n, "the type %q, which no query has", "%s", n.Value, choice(n.Value, slices.Sorted(maps.Keys(kinds))))
}
