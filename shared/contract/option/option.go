// Package option is the language in which the project declares its options: the tags of a struct's fields.
//
//	Limit int `option:"limit" default:"5" min:"1" max:"100" text:"items that a list holds"`
//
// The tags are:
//
//	option    the name, as a person types it
//	env       the environment variable. Default: the name in capitals, so sessionWeight is SESSION_WEIGHT
//	default   the value if none is given. Without this tag the option is required
//	min, max  the bounds, which belong to the range. over and under are bounds outside of it
//	oneof     the texts that are allowed, separated by spaces
//	pattern   a regular expression that a text, or each text of a list, must match
//	auto      the value that auto stands for. The struct then has a field Pinned, a struct of bools. The bool of the
//	          option's field says that a value was given in place of auto
//	text      what the option does
//
// A default of auto or none is a word for the zero value, which then means that nobody has chosen. A struct may embed
// structs of options of exported types. One that embeds none may have a method CheckTogether() error, which reports
// the faults that no option shows by itself.
//
// The package reads no environment, no file and no command line. It gets texts and returns texts.
package option

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// Field is an option and its place in a struct.
type Field struct {
	Name string
	Text string
	// Default is the text of the default, "" for a required option.
	Default  string
	Required bool

	label string // in errors: the name, or the variable where that is given
	tag   reflect.StructTag
	value reflect.Value
	// pinned is true for a given value. It belongs to options with the tag auto, and is invalid for others.
	pinned reflect.Value
}

// Fields returns the options of a struct, or of a pointer to one, in their order.
func Fields(options any) []Field {
	return fieldsOf(reflect.Indirect(reflect.ValueOf(options)))
}

func fieldsOf(options reflect.Value) (fields []Field) {
	for i := range options.NumField() {
		declared := options.Type().Field(i)
		name := declared.Tag.Get("option")
		if declared.Anonymous && name == "" {
			fields = append(fields, fieldsOf(options.Field(i))...)
		}
		if name == "" {
			continue
		}
		otherwise, optional := declared.Tag.Lookup("default")
		fields = append(fields, Field{name, declared.Tag.Get("text"), otherwise, !optional, name, declared.Tag, options.Field(i), pinnedOf(options, declared)})
	}
	return fields
}

// pinnedOf returns the bool that says whether an option with the tag auto was given.
func pinnedOf(options reflect.Value, of reflect.StructField) (pinned reflect.Value) {
	if _, auto := of.Tag.Lookup("auto"); auto {
		pinned = options.FieldByName("Pinned").FieldByName(of.Name)
	}
	return pinned
}

// Variable returns the environment variable that carries the option.
func (f Field) Variable() string {
	if variable := f.tag.Get("env"); variable != "" {
		return variable
	}
	var variable []rune
	before := 'A'
	for _, letter := range f.Name {
		if unicode.IsUpper(letter) && !unicode.IsUpper(before) {
			variable = append(variable, '_')
		}
		variable, before = append(variable, unicode.ToUpper(letter)), letter
	}
	return string(variable)
}

// Read fills a struct of options, given as a pointer. given returns the text of an option, or false for its default.
// The error joins one line for each fault.
func Read(options any, given func(name string) (string, bool)) error {
	return read(options, Field.name, given)
}

// ReadVariables is Read for texts that are given by environment variable, which the error then names.
func ReadVariables(options any, given func(variable string) (string, bool)) error {
	return read(options, Field.Variable, given)
}

func (f Field) name() string { return f.Name }

func read(options any, label func(Field) string, given func(string) (string, bool)) error {
	var faults []error
	for _, field := range Fields(options) {
		field.label = label(field)
		text, ok := given(field.label)
		switch {
		case !ok && field.Required:
			faults = append(faults, fmt.Errorf("%s is missing", field.label))
			continue
		case !ok:
			text = field.Default
		}
		faults = append(faults, field.set(strings.TrimSpace(text)))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	return together(reflect.Indirect(reflect.ValueOf(options)))
}

// Check reports every option of a struct that is out of its bounds, as Read would.
func Check(options any) error {
	var faults []error
	for _, field := range Fields(options) {
		text := field.String()
		if field.pinned.IsValid() {
			text = fmt.Sprint(field.value.Interface())
		}
		faults = append(faults, field.check(text))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	return together(reflect.Indirect(reflect.ValueOf(options)))
}

// Default returns options with their defaults. Required ones are zero.
func Default[T any]() T {
	var options T
	for _, field := range Fields(&options) {
		if field.Required {
			continue
		}
		if err := field.set(field.Default); err != nil {
			panic(fmt.Sprintf("option: the default of an option is refused: %v", err)) // a fault of the program
		}
	}
	return options
}

// together asks the structs that embed no other for the faults that no single option shows.
func together(options reflect.Value) error {
	var faults []error
	embeds := false
	for i := range options.NumField() {
		if declared := options.Type().Field(i); declared.Anonymous && declared.Tag.Get("option") == "" {
			embeds = true
			faults = append(faults, together(options.Field(i)))
		}
	}
	if checked, ok := options.Interface().(interface{ CheckTogether() error }); ok && !embeds {
		faults = append(faults, checked.CheckTogether())
	}
	return errors.Join(faults...)
}

// words are the defaults that stand for the zero value.
var words = []string{"auto", "none"}

// word returns the option's word for the zero value, or "".
func (f Field) word() string {
	if slices.Contains(words, f.Default) && !f.pinned.IsValid() {
		return f.Default
	}
	return ""
}
