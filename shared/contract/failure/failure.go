// Package failure holds the errors that have names: the state machine's Retry and Catch match on them.
//
// aws-lambda-go reports the name of the outermost Go type of the returned error, so a wrapped error would
// arrive as "wrapError" and match nothing. Code inside a step wraps freely with %w; Named, around the
// handler, brings the named error in the chain to the outside again.
package failure

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// The permanent errors: trying again with the same input cannot help, so the state machine does not.
type (
	// InvalidInput: the execution's input or a step's payload is not of the contract.
	InvalidInput struct{ Err error }
	// SchemaMismatch: a table, a column, a view or a right of the source is missing, or of no use for this.
	SchemaMismatch struct{ Err error }
	// TooManyRejectedRows: more rows broke the contract of a training row than the run tolerates.
	TooManyRejectedRows struct{ Err error }
	// SourceShrank: the source has far fewer ratings, customers or products than the active snapshot was made of.
	SourceShrank struct{ Err error }
	// InvalidEmbeddings: the artifacts that were handed over cannot become a version.
	InvalidEmbeddings struct{ Err error }
	// RecallTooLow: no setting of the index reaches the recall that was asked for.
	RecallTooLow struct{ Err error }
)

// The transient errors: the state machine tries again, with backoff.
type (
	// SourceUnavailable: the shop's MySQL did not answer, or broke off.
	SourceUnavailable struct{ Err error }
	// VectorStoreUnavailable: PostgreSQL did not answer, or broke off.
	VectorStoreUnavailable struct{ Err error }
	// ObjectStoreUnavailable: S3 did not answer, or broke off.
	ObjectStoreUnavailable struct{ Err error }
	// CatalogUnavailable: Glue did not answer, or refused.
	CatalogUnavailable struct{ Err error }
	// OutOfTime: the function's time ended before its work did. What the attempt has stored is found by the next one.
	OutOfTime struct{ Err error }
)

// Permanent lists the names that the state machine must not retry.
var Permanent = []string{"InvalidInput", "SchemaMismatch", "TooManyRejectedRows", "SourceShrank", "InvalidEmbeddings", "RecallTooLow"}

func (e InvalidInput) Error() string           { return e.Err.Error() }
func (e SchemaMismatch) Error() string         { return e.Err.Error() }
func (e TooManyRejectedRows) Error() string    { return e.Err.Error() }
func (e SourceShrank) Error() string           { return e.Err.Error() }
func (e InvalidEmbeddings) Error() string      { return e.Err.Error() }
func (e RecallTooLow) Error() string           { return e.Err.Error() }
func (e SourceUnavailable) Error() string      { return e.Err.Error() }
func (e VectorStoreUnavailable) Error() string { return e.Err.Error() }
func (e ObjectStoreUnavailable) Error() string { return e.Err.Error() }
func (e CatalogUnavailable) Error() string     { return e.Err.Error() }
func (e OutOfTime) Error() string              { return e.Err.Error() }

func (e InvalidInput) Unwrap() error           { return e.Err }
func (e SchemaMismatch) Unwrap() error         { return e.Err }
func (e TooManyRejectedRows) Unwrap() error    { return e.Err }
func (e SourceShrank) Unwrap() error           { return e.Err }
func (e InvalidEmbeddings) Unwrap() error      { return e.Err }
func (e RecallTooLow) Unwrap() error           { return e.Err }
func (e SourceUnavailable) Unwrap() error      { return e.Err }
func (e VectorStoreUnavailable) Unwrap() error { return e.Err }
func (e ObjectStoreUnavailable) Unwrap() error { return e.Err }
func (e CatalogUnavailable) Unwrap() error     { return e.Err }
func (e OutOfTime) Unwrap() error              { return e.Err }

// Named wraps a handler so that the named error nearest to the outside of the chain becomes the outermost
// type, with the whole chain's text. An error without a name passes as it is; the state machine retries it.
func Named[In, Out any](handle func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (Out, error) {
		out, err := handle(ctx, in)
		return out, outermost(err)
	}
}

func outermost(err error) error {
	if name := nameOf(err); name != nil {
		return name(err)
	}
	return err
}

// nameOf returns a wrapper of the first named error's type, or nil if no error of the chain has a name. It enters joined
// errors in their order, as errors.As does.
func nameOf(err error) func(error) error {
	switch inner := err.(type) {
	case nil:
		return nil
	case InvalidInput:
		return func(err error) error { return InvalidInput{err} }
	case SchemaMismatch:
		return func(err error) error { return SchemaMismatch{err} }
	case TooManyRejectedRows:
		return func(err error) error { return TooManyRejectedRows{err} }
	case SourceShrank:
		return func(err error) error { return SourceShrank{err} }
	case InvalidEmbeddings:
		return func(err error) error { return InvalidEmbeddings{err} }
	case RecallTooLow:
		return func(err error) error { return RecallTooLow{err} }
	case SourceUnavailable:
		return func(err error) error { return SourceUnavailable{err} }
	case VectorStoreUnavailable:
		return func(err error) error { return VectorStoreUnavailable{err} }
	case ObjectStoreUnavailable:
		return func(err error) error { return ObjectStoreUnavailable{err} }
	case CatalogUnavailable:
		return func(err error) error { return CatalogUnavailable{err} }
	case OutOfTime:
		return func(err error) error { return OutOfTime{err} }
	case interface{ Unwrap() []error }:
		for _, joined := range inner.Unwrap() {
			if name := nameOf(joined); name != nil {
				return name
			}
		}
		return nil
	}
	return nameOf(errors.Unwrap(err))
}

// IsPermanent reports an error whose name the state machine does not retry.
func IsPermanent(err error) bool {
	return err != nil && slices.Contains(Permanent, reflect.TypeOf(outermost(err)).Name())
}

// Invalidf is short for an InvalidInput with a formatted text.
func Invalidf(format string, args ...any) error {
	return InvalidInput{fmt.Errorf(format, args...)}
}
