package failure

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
)

// aws-lambda-go reports the outermost type's name: that is what Named must make right.
func TestNamedBringsTheNameOutside(t *testing.T) {
	plain := errors.New("disk on fire")
	for _, test := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("reading range 7: %w", SourceUnavailable{plain}), "SourceUnavailable"},
		{fmt.Errorf("loading: %w", fmt.Errorf("items: %w", InvalidEmbeddings{plain})), "InvalidEmbeddings"},
		{InvalidInput{VectorStoreUnavailable{plain}}, "InvalidInput"},
		{ObjectStoreUnavailable{plain}, "ObjectStoreUnavailable"},
		{fmt.Errorf("publishing: %w", CatalogUnavailable{plain}), "CatalogUnavailable"},
		{OutOfTime{ObjectStoreUnavailable{plain}}, "OutOfTime"},
		{plain, "errorString"},
		{errors.Join(plain, SourceShrank{plain}, InvalidInput{plain}), "SourceShrank"},
		{fmt.Errorf("two faults: %w and %w", plain, fmt.Errorf("inner: %w", SchemaMismatch{plain})), "SchemaMismatch"},
	} {
		handle := Named(func(context.Context, int) (int, error) { return 1, test.err })
		_, err := handle(t.Context(), 0)
		kind := reflect.TypeOf(err)
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		if kind.Name() != test.want {
			t.Errorf("%v: named %s, want %s", test.err, kind.Name(), test.want)
		}
		if err.Error() != test.err.Error() {
			t.Errorf("text %q, want %q", err, test.err)
		}
		if !errors.Is(err, plain) {
			t.Errorf("%v: the cause is lost", err)
		}
	}
}

func TestOnlyPermanentErrorsArePermanent(t *testing.T) {
	plain := errors.New("disk on fire")
	for err, want := range map[error]bool{
		nil: false, plain: false, OutOfTime{plain}: false, SourceUnavailable{InvalidInput{plain}}: false,
		fmt.Errorf("loading: %w", InvalidEmbeddings{plain}): true, RecallTooLow{plain}: true,
	} {
		if got := IsPermanent(err); got != want {
			t.Errorf("%T %v: %t, want %t", err, err, got, want)
		}
	}
}

func TestNamedPassesSuccess(t *testing.T) {
	handle := Named(func(_ context.Context, in int) (int, error) { return in + 1, nil })
	if out, err := handle(t.Context(), 1); out != 2 || err != nil {
		t.Errorf("got %d, %v", out, err)
	}
}
