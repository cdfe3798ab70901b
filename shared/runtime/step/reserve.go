package step

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"recsys/shared/contract/failure"
)

// reservePart is the part of a call's time that is kept for saying how it ended: 15 s of 15 minutes, and a second of the
// minute that recommend has.
const reservePart = 60

// Reserved ends the context of handle before Lambda ends the process. The call then fails under the name OutOfTime or
// returns a part. A handle that does not listen is left at half of the reserve. The call fails under that name and
// the process exits, because a later call must not meet the work of this one.
func Reserved[In, Out any](handle func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (Out, error) {
		deadline, bounded := ctx.Deadline()
		if !bounded {
			return handle(ctx, in)
		}
		reserve := time.Until(deadline) / reservePart
		within, cancel := context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancel()
		last := time.NewTimer(time.Until(deadline.Add(-reserve / 2)))
		defer last.Stop()
		done := make(chan result[Out], 1)
		go func() { done <- try(within, in, handle) }()
		select {
		case r := <-done:
			if r.panicked != nil {
				panic(r.panicked) // aws-lambda-go reports it by its name
			}
			return r.out, outOfTime(within, r.err)
		case <-last.C:
			var none Out
			return none, messages.InvokeResponse_Error{
				Type: "OutOfTime", Message: "the call did not end when its time did: the process is ended", ShouldExit: true,
			}
		}
	}
}

type result[Out any] struct {
	out      Out
	err      error
	panicked any
}

// try calls handle and keeps a panic, which would end the process before Lambda hears of it.
func try[In, Out any](ctx context.Context, in In, handle func(context.Context, In) (Out, error)) (r result[Out]) {
	defer func() {
		if r.panicked = recover(); r.panicked != nil {
			slog.ErrorContext(ctx, "the function panicked", "panic", fmt.Sprint(r.panicked), "stack", string(debug.Stack()))
		}
	}()
	r.out, r.err = handle(ctx, in)
	return r
}

// outOfTime names an error that came after the call's time had ended. A permanent error keeps its name.
func outOfTime(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || failure.IsPermanent(err) {
		return err
	}
	return failure.OutOfTime.Errorf("the call's time ended: %w", err)
}

// Tidying returns a context for work that the next run can do as well. It ends at half of the call's remaining time,
// so that tidying up never fails the work before it.
func Tidying(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/2)
}
