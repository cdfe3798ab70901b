package shopfile

import (
	"go.yaml.in/yaml/v4"

	"recsys/shared/contract/shape"
)

// Rules lists the reasons that a shop file may change, as reports and quarantine name them, with their defaults.
var Rules = []struct {
	Reason  string
	Default shape.Rule
	Meaning string
}{
	{"guest", shape.Skip, "an interaction without a customer: NULL, or an empty text"},
	{"unknown-product", shape.Skip, "an interaction with a product that is not, or no longer, among the products"},
	{"unknown-customer", shape.Reject, "an interaction with a customer who is not among the customers"},
	{"no-product", shape.Reject, "an interaction without a product: NULL, or an empty text"},
	{"id-too-long", shape.Reject, "an id of over 255 characters"},
	{"negative-quantity", shape.Reject, "a quantity below 0: a refund, in some shops"},
	{"future", shape.Reject, "a time more than a day after the run's start"},
	{"too-old", shape.Reject, "a time in 1970 or before, as programs write it for no time"},
	{"not-a-time", shape.Reject, "a time that no calendar has, as 0000-00-00"},
	{"duplicate-rating", shape.Reject, "a further rating of a product by the same customer"},
}

// DefaultRules returns the rules of a shop file without rules.
func DefaultRules() map[string]shape.Rule {
	rules := map[string]shape.Rule{}
	for _, rule := range Rules {
		rules[rule.Reason] = rule.Default
	}
	return rules
}

// rules changes the defaults.
func (r *reader) rules(n *yaml.Node, rules map[string]shape.Rule) {
	known := fields{}
	for _, rule := range Rules {
		known[rule.Reason] = func(n *yaml.Node) {
			rules[rule.Reason] = shape.Rule(r.oneOf(n, string(shape.Skip), string(shape.Reject)))
		}
	}
	r.object(n, "rules", known)
}
