package workflow

import (
	"errors"
	"strings"
	"testing"
	"time"

	"recsys/shared/failure"
)

func TestValidate(t *testing.T) {
	now := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		run   Run
		valid bool
	}{
		{Run{"nightly-2026_11", now}, true},
		{Run{strings.Repeat("x", 80), now}, true},
		{Run{strings.Repeat("x", 81), now}, false},
		{Run{"", now}, false},
		{Run{"../etc", now}, false},
		{Run{"a/b", now}, false},
		{Run{"nightly", time.Time{}}, false},
	} {
		err := test.run.Validate()
		if test.valid != (err == nil) {
			t.Errorf("%+v: %v", test.run, err)
		}
		if err != nil && !errors.As(err, new(failure.InvalidInput)) {
			t.Errorf("%+v: %T, want InvalidInput", test.run, err)
		}
	}
}

func TestCheckInput(t *testing.T) {
	for input, valid := range map[string]bool{
		`{}`: true, `{"stages":"all"}`: true, `{"rollback":true}`: true, `{"Comment":"from the console"}`: true,
		`{"train":true}`: true, `{"train":false,"stages":"training-data"}`: true, `{"train":true,"stages":"embeddings","rollback":false}`: true,
		`{"train":"yes"}`: false, `{"train":true,"stages":"training-data"}`: false, `{"train":false,"rollback":true}`: false,
		`{"rollback":"true"}`: false, `{"stages":["embeddings"]}`: false, `{"rolback":true}`: false, `{"Stages":"all"}`: false, `[]`: false, `null`: false, `"rollback"`: false, `{`: false,
	} {
		err := CheckInput([]byte(input))
		if valid != (err == nil) {
			t.Errorf("%s: %v", input, err)
		}
		if err != nil && !errors.As(err, new(failure.InvalidInput)) {
			t.Errorf("%s: %T, want InvalidInput", input, err)
		}
	}
}
