// Package failure holds the errors that have names: the state machine's Retry and Catch match on them, and people look
// them up.
//
// Kinds is the one list. The state machine's list of errors without a retry and the README's table are compared with it.
// Inside a step, code wraps freely with %w. The edge of the function (package step) gives Lambda the name of the first
// Error in the chain.
package failure

import (
	"errors"
	"fmt"
	"slices"
)

// Kind names an error. It is an error itself, so that errors.Is(err, failure.InvalidInput) asks for it.
type Kind string

// The kinds that are permanent: another attempt with the same input cannot help, so the state machine makes none.
const (
	InvalidInput        Kind = "InvalidInput"
	SchemaMismatch      Kind = "SchemaMismatch"
	TooManyRejectedRows Kind = "TooManyRejectedRows"
	SourceShrank        Kind = "SourceShrank"
	InvalidEmbeddings   Kind = "InvalidEmbeddings"
	RecallTooLow        Kind = "RecallTooLow"
)

// The kinds that may pass: the state machine tries again, with backoff.
const (
	SourceUnavailable      Kind = "SourceUnavailable"
	VectorStoreUnavailable Kind = "VectorStoreUnavailable"
	ObjectStoreUnavailable Kind = "ObjectStoreUnavailable"
	CatalogUnavailable     Kind = "CatalogUnavailable"
	OutOfTime              Kind = "OutOfTime"
	HandOverUnderway       Kind = "HandOverUnderway"
	Overtaken              Kind = "Overtaken"
)

// Kinds lists every kind, with the words of the README's table.
var Kinds = []struct {
	Kind      Kind
	Permanent bool
	Meaning   string
	Remedy    string
}{
	{InvalidInput, true, "the execution's input is wrong, or there is no version to roll back to", "see the message"},
	{SchemaMismatch, true, "a table, column, right or function is missing or of another type, or a view is broken", "do as the message says"},
	{TooManyRejectedRows, true, "more than 1 % of the rows broke the contract; the message counts them by reason", "look at `runs/<run>/quarantine/`"},
	{SourceShrank, true, "the source has far fewer ratings, customers or products than the active snapshot",
		"look at the source, or start a run with `{\"acceptShrunkSource\":true}`"},
	{InvalidEmbeddings, true, "the hand-over has wrong lines, or its model cannot be read; the active version stays", "mend the named file and hand over again"},
	{RecallTooLow, true, "no `ef_search` reaches the recall target", "raise `hnswM` and `hnswEfConstruction`, or lower `recallTarget`"},

	{SourceUnavailable, false, "the shop's MySQL did not answer, or broke off", "see that it runs and lets the functions in"},
	{VectorStoreUnavailable, false, "PostgreSQL did not answer, or broke off", "see that it runs and lets the functions in"},
	{ObjectStoreUnavailable, false, "S3 did not answer, or broke off", "see the message"},
	{CatalogUnavailable, false, "Glue did not answer, or refused", "see the message"},
	{OutOfTime, false, "the function's time ended before its work did; the next attempt finds the work that is stored", "wait"},
	{HandOverUnderway, false, "the artifacts changed while they were copied; the next attempt takes the new ones", "wait"},
	{Overtaken, false, "another attempt of the run has changed the version; the next attempt takes what is there then", "wait"},
}

// Error is a named error. Its text is the cause's.
type Error struct {
	Kind Kind
	Err  error
}

func (e Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e Error) Unwrap() error { return e.Err }

// Is reports whether the error is of a kind.
func (e Error) Is(target error) bool { return target == e.Kind }

// Error returns the name.
func (k Kind) Error() string { return string(k) }

// Wrap gives an error the name.
func (k Kind) Wrap(err error) error { return Error{k, err} }

// Errorf returns an error of that name with a formatted text.
func (k Kind) Errorf(format string, args ...any) error { return Error{k, fmt.Errorf(format, args...)} }

// Invalidf returns an InvalidInput with a formatted text.
func Invalidf(format string, args ...any) error { return InvalidInput.Errorf(format, args...) }

// KindOf returns the kind of the first named error in the chain, from the outside. It enters joined errors in their
// order. An error without a name is "", and the state machine retries it.
func KindOf(err error) Kind {
	var named Error
	if errors.As(err, &named) {
		return named.Kind
	}
	return ""
}

// Permanent returns the names that the state machine must not retry.
func Permanent() []string {
	var names []string
	for _, row := range Kinds {
		if row.Permanent {
			names = append(names, string(row.Kind))
		}
	}
	return names
}

// IsPermanent reports an error whose name the state machine does not retry.
func IsPermanent(err error) bool { return slices.Contains(Permanent(), string(KindOf(err))) }
