package settings

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/caarlos0/env/v11"
)

// Options are the settings that say how something is learned, judged or recommended, and not where it is. A person gives
// them by name, as -c sessionWeight=0.5, to cdk deploy and to infra/local alike: the name of SESSION_WEIGHT is
// sessionWeight. The zero value means the functions' defaults.
type Options struct {
	HoldOut
	Training
	HandOver
	Gate
	Index
	Ranking
}

// ParseOptions reads options by name, and gives those that are not there their defaults. The error names every option
// that is unknown or wrong.
func ParseOptions(given map[string]string) (Options, error) {
	var o Options
	var faults []error
	variables := map[string]string{}
	known := variablesOf(reflect.TypeFor[Options]())
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if known[name] == "" {
			faults = append(faults, fmt.Errorf("%s is no option: want one of %s", name, strings.Join(OptionNames(), ", ")))
			continue
		}
		variables[known[name]] = given[name]
	}
	err := env.ParseWithOptions(&o, env.Options{Environment: variables})
	var several env.AggregateError
	switch {
	case errors.As(err, &several):
		faults = append(faults, several.Errors...)
	case err != nil:
		faults = append(faults, err)
	case len(faults) == 0:
		faults = append(faults, o.HoldOut.Validate(), o.Training.Validate(), o.HandOver.Validate(), o.Gate.Validate(),
			o.Index.Validate(), o.Ranking.Validate())
	}
	return o, errors.Join(faults...)
}

// OptionNames are the names of all Options, sorted.
func OptionNames() []string {
	return slices.Sorted(maps.Keys(variablesOf(reflect.TypeFor[Options]())))
}

// variablesOf are the variables of a settings struct by the names of their options.
func variablesOf(settings reflect.Type) map[string]string {
	variables := map[string]string{}
	for i := range settings.NumField() {
		field := settings.Field(i)
		if field.Anonymous {
			maps.Copy(variables, variablesOf(field.Type))
			continue
		}
		variable, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		variables[optionName(variable)] = variable
	}
	return variables
}

// optionName is SESSION_WEIGHT as sessionWeight.
func optionName(variable string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(strings.ToLower(variable), "_") {
		first := []rune(word)
		if name.Len() > 0 {
			first[0] = unicode.ToUpper(first[0])
		}
		name.WriteString(string(first))
	}
	return name.String()
}
