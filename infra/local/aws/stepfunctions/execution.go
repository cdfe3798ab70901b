package stepfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"
)

// execution is one that the server started.
type execution struct {
	arn, name, input string
	started          time.Time
	cancel           context.CancelFunc

	mu      sync.Mutex
	outcome outcome
	history history
}

// outcome is an execution's status, and its result after the end.
type outcome struct {
	status         string // RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED
	stopped        time.Time
	output         json.RawMessage
	failure, cause string
}

func newExecution(arn string, job Execution) *execution {
	e := &execution{arn: arn, name: job.Name, input: string(job.Input), started: job.StartTime, outcome: outcome{status: "RUNNING"}}
	e.history.begin(e.started, e.input)
	return e
}

// run executes the machine to its end, and keeps the events.
func (e *execution) run(ctx context.Context, machine *Machine, job Execution) (json.RawMessage, error) {
	told := job.OnEvent
	job.OnEvent = func(event Event) {
		if told != nil {
			told(event)
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.outcome.status == "RUNNING" {
			e.history.add(event)
		}
	}
	output, err := machine.Execute(ctx, job)
	failed := (*ExecutionError)(nil)
	switch {
	case err == nil:
		e.end(outcome{status: "SUCCEEDED", output: output})
	case errors.As(err, &failed):
		e.end(outcome{status: "FAILED", failure: failed.Name, cause: failed.Cause})
	case ctx.Err() != nil:
		e.end(outcome{status: "ABORTED", cause: "the server stopped"})
	default:
		e.end(outcome{status: "FAILED", failure: "States.Runtime", cause: err.Error()})
	}
	return output, err
}

// end keeps the first outcome, because a stopped execution does not succeed afterwards.
func (e *execution) end(result outcome) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.outcome.status != "RUNNING" {
		return
	}
	result.stopped = time.Now()
	e.outcome = result
	e.history.finish(result)
}

func (e *execution) now() outcome {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.outcome
}

// events returns a copy of the history.
func (e *execution) events() []historyEvent {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.history.events)
}
