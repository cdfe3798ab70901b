package shopfile

import (
	"go.yaml.in/yaml/v4"

	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
)

// rules reads Skip or Reject by the reason, as reports and quarantine name it.
func (r *reader) rules(n *yaml.Node) map[string]shape.Rule {
	rules, known := map[string]shape.Rule{}, fields{}
	for _, reason := range training.ReasonsOfFiles {
		known[string(reason)] = func(n *yaml.Node) {
			rules[string(reason)] = shape.Rule(r.oneOf(n, string(shape.Skip), string(shape.Reject)))
		}
	}
	r.object(n, "rules", known)
	return rules
}
