// Package customresource holds the common part of our CloudFormation custom resources. Each prepares a thing that
// exists, such as a database, and takes nothing away again.
//
// Promise: preparing is tried again while a database is not there yet. CloudFormation always gets an answer. The
// physical id never changes, because CloudFormation deletes a resource whose id does. Delete changes nothing.
//
// Spec: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
package customresource

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/smithy-go"

	"recsys/shared/contract/failure"
)

// Resource is one kind of resource.
type Resource struct {
	// ID is the physical id.
	ID string
	// Prepare does the work of Create and Update. A second run changes nothing. It returns the resource's attributes.
	Prepare func(context.Context) (map[string]any, error)
	// Pause between two attempts. Default 10 s: a new server's name takes a moment to be known everywhere.
	Pause time.Duration
}

const (
	attempts     = 6
	defaultPause = 10 * time.Second
	// answerTimeout bounds the answer to CloudFormation. One that fails is made again, because Lambda calls a function twice
	// more that CloudFormation called and that failed.
	answerTimeout = 10 * time.Second
)

// Handle is the Lambda function. It answers to the event's ResponseURL.
func (r Resource) Handle(ctx context.Context, event cfn.Event) (string, error) {
	http.DefaultClient.Timeout = answerTimeout // LambdaWrap takes no other client
	return cfn.LambdaWrap(r.prepare)(ctx, event)
}

func (r Resource) prepare(ctx context.Context, event cfn.Event) (string, map[string]any, error) {
	if event.RequestType == cfn.RequestDelete {
		return event.PhysicalResourceID, nil, nil
	}
	if r.Pause == 0 {
		r.Pause = defaultPause
	}
	for attempt := 1; ; attempt++ {
		attributes, err := r.Prepare(ctx)
		if err == nil {
			slog.InfoContext(ctx, "ready", "request", event.RequestType, "attempt", attempt)
			return r.ID, attributes, nil
		}
		if attempt == attempts || !isAway(err) {
			return r.ID, nil, err
		}
		slog.WarnContext(ctx, "trying again", "attempt", attempt, "error", err)
		select {
		case <-ctx.Done():
			return r.ID, nil, err
		case <-time.After(r.Pause):
		}
	}
}

// isAway tells of a database that did not answer, and of a right that was given moments ago: IAM takes some seconds to
// know it everywhere.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
func isAway(err error) bool {
	var refused smithy.APIError
	return errors.Is(err, failure.SourceUnavailable) || errors.Is(err, failure.VectorStoreUnavailable) ||
		errors.As(err, &refused) && refused.ErrorCode() == "AccessDeniedException"
}
