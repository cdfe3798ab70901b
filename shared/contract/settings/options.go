package settings

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"recsys/shared/contract/option"
)

// Options are the settings that say how the product works, and not where it is. A person gives them by name, as
// -c sessionWeight=0.5, to cdk deploy and to infra/local alike.
type Options struct {
	Ranges
	Layout
	Shrinkage
	Partitions
	Publishing
	WhenToTrain
	HoldOut
	Training
	Search
	HandOver
	Gate
	Index
	Exporting
	Ranking
	Patience
	Requests
	Feed
	Sizes
}

// ParseOptions reads options by name, and gives those that are not there their defaults. The error names every option
// that is unknown or wrong.
func ParseOptions(given map[string]string) (Options, error) {
	var o Options
	var faults []error
	names := OptionNames()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(names, name) {
			faults = append(faults, fmt.Errorf("%s is no option: want one of %s", name, strings.Join(names, ", ")))
		}
	}
	err := option.Read(&o, func(name string) (string, bool) {
		text, ok := given[name]
		return text, ok
	})
	return o, errors.Join(append(faults, err)...)
}

// OptionNames returns the names of all Options, sorted.
func OptionNames() []string {
	var names []string
	for _, field := range option.Fields(Options{}) {
		names = append(names, field.Name)
	}
	slices.Sort(names)
	return names
}

// OptionHelp describes every option in a line of its own: name, default, text.
func OptionHelp() string {
	var lines strings.Builder
	for _, field := range option.Fields(Options{}) {
		fmt.Fprintf(&lines, "  %-22s %-9s %s\n", field.Name, field.Default, field.Text)
	}
	return lines.String()
}
