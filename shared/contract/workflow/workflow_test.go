package workflow

import (
	"errors"
	"strings"
	"testing"
	"time"

	"recsys/shared/contract/failure"
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
		if err != nil && !errors.Is(err, failure.InvalidInput) {
			t.Errorf("%+v: %T, want InvalidInput", test.run, err)
		}
	}
}

// A clock that is ahead gives a start that would go before all runs to come.
func TestAStartInTheFutureIsRefused(t *testing.T) {
	if err := (Run{"soon", time.Now().Add(ClockTolerance - time.Minute)}).Validate(); err != nil {
		t.Errorf("clocks differ a little: %v", err)
	}
	for name, in := range map[string]interface{ Validate() error }{
		"plan": PlanInput{Run: Run{"late", time.Now().Add(48 * time.Hour)}}, "range": RangeInput{Run: Run{"late", time.Now().Add(time.Hour)}},
	} {
		err := in.Validate()
		if !errors.Is(err, failure.InvalidInput) || !strings.Contains(err.Error(), "ahead of this function's clock: set the clocks right") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckInput(t *testing.T) {
	for input, valid := range map[string]bool{
		`{}`: true, `{"stages":"all"}`: true, `{"rollback":true}`: true, `{"Comment":"from the console"}`: true,
		`{"train":true}`: true, `{"train":false,"stages":"training-data"}`: true, `{"train":true,"stages":"embeddings","rollback":false}`: true,
		`{"acceptShrunkSource":true}`: true, `{"acceptShrunkSource":true,"stages":"training-data"}`: true, `{"acceptShrunkSource":false,"rollback":true}`: true,
		`{"acceptShrunkSource":true,"stages":"embeddings"}`: false, `{"acceptShrunkSource":true,"rollback":true}`: false, `{"acceptShrunkSource":"yes"}`: false,
		`{"train":"yes"}`: false, `{"train":true,"stages":"training-data"}`: false, `{"train":false,"rollback":true}`: false,
		`{"activate":3}`: true, `{"activate":3,"Comment":"from the console"}`: true, `{"activate":0}`: false, `{"activate":"3"}`: false, `{"activate":1.5}`: false,
		`{"activate":3,"rollback":true}`: false, `{"activate":3,"stages":"all"}`: false,
		`{"rollback":"true"}`: false, `{"stages":["embeddings"]}`: false, `{"rolback":true}`: false, `{"Stages":"all"}`: false, `[]`: false, `null`: false, `"rollback"`: false, `{`: false,
	} {
		err := CheckInput([]byte(input))
		if valid != (err == nil) {
			t.Errorf("%s: %v", input, err)
		}
		if err != nil && !errors.Is(err, failure.InvalidInput) {
			t.Errorf("%s: %T, want InvalidInput", input, err)
		}
	}
}
