package step_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"recsys/shared/contract/failure"
	"recsys/shared/runtime/step"
)

// aws-lambda-go reports the type of the outermost error, or what a messages.InvokeResponse_Error says.
func TestLambdaIsToldTheNameAndTheWholeText(t *testing.T) {
	cause := errors.New("disk on fire")
	err := fmt.Errorf("range 7: %w", errors.Join(cause, failure.SchemaMismatch.Errorf("reading ratings: %w", cause)))
	_, told := step.Named(func(context.Context, int) (int, error) { return 1, err })(t.Context(), 0)
	if got, ok := told.(messages.InvokeResponse_Error); !ok || got.Type != "SchemaMismatch" || got.Message != err.Error() || got.ShouldExit {
		t.Errorf("told %#v", told)
	}
	if _, told := step.Named(func(context.Context, int) (int, error) { return 1, cause })(t.Context(), 0); told != cause {
		t.Errorf("an error without a name: %#v", told)
	}
	if out, told := step.Named(func(_ context.Context, in int) (int, error) { return in + 1, nil })(t.Context(), 1); out != 2 || told != nil {
		t.Errorf("success: %d, %v", out, told)
	}
}
