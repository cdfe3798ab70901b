package awscall

import (
	"bytes"
	"maps"
	"net/http"
	"sync/atomic"
)

// Hooks are called with every request that fits. Each may be nil, and each must be safe for concurrent use.
type Hooks struct {
	// Record is called before any call is carried out, reads included.
	Record func(Call)
	// Answered is called with the HTTP status of every answer, right after it.
	Answered func(Call, int)
	// Before is called before a call that changes something is carried out. An error drops the connection:
	// nothing is stored and the client hears nothing.
	Before func(Call) error
	// After is called when such a call has succeeded and before the client hears of it. An error drops the
	// connection: the write stays, and the client does not know.
	After func(Call) error
}

// Point holds the Hooks of a server. They can be exchanged while it runs. The zero Point has none.
type Point struct{ hooks atomic.Pointer[Hooks] }

// Set exchanges the hooks. Calls that are already under way keep the old ones.
func (p *Point) Set(hooks Hooks) { p.hooks.Store(&hooks) }

// Serve carries a call out with next, between the hooks. The answer to a call that changes something is
// held back until After has agreed, so its answer must be small.
func (p *Point) Serve(w http.ResponseWriter, r *http.Request, call Call, changes bool, next http.Handler) {
	hooks := p.hooks.Load()
	if hooks == nil {
		hooks = &Hooks{}
	}
	if hooks.Record != nil {
		hooks.Record(call)
	}
	if hooks.Answered != nil {
		watched := &watchedAnswer{w, http.StatusOK}
		defer func() { hooks.Answered(call, watched.status) }()
		w = watched
	}
	if !changes || hooks.Before == nil && hooks.After == nil {
		next.ServeHTTP(w, r)
		return
	}
	if hooks.Before != nil && hooks.Before(call) != nil {
		dropConnection()
	}
	held := &heldAnswer{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(held, r)
	if hooks.After != nil && held.status < 300 && hooks.After(call) != nil {
		dropConnection()
	}
	held.release(w)
}

// dropConnection closes the connection without an answer: net/http recovers from this very value silently.
func dropConnection() { panic(http.ErrAbortHandler) }

// watchedAnswer remembers the status.
type watchedAnswer struct {
	http.ResponseWriter
	status int
}

func (w *watchedAnswer) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header         { return h.header }
func (h *heldAnswer) WriteHeader(status int)      { h.status = status }
func (h *heldAnswer) Write(p []byte) (int, error) { return h.body.Write(p) }

func (h *heldAnswer) release(w http.ResponseWriter) {
	maps.Copy(w.Header(), h.header)
	w.WriteHeader(h.status)
	// A client that has gone away needs no answer.
	_, _ = w.Write(h.body.Bytes())
}
