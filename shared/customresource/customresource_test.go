package customresource

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/smithy-go"

	"recsys/shared/failure"
)

// Rights and servers that are new take a moment to be known everywhere. A real refusal ends after some attempts.
func TestPreparingIsTriedAgainWhileThePlaceIsNew(t *testing.T) {
	denied := fmt.Errorf("reading the database's secret: %w", &smithy.GenericAPIError{Code: "AccessDeniedException"})
	for name, c := range map[string]struct {
		failures int
		err      error
		calls    int
		fails    bool
	}{
		"the right is not known yet": {2, denied, 3, false},
		"the database is not there":  {3, failure.VectorStoreUnavailable{Err: errors.New("refused")}, 4, false},
		"the right is never known":   {99, denied, attempts, true},
		"another fault":              {99, errors.New("syntax error"), 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			resource := Resource{ID: "it", Pause: time.Nanosecond, Prepare: func(context.Context) (map[string]any, error) {
				if calls++; calls <= c.failures {
					return nil, c.err
				}
				return nil, nil
			}}
			id, _, err := resource.handle(t.Context(), cfn.Event{RequestType: cfn.RequestCreate})
			if id != "it" || calls != c.calls || (err != nil) != c.fails {
				t.Errorf("%d calls, %v", calls, err)
			}
		})
	}
}
