package stepfunctions

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"syscall"

	"recsys/infra/local/aws/node"
)

//go:embed engine.mjs
var program string

// Engine runs executions, each in a Node process of its own. A process that ended an execution is kept for a later one,
// because Node takes most of a second to load the engine. It may be used by several machines at once.
type Engine struct {
	modules string

	mu     sync.Mutex
	closed bool
	idle   []*process
}

// NewEngine returns an engine on the folder in which npm installed aws-local-stepfunctions. It starts nothing yet.
func NewEngine(nodeModules string) (*Engine, error) {
	modules, err := filepath.Abs(nodeModules)
	if err != nil {
		return nil, fmt.Errorf("finding the engine of state machines: %w", err)
	}
	return &Engine{modules: modules}, nil
}

// Close ends the processes that have nothing to do. Those at work end with their execution.
func (e *Engine) Close() error {
	e.mu.Lock()
	idle := e.idle
	e.closed, e.idle = true, nil
	e.mu.Unlock()
	for _, p := range idle {
		p.end()
	}
	return nil
}

// run hands a job to a process and passes its events on until the last.
func (e *Engine) run(ctx context.Context, job []byte, onEvent func(Event)) (json.RawMessage, error) {
	p, err := e.take()
	if err != nil {
		return nil, err
	}
	spare := context.AfterFunc(ctx, p.node.Kill)
	output, err := p.follow(job, onEvent)
	ended := err == nil || errors.As(err, new(*ExecutionError))
	switch spared := spare(); {
	case ended && spared:
		e.keep(p)
	case ended:
		p.end()
	default:
		complaints := p.end()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) {
			err = fmt.Errorf("the engine stopped: %s", complaints)
		}
	}
	return output, err
}

// take returns an idle process that still lives, or a new one.
func (e *Engine) take() (*process, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.idle) > 0 {
		p := e.idle[len(e.idle)-1]
		e.idle = e.idle[:len(e.idle)-1]
		select {
		case <-p.node.Exited():
			p.end()
		default:
			return p, nil
		}
	}
	return startProcess(e.modules)
}

func (e *Engine) keep(p *process) {
	e.mu.Lock()
	closed := e.closed
	if !closed {
		e.idle = append(e.idle, p)
	}
	e.mu.Unlock()
	if closed {
		p.end()
	}
}

// process runs one execution at a time.
type process struct {
	node       *node.Process
	events     *json.Decoder
	complaints tail
}

func startProcess(modules string) (*process, error) {
	p := &process{}
	var err error
	p.node, err = node.Start(node.Config{Program: program, Arguments: []string{modules}, Stderr: &p.complaints})
	if err != nil {
		return nil, err
	}
	p.events = json.NewDecoder(p.node.Stdout)
	return p, nil
}

// end kills the process and returns its complaints.
func (p *process) end() string {
	p.node.Kill()
	p.node.Stdin.Close()
	p.node.Stdout.Close()
	return p.complaints.text()
}

// follow hands over a job and passes events on until the execution ends.
func (p *process) follow(job []byte, onEvent func(Event)) (json.RawMessage, error) {
	if _, err := p.node.Stdin.Write(append(job, '\n')); err != nil {
		return nil, err
	}
	for {
		var line engineEvent
		if err := p.events.Decode(&line); err != nil {
			return nil, err
		}
		switch line.Type {
		case "ExecutionSucceeded":
			return line.Output, nil
		case "ExecutionFailed":
			return nil, &ExecutionError{line.Error, line.cause()}
		case "ExecutionRefused":
			return nil, fmt.Errorf("the engine refused: %s", line.cause())
		}
		if onEvent != nil {
			onEvent(line.event())
		}
	}
}

// keptComplaints is how much of a process's own complaints an error shows.
const keptComplaints = 4 << 10

// tail keeps the last bytes written.
type tail struct{ kept []byte }

func (t *tail) Write(data []byte) (int, error) {
	t.kept = append(t.kept, data...)
	t.kept = t.kept[max(0, len(t.kept)-keptComplaints):]
	return len(data), nil
}

func (t *tail) text() string { return string(bytes.TrimSpace(t.kept)) }
