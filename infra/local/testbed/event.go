package testbed

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Event reads event.json, the example of a function's input beside its test. Fields that the input has not are faults.
func Event[Input any](tb testing.TB) (in Input) {
	tb.Helper()
	file, err := os.Open("event.json")
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		tb.Fatal("event.json: ", err)
	}
	return in
}

// Wire wants wire to be content with an environment, and to name each variable that is given a wrong value, as the
// variable or as the option.
func Wire(t *testing.T, environment, wrong map[string]string, wire func() error) {
	t.Helper()
	for name, value := range environment {
		t.Setenv(name, value)
	}
	t.Setenv("AWS_REGION", "eu-central-1")
	if err := wire(); err != nil {
		t.Fatal(err)
	}
	for name, value := range wrong {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if err := wire(); err == nil || !strings.Contains(spelled(err.Error()), spelled(name)) {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		})
	}
}

// spelled takes away the differences between an option and its variable.
func spelled(text string) string { return strings.ToLower(strings.ReplaceAll(text, "_", "")) }
