// Package lambda runs AWS Lambda functions on this machine. Each unmodified bootstrap binary runs in a process of its
// own against the Lambda Runtime API. Callers invoke it from Go, or through the Invoke API that the AWS SDKs speak.
//
// It promises a function AWS's environment: one invocation at a time per process, warm reuse, a clean environment, a
// deadline, a temporary folder, JSON logs. It promises a caller AWS's behaviour: the error's name and payload,
// timeouts and dead processes under AWS's own names, payload limits, throttling. A client that goes away does not
// stop a function. Workers never outlive this process, however it ends (Linux).
//
// It writes <Dir>/logs/<function>.log and, while a worker lives, <Dir>/tmp/<function>-<worker>/.
//
// Spec: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
package lambda

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"recsys/infra/local/aws/loopback"
)

// Config of the emulator.
type Config struct {
	// Dir holds logs/ and tmp/ of this emulator alone. It is created. Required.
	Dir string
	// Addr to listen on (default 127.0.0.1:0, a free port).
	Addr string
	// Credentials that functions sign with, for servers that check them. Default: each function's own name as the
	// access key and its worker as the session token, so that emulated servers know the caller.
	Credentials *aws.Credentials
}

// Emulator is a running Lambda service. It is safe for concurrent use.
type Emulator struct {
	config  Config
	address string // host:port
	server  *http.Server
	spawner *spawner

	stop func() error // Close, once, for all its callers to wait for

	mu        sync.Mutex
	closed    bool
	functions map[string]*function
	workers   map[int]*worker // every live process, by number
	started   int             // number of the last worker
}

// Start listens and returns. Functions start with their first invocation. Close ends it, as does ctx.
func Start(ctx context.Context, config Config) (*Emulator, error) {
	if config.Dir == "" {
		return nil, errors.New("starting Lambda: Config.Dir is missing")
	}
	dir, err := filepath.Abs(config.Dir)
	if err != nil {
		return nil, fmt.Errorf("starting Lambda: %w", err)
	}
	config.Dir = dir
	if config.Addr == "" {
		config.Addr = "127.0.0.1:0"
	}
	// Remains of workers of a killed emulator must not show up in the workers of this one.
	if err := os.RemoveAll(filepath.Join(dir, "tmp")); err != nil {
		return nil, fmt.Errorf("starting Lambda: %w", err)
	}
	for _, folder := range []string{"logs", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			return nil, fmt.Errorf("starting Lambda: %w", err)
		}
	}
	listener, err := net.Listen("tcp", config.Addr)
	if err != nil {
		return nil, fmt.Errorf("starting Lambda: %w", err)
	}
	e := &Emulator{
		config: config, address: listener.Addr().String(), spawner: newSpawner(),
		functions: map[string]*function{}, workers: map[int]*worker{},
	}
	e.stop = sync.OnceValue(e.close)
	e.server = &http.Server{Handler: loopback.Guard(e.routes()), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = e.server.Serve(listener) }()
	context.AfterFunc(ctx, func() { _ = e.Close() })
	return e, nil
}

// URL is the endpoint for AWS_ENDPOINT_URL_LAMBDA.
func (e *Emulator) URL() string { return "http://" + e.address }

// Register adds a function, or replaces the one of that name. Workers of the old one finish their work and end.
func (e *Emulator) Register(f Function) error {
	e.mu.Lock()
	replaced := e.functions[f.Name]
	registered, err := newFunction(f, replaced, filepath.Join(e.config.Dir, "logs"))
	if err == nil {
		e.functions[f.Name] = registered
	}
	e.mu.Unlock()
	if err != nil {
		return fmt.Errorf("registering function %s: %w", f.Name, err)
	}
	if replaced != nil {
		for _, worker := range replaced.retire() {
			worker.kill()
		}
	}
	return nil
}

// Kill ends the worker process whose AWS_SESSION_TOKEN this is (SIGKILL), waits until it is gone, and reports
// whether there was one. Its invocation fails with Runtime.ExitError, as on AWS.
func (e *Emulator) Kill(sessionToken string) bool {
	e.mu.Lock()
	var victim *worker
	for _, w := range e.workers {
		if w.sessionToken() == sessionToken {
			victim = w
		}
	}
	e.mu.Unlock()
	if victim == nil {
		return false
	}
	victim.kill()
	return true
}

// Workers are the session tokens of the function's living processes, oldest first: for Kill, where a request does
// not tell its worker.
func (e *Emulator) Workers(name string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var tokens []string
	for _, number := range slices.Sorted(maps.Keys(e.workers)) {
		if w := e.workers[number]; w.function.Name == name {
			tokens = append(tokens, w.sessionToken())
		}
	}
	return tokens
}

// PeakMemory is the largest resident set, in bytes, that any worker of the function has had (VmHWM), dead ones
// included. 0 means that none has run. A process that was killed from outside counts up to its last invocation.
func (e *Emulator) PeakMemory(name string) int64 {
	e.mu.Lock()
	f := e.functions[name]
	var live []*worker
	for _, w := range e.workers {
		if w.function == f {
			live = append(live, w)
		}
	}
	e.mu.Unlock()
	if f == nil {
		return 0
	}
	for _, w := range live {
		w.sampleMemory()
	}
	return f.peak.Load()
}

// Close kills every worker, waits until they are gone, removes their temporary folders and stops listening.
func (e *Emulator) Close() error { return e.stop() }

func (e *Emulator) close() error {
	e.mu.Lock()
	e.closed = true
	live := make([]*worker, 0, len(e.workers))
	for _, w := range e.workers {
		live = append(live, w)
	}
	e.mu.Unlock()
	for _, w := range live {
		w.kill()
	}
	e.spawner.stop()
	faults := []error{e.server.Close()}
	for _, f := range e.functions {
		faults = append(faults, f.log.Close())
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("stopping Lambda: %w", err)
	}
	return nil
}
