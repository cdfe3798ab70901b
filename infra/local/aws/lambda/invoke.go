package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

const (
	// maxPayload of a synchronous invocation, 6 MiB.
	maxPayload = 6 << 20
	// maxResponse is AWS's real limit, by its error text.
	maxResponse = maxPayload + 100
	// initTimeout is the free time of a cold start. A longer one eats into the invocation's own time.
	initTimeout = 10 * time.Second
)

// InvocationError is a function that was invoked and failed: an error it returned, a panic, a timeout or a death.
type InvocationError struct {
	Type    string // errorType: the outermost Go type, or AWS's own, such as Runtime.ExitError and Sandbox.Timedout
	Message string // errorMessage
	Payload []byte // the JSON object that Invoke answers with
}

func (e *InvocationError) Error() string { return e.Type + ": " + e.Message }

// ServiceError is an invocation that did not take place, under the Invoke API's name for it.
type ServiceError struct {
	Code    string // such as ResourceNotFoundException
	Message string
	Status  int // HTTP
}

func (e *ServiceError) Error() string { return e.Code + ": " + e.Message }

func (e *Emulator) notFound(name string) *ServiceError {
	return &ServiceError{"ResourceNotFoundException", "Function not found: " + e.arn(name), http.StatusNotFound}
}

type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	done     chan result   // holds the answer once the function gave one
	finished chan struct{} // closed when the function asked for its next invocation
}

type result struct {
	payload []byte
	failed  *InvocationError
}

// Invoke runs a function on a JSON payload (empty means {}) and returns its answer, or how it failed. The error is a
// *ServiceError when it could not be invoked, or the context's. As on AWS, a caller that goes away stops nothing:
// the function runs on to its end or timeout.
func (e *Emulator) Invoke(ctx context.Context, name string, payload []byte) ([]byte, *InvocationError, error) {
	e.mu.Lock()
	f := e.functions[name]
	e.mu.Unlock()
	if f == nil {
		return nil, nil, e.notFound(name)
	}
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if len(payload) > maxPayload {
		text := fmt.Sprintf("%d byte payload is too large for the RequestResponse invocation type (limit %d bytes)", len(payload), maxPayload)
		return nil, nil, &ServiceError{"RequestTooLargeException", text, http.StatusRequestEntityTooLarge}
	}
	if !json.Valid(payload) {
		return nil, nil, &ServiceError{"InvalidRequestContentException", "Could not parse request body into json", http.StatusBadRequest}
	}
	if !f.enter() {
		return nil, nil, &ServiceError{"TooManyRequestsException", "Rate Exceeded.", http.StatusTooManyRequests}
	}
	results := make(chan result, 1)
	go func() {
		defer f.leave()
		results <- e.run(f, payload)
	}()
	select {
	case r := <-results:
		return r.payload, r.failed, nil
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
}

// Invoker is Invoke for one function, with both kinds of failure as the error. An event source mapping calls it.
func (e *Emulator) Invoker(name string) func(ctx context.Context, payload []byte) ([]byte, error) {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		answer, failed, err := e.Invoke(ctx, name, payload)
		if err != nil {
			return nil, err
		}
		if failed != nil {
			return nil, failed
		}
		return answer, nil
	}
}

// run hands the payload to a warm worker, or to a new one, and waits for the end.
func (e *Emulator) run(f *function, payload []byte) result {
	inv := &invocation{
		id: uuid.NewString(), payload: payload,
		done: make(chan result, 1), finished: make(chan struct{}),
	}
	for {
		w := f.takeIdle()
		if w == nil {
			var failed *InvocationError
			if w, failed = e.coldStart(f, inv.id); failed != nil {
				return result{failed: failed}
			}
		} else if !w.alive() {
			continue
		}
		inv.deadline = time.Now().Add(f.Timeout)
		select {
		case w.next <- inv:
			return w.await(inv)
		case <-w.exited: // died while idle: the invocation never began
		}
	}
}

// coldStart starts a worker and waits until it asks for its first invocation.
func (e *Emulator) coldStart(f *function, id string) (*worker, *InvocationError) {
	w, err := e.startWorker(f)
	if err != nil {
		return nil, newInvocationError(id, "Runtime.InvalidEntrypoint", err.Error())
	}
	timer := time.NewTimer(initTimeout + f.Timeout)
	defer timer.Stop()
	select {
	case <-w.ready:
		return w, nil
	case <-w.exited:
		return nil, w.initFailure(id)
	case <-timer.C:
		w.kill()
		return nil, timedOut(f, id)
	}
}

// await waits for the answer, and then until the worker is ready for more: only then is an invocation complete.
func (w *worker) await(inv *invocation) result {
	timer := time.NewTimer(time.Until(inv.deadline))
	defer timer.Stop()
	expired := false
	select {
	case <-inv.finished:
	case <-w.exited:
	case <-timer.C:
		expired = true
		w.kill()
	}
	select {
	case <-w.exited:
	default:
		if !w.function.park(w) {
			w.kill()
		}
	}
	select {
	case r := <-inv.done:
		return r
	default:
	}
	if expired {
		return result{failed: timedOut(w.function, inv.id)}
	}
	return result{failed: w.exitFailure(inv.id)}
}

func (w *worker) initFailure(id string) *InvocationError {
	w.mu.Lock()
	failed := w.initError
	w.mu.Unlock()
	if failed != nil {
		return failed
	}
	return w.exitFailure(id)
}

func (w *worker) exitFailure(id string) *InvocationError {
	w.mu.Lock()
	defer w.mu.Unlock()
	return newInvocationError(id, "Runtime.ExitError", w.exit)
}

func timedOut(f *function, id string) *InvocationError {
	return newInvocationError(id, "Sandbox.Timedout", fmt.Sprintf("Task timed out after %.2f seconds", f.Timeout.Seconds()))
}

// newInvocationError words an error of the service's own as AWS does.
func newInvocationError(id, kind, text string) *InvocationError {
	message := fmt.Sprintf("RequestId: %s Error: %s", id, text)
	payload, _ := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message}) // strings always marshal
	return &InvocationError{Type: kind, Message: message, Payload: payload}
}
