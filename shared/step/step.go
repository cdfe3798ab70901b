// Package step is the edge of every function: the logger, the names of errors, and the Lambda runtime.
//
// Logs go to stdout through lambdacontext's handler, which adds the request's id to everything logged with a
// …Context call. It writes JSON where AWS_LAMBDA_LOG_FORMAT is JSON at the start of the process: infra and
// infra/local set that.
package step

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"recsys/shared/failure"
)

// Start hands the process to the Lambda runtime; it does not return. Errors of handle leave under their
// names of package failure.
func Start[In, Out any](handle func(context.Context, In) (Out, error)) {
	slog.SetDefault(lambdacontext.NewLogger())
	lambda.Start(failure.Named(handle))
}

// Fatal ends a function that could not be wired: logs why and exits with 1, which Lambda reports as
// Runtime.ExitError and the state machine retries.
func Fatal(err error) {
	slog.New(lambdacontext.NewLogHandler()).ErrorContext(context.Background(), "the function cannot start", "error", err)
	os.Exit(1)
}
