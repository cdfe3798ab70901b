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
// sessionWeight, or what the field's tag option says.
type Options struct {
	Shrinkage
	HoldOut
	Training
	HandOver
	Gate
	Index
	Ranking
	Feed
	Sizes
}

// ParseOptions reads options by name, and gives those that are not there their defaults. The error names every option
// that is unknown or wrong.
func ParseOptions(given map[string]string) (Options, error) {
	var o Options
	var faults []error
	variables := map[string]string{}
	known := optionsOf(reflect.TypeFor[Options]())
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := known[name]; !ok {
			faults = append(faults, fmt.Errorf("%s is no option: want one of %s", name, strings.Join(OptionNames(), ", ")))
			continue
		}
		variables[variableOf(known[name])] = given[name]
	}
	err := env.ParseWithOptions(&o, env.Options{Environment: variables})
	var several env.AggregateError
	switch {
	case errors.As(err, &several):
		faults = append(faults, several.Errors...)
	case err != nil:
		faults = append(faults, err)
	case len(faults) == 0:
		faults = append(faults, o.Shrinkage.Validate(), o.HoldOut.Validate(), o.Training.Validate(), o.HandOver.Validate(), o.Gate.Validate(),
			o.Index.Validate(), o.Ranking.Validate(), o.Feed.Validate(), o.Sizes.Validate())
		arrives := Environ(o)
		for _, name := range slices.Sorted(maps.Keys(given)) {
			// What is zero does not travel, so that the function's default would hold instead.
			variable, otherwise := variableOf(known[name]), known[name].Tag.Get("envDefault")
			if _, ok := arrives[variable]; !ok && otherwise != "0" && otherwise != "false" {
				faults = append(faults, fmt.Errorf("%s is %s, which stands for its default: leave it out, or give another value", name, given[name]))
			}
		}
	}
	return o, errors.Join(faults...)
}

// OptionNames are the names of all Options, sorted.
func OptionNames() []string {
	return slices.Sorted(maps.Keys(optionsOf(reflect.TypeFor[Options]())))
}

// optionsOf are the fields of a settings struct by the names of their options.
func optionsOf(settings reflect.Type) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	for i := range settings.NumField() {
		field := settings.Field(i)
		if field.Anonymous {
			maps.Copy(fields, optionsOf(field.Type))
			continue
		}
		name := field.Tag.Get("option")
		if name == "" {
			name = optionName(variableOf(field))
		}
		fields[name] = field
	}
	return fields
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
