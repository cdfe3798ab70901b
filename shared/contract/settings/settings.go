// Package settings holds every environment variable of every function, and every option of the product, with its default,
// its bounds and its unit. They are declared in the language of package option.
//
// A function reads its struct with Load. infra and infra/local fill in the same struct and turn it into variables with
// Environ, which writes every one of them. So the name and the default of a variable stand in one place only, and a function
// never falls back to a default that the deployment does not know. AWS's own variables (region, endpoints, credentials)
// belong to the SDK and are not repeated here.
package settings

import (
	"fmt"
	"os"

	"recsys/shared/contract/option"
)

// Load reads a settings struct from the environment. The error names every variable that is missing or wrong.
func Load[T any]() (T, error) {
	var settings T
	if err := option.ReadVariables(&settings, os.LookupEnv); err != nil {
		return settings, fmt.Errorf("reading settings from the environment: %w", err)
	}
	return settings, nil
}

// Environ is the inverse of Load: it returns the variables that give a function these settings.
func Environ(settings any) map[string]string {
	variables := map[string]string{}
	for _, field := range option.Fields(settings) {
		variables[field.Variable()] = field.String()
	}
	return variables
}

// Default returns settings with their defaults. Those that a deployment must give are empty.
func Default[T any]() T { return option.Default[T]() }
