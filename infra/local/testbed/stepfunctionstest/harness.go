// Package stepfunctionstest runs a state machine in the real engine against functions that a test writes in Go.
package stepfunctionstest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/testbed/provisiontest"
)

// Function is the test's own. Its answer is sent as JSON. A Failure is sent under its name.
type Function func(payload json.RawMessage) (any, error)

// Failure is a function's error: errorType and errorMessage.
type Failure struct{ Type, Message string }

func (f Failure) Error() string { return f.Type + ": " + f.Message }

// Call is an invocation that took place.
type Call struct {
	Function string
	Payload  json.RawMessage
}

// Harness runs executions and remembers their events.
type Harness struct {
	// RetryInterval replaces the waits of Retry (default 0).
	RetryInterval time.Duration

	engine *stepfunctions.Engine
	lambda *httptest.Server

	mu     sync.Mutex
	calls  []Call
	events []stepfunctions.Event
}

var (
	engineMu sync.Mutex
	engine   *stepfunctions.Engine // ends with the test binary
)

// Engine returns the one that all tests of a package share.
func Engine(tb testing.TB) *stepfunctions.Engine {
	tb.Helper()
	engineMu.Lock()
	defer engineMu.Unlock()
	if engine == nil {
		shared, err := stepfunctions.NewEngine(provisiontest.NodeModules(tb))
		if err != nil {
			tb.Fatal(err)
		}
		engine = shared
	}
	return engine
}

// New starts an Invoke API with these functions.
func New(tb testing.TB, functions map[string]Function) *Harness {
	tb.Helper()
	h := &Harness{engine: Engine(tb)}
	h.lambda = httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		h.serve(functions, response, request)
	}))
	tb.Cleanup(h.lambda.Close)
	return h
}

func (h *Harness) serve(functions map[string]Function, response http.ResponseWriter, request *http.Request) {
	var name string
	if _, err := fmt.Sscanf(request.URL.Path, "/2015-03-31/functions/%s", &name); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	name = name[:len(name)-len("/invocations")]
	payload, err := io.ReadAll(request.Body)
	function := functions[name]
	if err != nil || function == nil {
		response.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		response.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprintf(response, `{"Message":"Function not found: %s"}`, name)
		return
	}
	h.mu.Lock()
	h.calls = append(h.calls, Call{name, payload})
	h.mu.Unlock()
	answer, err := function(payload)
	if err != nil {
		failure := Failure{"Error", err.Error()}
		_ = errors.As(err, &failure)
		response.Header().Set("X-Amz-Function-Error", "Unhandled")
		answer = map[string]string{"errorMessage": failure.Message, "errorType": failure.Type}
	}
	_ = json.NewEncoder(response).Encode(answer)
}

// Execution is the one that Run starts.
var Execution = stepfunctions.Execution{Name: "run-1", StartTime: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)}

// Run executes a definition on an input. Every ${…} in it is replaced by its substitution.
func (h *Harness) Run(ctx context.Context, definition []byte, substitutions map[string]string, input string) (string, error) {
	machine, err := h.Machine(definition, substitutions)
	if err != nil {
		return "", err
	}
	execution := Execution
	execution.Input = json.RawMessage(input)
	execution.OnEvent = func(event stepfunctions.Event) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.events = append(h.events, event)
	}
	output, err := machine.Execute(ctx, execution)
	return string(output), err
}

// URL returns the endpoint of the Invoke API.
func (h *Harness) URL() string { return h.lambda.URL }

// Machine returns a state machine on the test's functions.
func (h *Harness) Machine(definition []byte, substitutions map[string]string) (*stepfunctions.Machine, error) {
	return stepfunctions.New(stepfunctions.Config{
		Definition: definition, Substitutions: substitutions,
		LambdaURL: h.lambda.URL, Engine: h.engine, RetryInterval: &h.RetryInterval,
	})
}

// Calls are the invocations so far, in the order in which they came in.
func (h *Harness) Calls() []Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Call(nil), h.calls...)
}

// Events are the executions' events so far.
func (h *Harness) Events() []stepfunctions.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]stepfunctions.Event(nil), h.events...)
}
