package step_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"recsys/shared/contract/failure"
	"recsys/shared/runtime/step"
)

type handle = func(context.Context, int) (int, error)

// within calls handle with Lambda's 15 minutes and says how it ended and when.
func within(t *testing.T, handle handle) (out int, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	began := time.Now()
	out, err = step.Named(step.Reserved(handle))(ctx, 1)
	return out, time.Since(began), err
}

func untilTheEnd(ctx context.Context, _ int) (int, error) {
	<-ctx.Done()
	return 0, failure.ObjectStoreUnavailable.Wrap(ctx.Err())
}

func TestACallEndsByNameBeforeLambdaEndsIt(t *testing.T) {
	for name, test := range map[string]struct {
		handle handle
		want   string // the name that Lambda is told; "" without an error
		took   time.Duration
	}{
		"it listens": {untilTheEnd, "OutOfTime", 15*time.Minute - 15*time.Second},
		"it is done with what it has": {func(ctx context.Context, n int) (int, error) {
			_, _ = untilTheEnd(ctx, n)
			return n, nil
		}, "", 15*time.Minute - 15*time.Second},
		"its error is permanent": {func(ctx context.Context, n int) (int, error) {
			_, err := untilTheEnd(ctx, n)
			return 0, failure.InvalidEmbeddings.Wrap(err)
		}, "InvalidEmbeddings", 15*time.Minute - 15*time.Second},
		"it does not listen": {func(context.Context, int) (int, error) {
			time.Sleep(time.Hour)
			return 1, nil
		}, "OutOfTime", 15*time.Minute - 7500*time.Millisecond},
		"it fails early": {func(context.Context, int) (int, error) {
			return 0, failure.SourceUnavailable.Wrap(context.DeadlineExceeded)
		}, "SourceUnavailable", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out, took, err := within(t, test.handle)
				told, _ := err.(messages.InvokeResponse_Error)
				if told.Type != test.want || (err == nil) != (test.want == "") || (out == 1) != (test.want == "") || took != test.took {
					t.Errorf("got %d, %#v after %v, want %q after %v", out, err, took, test.want, test.took)
				}
				if told.ShouldExit != (name == "it does not listen") {
					t.Errorf("the process ends: %t", told.ShouldExit)
				}
				time.Sleep(time.Hour) // of the bubble: by then the one that does not listen has ended, too
			})
		})
	}
}

// aws-lambda-go reports a panic by the type of its value.
func TestAPanicKeepsItsValue(t *testing.T) {
	want := errors.New("on purpose")
	defer func() {
		if got := recover(); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}()
	_, _, _ = within(t, func(context.Context, int) (int, error) { panic(want) })
}

func TestTidyingLeavesHalfOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		tidying, stop := step.Tidying(ctx)
		defer stop()
		<-tidying.Done()
		if took := time.Since(began); took != 30*time.Second || ctx.Err() != nil {
			t.Errorf("it ended after %v, %v", took, ctx.Err())
		}
	})
}
