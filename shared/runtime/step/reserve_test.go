package step_test

import (
	"context"
	"errors"
	"reflect"
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
	out, err = failure.Named(step.Reserved(handle))(ctx, 1)
	return out, time.Since(began), err
}

func untilTheEnd(ctx context.Context, _ int) (int, error) {
	<-ctx.Done()
	return 0, failure.ObjectStoreUnavailable{Err: ctx.Err()}
}

func TestACallEndsByNameBeforeLambdaEndsIt(t *testing.T) {
	for name, test := range map[string]struct {
		handle handle
		want   error
		took   time.Duration
	}{
		"it listens": {untilTheEnd, failure.OutOfTime{}, 15*time.Minute - 15*time.Second},
		"it is done with what it has": {func(ctx context.Context, n int) (int, error) {
			_, _ = untilTheEnd(ctx, n)
			return n, nil
		}, nil, 15*time.Minute - 15*time.Second},
		"its error is permanent": {func(ctx context.Context, n int) (int, error) {
			_, err := untilTheEnd(ctx, n)
			return 0, failure.InvalidEmbeddings{Err: err}
		}, failure.InvalidEmbeddings{}, 15*time.Minute - 15*time.Second},
		"it does not listen": {func(context.Context, int) (int, error) {
			time.Sleep(time.Hour)
			return 1, nil
		}, messages.InvokeResponse_Error{}, 15*time.Minute - 7500*time.Millisecond},
		"it fails early": {func(context.Context, int) (int, error) {
			return 0, failure.SourceUnavailable{Err: context.DeadlineExceeded}
		}, failure.SourceUnavailable{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out, took, err := within(t, test.handle)
				if reflect.TypeOf(err) != reflect.TypeOf(test.want) || (out == 1) != (test.want == nil) || took != test.took {
					t.Errorf("got %d, %T %v after %v, want %T after %v", out, err, err, took, test.want, test.took)
				}
				if told, ok := err.(messages.InvokeResponse_Error); ok && (told.Type != "OutOfTime" || !told.ShouldExit) {
					t.Errorf("Lambda is told %+v", told)
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
