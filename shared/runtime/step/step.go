// Package step is the edge of every function: the logger, the metrics, the names of errors, the reserve of time for
// the answer, and the Lambda runtime.
//
// Logs go to stdout through lambdacontext's handler, which adds the request's id to everything logged with a
// …Context call. It writes JSON where AWS_LAMBDA_LOG_FORMAT is JSON at the start of the process: infra and
// infra/local set that.
package step

import (
	"context"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"recsys/shared/contract/failure"
	"recsys/shared/runtime/metrics"
)

// Run starts a function: wire reads its settings and opens its clients, and the handler that it returns gets the events.
// Run does not return. A function that cannot be wired ends with 1.
func Run[In, Out any, Handler interface {
	Handle(ctx context.Context, in In) (Out, error)
}](wire func(context.Context) (Handler, error)) {
	handler, err := wire(context.Background())
	if err != nil {
		Fatal(err)
	}
	Start(handler.Handle)
}

// Start hands the process to the Lambda runtime and does not return. Errors of handle leave under their names of
// package failure.
func Start[In, Out any](handle func(context.Context, In) (Out, error)) {
	slog.SetDefault(lambdacontext.NewLogger())
	limitMemory()
	lambda.Start(Named(Measured(os.Stdout, Reserved(handle))))
}

// Named wraps a handler so that Lambda reports an error by its kind of package failure, with the whole chain's text.
// aws-lambda-go would report the outermost Go type, which matches nothing. An error without a kind passes as it is, and
// the state machine retries it.
func Named[In, Out any](handle func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (Out, error) {
		out, err := handle(ctx, in)
		if kind := failure.KindOf(err); kind != "" {
			return out, messages.InvokeResponse_Error{Type: string(kind), Message: err.Error()}
		}
		return out, err
	}
}

// heapPercent of a function's memory is the Go runtime's. The rest is for memory that it does not count, such as the
// binary.
const heapPercent = 90

// limitMemory tells the garbage collector how much memory there is. Lambda kills a process that takes more. Without a
// limit the heap grows to twice its live size before a collection.
func limitMemory() {
	if mib := int64(lambdacontext.MemoryLimitInMB); mib > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(mib << 20 * heapPercent / 100)
	}
}

// Measured writes, after each call that succeeds, a line of metrics: those that handle collected, and its seconds.
func Measured[In, Out any](w io.Writer, handle func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (Out, error) {
		ctx, collection := metrics.Collect(ctx)
		began := time.Now()
		out, err := handle(ctx, in)
		if err != nil {
			return out, err
		}
		metrics.Time(ctx, metrics.Seconds, time.Since(began))
		if err := collection.Write(w, lambdacontext.FunctionName, time.Now()); err != nil {
			slog.WarnContext(ctx, "no metrics", "error", err)
		}
		return out, nil
	}
}

// Fatal ends a function that could not be wired: logs why and exits with 1, which Lambda reports as
// Runtime.ExitError and the state machine retries.
func Fatal(err error) {
	slog.New(lambdacontext.NewLogHandler()).ErrorContext(context.Background(), "the function cannot start", "error", err)
	os.Exit(1)
}
