package option

import (
	"cmp"
	"encoding"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// String returns the value as Read takes it.
func (f Field) String() string {
	if value := fmt.Sprint(f.value.Interface()); f.pinned.IsValid() && !f.pinned.Bool() && value == f.tag.Get("auto") {
		return "auto"
	}
	if f.word() != "" && f.value.IsZero() {
		return f.word()
	}
	if f.value.Kind() == reflect.Slice {
		return strings.Join(f.value.Interface().([]string), ",")
	}
	return fmt.Sprint(f.value.Interface())
}

// set parses a text and holds it to the option's bounds.
func (f Field) set(text string) error {
	if text == f.word() && text != "" {
		f.value.SetZero()
		return nil
	}
	if f.pinned.IsValid() {
		f.pinned.SetBool(text != "auto")
		if text == "auto" {
			text = f.tag.Get("auto")
		}
	}
	if f.value.CanAddr() {
		if parser, ok := f.value.Addr().Interface().(encoding.TextUnmarshaler); ok {
			if err := parser.UnmarshalText([]byte(text)); err != nil {
				return fmt.Errorf("%s is %q: %w", f.label, text, err)
			}
			return nil
		}
	}
	if err := f.parse(text); err != nil {
		return fmt.Errorf("%s is %q: want %s", f.label, text, f.wanted())
	}
	return f.check(text)
}

// parse turns a text into the option's type.
func (f Field) parse(text string) error {
	if f.value.Type() == reflect.TypeFor[time.Duration]() {
		parsed, err := time.ParseDuration(text)
		f.value.SetInt(int64(parsed))
		return err
	}
	switch f.value.Kind() {
	case reflect.String:
		f.value.SetString(text)
	case reflect.Slice:
		list := strings.Split(text, ",")
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		f.value.Set(reflect.ValueOf(list))
	case reflect.Bool:
		parsed, err := strconv.ParseBool(text)
		f.value.SetBool(parsed)
		return err
	case reflect.Int, reflect.Int64:
		parsed, err := strconv.ParseInt(text, 10, 64)
		f.value.SetInt(parsed)
		return err
	case reflect.Uint64:
		parsed, err := strconv.ParseUint(text, 10, 64)
		f.value.SetUint(parsed)
		return err
	case reflect.Float64:
		parsed, err := strconv.ParseFloat(text, 64)
		f.value.SetFloat(parsed)
		return err
	default:
		panic(fmt.Sprintf("option: %s has the type %s, which the package does not know", f.Name, f.value.Type()))
	}
	return nil
}

// check holds the value to the option's bounds. text is the value as it was given.
func (f Field) check(text string) error {
	if text == f.word() && text != "" {
		return nil
	}
	if allowed := f.allowed(); allowed != nil && !slices.Contains(allowed, text) {
		return fmt.Errorf("%s is %q: want %s", f.label, text, f.wanted())
	}
	switch f.value.Kind() {
	case reflect.String:
		return f.checkText(text)
	case reflect.Slice:
		for _, one := range f.value.Interface().([]string) {
			if err := f.checkText(one); err != nil {
				return err
			}
		}
	case reflect.Int, reflect.Int64:
		return f.checkNumber(text, float64(f.value.Int()))
	case reflect.Float64:
		return f.checkNumber(text, f.value.Float())
	}
	return nil
}

func (f Field) checkText(text string) error {
	pattern := f.tag.Get("pattern")
	switch {
	case f.Required && text == "":
		return fmt.Errorf("%s is missing", f.label)
	case pattern != "" && !regexp.MustCompile(pattern).MatchString(text):
		return fmt.Errorf("%s is %q: want %s", f.label, text, f.wanted())
	}
	return nil
}

func (f Field) checkNumber(text string, value float64) error {
	within := !math.IsNaN(value) && !math.IsInf(value, 0)
	for tag, holds := range map[string]func(bound float64) bool{
		"min": func(bound float64) bool { return value >= bound }, "max": func(bound float64) bool { return value <= bound },
		"over": func(bound float64) bool { return value > bound }, "under": func(bound float64) bool { return value < bound },
	} {
		if bound, set := f.tag.Lookup(tag); set && !holds(f.number(bound)) {
			within = false
		}
	}
	if within {
		return nil
	}
	return fmt.Errorf("%s is %s: want %s", f.label, text, cmp.Or(f.bounds(), "a finite number"))
}

// number returns a bound of the option: a number, or a duration in nanoseconds.
func (f Field) number(bound string) float64 {
	if f.value.Type() == reflect.TypeFor[time.Duration]() {
		parsed, err := time.ParseDuration(bound)
		if err != nil {
			panic(fmt.Sprintf("option: the bound %q of %s is no duration", bound, f.Name))
		}
		return float64(parsed)
	}
	parsed, err := strconv.ParseFloat(bound, 64)
	if err != nil {
		panic(fmt.Sprintf("option: the bound %q of %s is no number", bound, f.Name))
	}
	return parsed
}

// wanted says in words which values the option takes.
func (f Field) wanted() string {
	if allowed := f.allowed(); allowed != nil {
		return "one of " + strings.Join(allowed, ", ")
	}
	if f.value.Type() == reflect.TypeFor[time.Duration]() {
		return strings.TrimSpace("a time such as 90m " + f.bounds())
	}
	switch f.value.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return strings.TrimSpace("a whole number " + f.bounds())
	case reflect.Uint64:
		return "a whole number, 0 or more"
	case reflect.Float64:
		return strings.TrimSpace("a number " + f.bounds())
	}
	return f.tag.Get("pattern")
}

// allowed returns the texts of the tag oneof, or nil for any.
func (f Field) allowed() []string {
	if allowed, set := f.tag.Lookup("oneof"); set {
		return strings.Fields(allowed)
	}
	return nil
}

// bounds says in words which numbers the option takes, such as "1 to 100". It is "" without a bound.
func (f Field) bounds() string {
	low, high := f.tag.Get("min"), f.tag.Get("max")
	if low != "" && high != "" {
		return low + " to " + high
	}
	var words []string
	for _, bound := range [][2]string{{"min", "at least"}, {"over", "more than"}, {"max", "at most"}, {"under", "less than"}} {
		if number := f.tag.Get(bound[0]); number != "" {
			words = append(words, bound[1]+" "+number)
		}
	}
	return strings.Join(words, ", ")
}
