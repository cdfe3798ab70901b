package customresource

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"

	"recsys/shared/contract/failure"
)

// bucket stands for the place that CloudFormation reads answers from.
type bucket struct {
	answer   cfn.Response
	deadline time.Time
}

func (b *bucket) RoundTrip(r *http.Request) (*http.Response, error) {
	b.deadline, _ = r.Context().Deadline()
	if err := json.NewDecoder(r.Body).Decode(&b.answer); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

func TestCloudFormationHearsInBoundedTime(t *testing.T) {
	before := *http.DefaultClient
	defer func() { *http.DefaultClient = before }()
	away := failure.VectorStoreUnavailable.Wrap(errors.New("no database yet"))
	for name, test := range map[string]struct {
		failures int
		err      error
		want     cfn.StatusType
	}{
		"it is ready":           {0, nil, cfn.StatusSuccess},
		"it is there later":     {attempts - 1, away, cfn.StatusSuccess},
		"it never comes":        {attempts, away, cfn.StatusFailed},
		"it is of another kind": {1, errors.New("permission denied"), cfn.StatusFailed},
	} {
		t.Run(name, func(t *testing.T) {
			var heard bucket
			tries := 0
			resource := Resource{ID: "ours", Pause: time.Nanosecond, Prepare: func(context.Context) (map[string]any, error) {
				if tries++; tries <= test.failures {
					return nil, test.err
				}
				return nil, nil
			}}
			http.DefaultClient.Transport = &heard
			began := time.Now()
			if _, err := resource.Handle(t.Context(), cfn.Event{RequestType: cfn.RequestCreate, ResponseURL: "https://answers.example"}); err != nil {
				t.Fatal(err)
			}
			if heard.answer.Status != test.want || heard.answer.PhysicalResourceID != "ours" {
				t.Errorf("heard %+v", heard.answer)
			}
			if heard.deadline.IsZero() || heard.deadline.After(began.Add(time.Minute)) {
				t.Errorf("the answer may take until %v", heard.deadline)
			}
		})
	}
}
