// Package awsjson serves the AWS JSON protocols 1.1 and 1.0: POST, the operation in X-Amz-Target, JSON in and out.
//
// Spec: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
package awsjson

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"recsys/infra/local/aws/awscall"
)

// Service answers the requests of one AWS service.
type Service struct {
	Name       string // as IAM spells it: "firehose"
	Target     string // the part of X-Amz-Target before the dot: "Firehose_20150804"
	Version    string // of the protocol, default "1.1"
	MaxBytes   int64  // of a request
	Operations map[string]Operation
	Hooks      *awscall.Point
}

// Operation is one operation of a service. Do makes it.
type Operation struct {
	changes bool
	decode  func(body []byte) (resource string, carryOut func(context.Context) (any, error), err error)
}

// Input is a request's body. Resource names its subject, as awscall.Call has it.
type Input interface{ Resource() string }

// Do makes an operation of a function. changes tells the hooks if it changes something.
func Do[In Input, Out any](changes bool, do func(context.Context, In) (Out, error)) Operation {
	return Operation{changes, func(body []byte) (string, func(context.Context) (any, error), error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return "", nil, err
		}
		return in.Resource(), func(ctx context.Context) (any, error) { return do(ctx, in) }, nil
	}}
}

// Error is an error with the name that the SDKs make a type of.
type Error struct {
	Status  int    // of the HTTP answer
	Code    string // "ResourceNotFoundException"
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf is short for an Error with status 400.
func Errorf(code, format string, args ...any) error {
	return &Error{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-"+cmp.Or(s.Version, "1.1"))
	name, known := strings.CutPrefix(r.Header.Get("X-Amz-Target"), s.Target+".")
	operation, implemented := s.Operations[name]
	if r.Method != http.MethodPost || !known || !implemented {
		refuse(w, r, Errorf("UnknownOperationException", "the local %s does not know %q", s.Name, name))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.MaxBytes))
	if err != nil {
		refuse(w, r, &Error{http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "the request is over the limit or broke off"})
		return
	}
	resource, carryOut, err := operation.decode(body)
	if err != nil {
		refuse(w, r, Errorf("SerializationException", "the request is not the JSON of a %s", name))
		return
	}
	call := awscall.Call{Service: s.Name, Operation: name, Resource: resource, Caller: awscall.CallerOf(r)}
	s.Hooks.Serve(w, r, call, operation.changes, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := carryOut(r.Context())
		if err != nil {
			refuse(w, r, err)
			return
		}
		answer(w, http.StatusOK, out)
	}))
}

func refuse(w http.ResponseWriter, r *http.Request, err error) {
	var named *Error
	if !errors.As(err, &named) {
		slog.ErrorContext(r.Context(), "local AWS service failed", "target", r.Header.Get("X-Amz-Target"), "error", err)
		named = &Error{http.StatusInternalServerError, "InternalServiceException", "internal error of the local service"}
	}
	answer(w, named.Status, map[string]string{"__type": named.Code, "message": named.Message})
}

func answer(w http.ResponseWriter, status int, value any) {
	w.WriteHeader(status)
	// A client that has gone away needs no answer.
	_ = json.NewEncoder(w).Encode(value)
}
