package stepfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"recsys/infra/local/aws/awscall"
)

const (
	// maxInput of an execution, in bytes.
	maxInput  = 262_144
	arnPrefix = "arn:aws:states:" + awscall.Region + ":" + awscall.Account + ":"
)

// Execution holds the arguments of StartExecution.
type Execution struct {
	// Name of the execution: 1 to 80 letters, digits, '-' and '_'.
	Name string
	// StartTime that $$.Execution.StartTime shows (default now).
	StartTime time.Time
	// Input is JSON, at most 262,144 bytes (default {}).
	Input json.RawMessage
	// OnEvent, unless nil, is called for each event in order. The next event waits for it.
	OnEvent func(Event)
}

// Execute runs the state machine to its end and returns its output. A failed execution is an *ExecutionError. Any
// other error is the context's, or tells why the engine could not run.
func (m *Machine) Execute(ctx context.Context, execution Execution) (json.RawMessage, error) {
	job, err := m.job(execution)
	if err != nil {
		return nil, fmt.Errorf("executing %s: %w", m.config.Name, err)
	}
	output, err := m.config.Engine.run(ctx, job, execution.OnEvent)
	if failed := (*ExecutionError)(nil); errors.As(err, &failed) {
		return nil, failed
	}
	if err != nil {
		return nil, fmt.Errorf("executing %s: %w", m.config.Name, err)
	}
	return output, nil
}

// job is the line of JSON that engine.mjs reads.
func (m *Machine) job(execution Execution) ([]byte, error) {
	if !executionName.MatchString(execution.Name) {
		return nil, fmt.Errorf("name %q: want 1 to 80 letters, digits, '-' or '_'", execution.Name)
	}
	if len(execution.Input) == 0 {
		execution.Input = json.RawMessage("{}")
	}
	if !json.Valid(execution.Input) || len(execution.Input) > maxInput {
		return nil, fmt.Errorf("input: want JSON of at most %d bytes", maxInput)
	}
	if execution.StartTime.IsZero() {
		execution.StartTime = time.Now()
	}
	var retryInterval *int64
	if m.config.RetryInterval != nil {
		retryInterval = new(m.config.RetryInterval.Milliseconds())
	}
	return json.Marshal(map[string]any{
		"definition": m.definition, "input": execution.Input,
		"lambda": m.config.LambdaURL, "retryInterval": retryInterval,
		"context": map[string]any{
			"Execution": map[string]any{
				"Id":   m.executionARN(execution.Name),
				"Name": execution.Name, "Input": execution.Input, "RoleArn": awscall.RoleARN,
				"StartTime": execution.StartTime.UTC().Format("2006-01-02T15:04:05.000Z"),
			},
			"StateMachine": map[string]any{"Id": m.ARN(), "Name": m.config.Name},
		},
	})
}

// engineEvent is a line of engine.mjs.
type engineEvent struct {
	Type        string
	Timestamp   int64 // milliseconds since 1970
	Index       *int
	State       engineState
	ParentState engineState // of a MapIteration… event
	Retry       struct{ Attempt int }
	Error       string
	Cause       json.RawMessage
	Output      json.RawMessage
}

type engineState struct {
	Name, Type    string
	Input, Output json.RawMessage
}

func (e engineEvent) event() Event {
	state := e.State
	if state.Name == "" {
		state = e.ParentState
	}
	return Event{
		Type: e.Type, Time: time.UnixMilli(e.Timestamp), State: state.Name, StateType: state.Type,
		Iteration: e.Index, Input: state.Input, Output: state.Output,
		Error: e.Error, Cause: e.cause(), Attempt: e.Retry.Attempt,
	}
}

// cause is nearly always a string.
func (e engineEvent) cause() string {
	var text string
	if json.Unmarshal(e.Cause, &text) == nil {
		return text
	}
	return string(e.Cause)
}
