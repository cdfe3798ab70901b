package stepfunctions

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"

	"recsys/infra/local/aws/awscall"
)

//go:embed engine.mjs
var engine string

const (
	// maxInput of an execution, in bytes.
	maxInput = 262_144
	// keptStderr is how much of the engine's own complaints an error shows.
	keptStderr = 4 << 10
	arnPrefix  = "arn:aws:states:" + awscall.Region + ":" + awscall.Account + ":"
)

// Execution is what StartExecution would be told.
type Execution struct {
	// Name of the execution: 1 to 80 letters, digits, '-' and '_'.
	Name string
	// StartTime that $$.Execution.StartTime shows; default now.
	StartTime time.Time
	// Input is JSON, at most 262,144 bytes; default {}.
	Input json.RawMessage
	// OnEvent, when not nil, is called for each event in order; the next event waits for it.
	OnEvent func(Event)
}

// Execute runs the state machine to its end and returns its output. A failed execution is an *ExecutionError; any
// other error is the context's, or says why the engine could not run.
func (m *Machine) Execute(ctx context.Context, execution Execution) (json.RawMessage, error) {
	job, err := m.job(execution)
	if err != nil {
		return nil, fmt.Errorf("executing %s: %w", m.config.Name, err)
	}
	output, err := run(ctx, job, execution.OnEvent)
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
		"lambda": m.config.LambdaURL, "nodeModules": m.config.NodeModules, "retryInterval": retryInterval,
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

// run starts the engine, hands it the job and reads events until the last.
func run(caller context.Context, job []byte, onEvent func(Event)) (json.RawMessage, error) {
	ctx, cancel := context.WithCancel(caller)
	defer cancel()
	command := exec.CommandContext(ctx, "node", "--input-type=module", "--eval", engine)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the terminal's Ctrl-C is for this process to handle
	command.WaitDelay = time.Second
	var complaints tail
	command.Stderr = &complaints
	// The engine ends when its stdin does, so it cannot outlive this process.
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting node (is Node.js 20 or newer installed?): %w", err)
	}
	output, err := follow(stdin, stdout, job, onEvent)
	cancel() // the execution is over, one way or another
	_ = command.Wait()
	failed := errors.As(err, new(*ExecutionError))
	if err != nil && !failed && caller.Err() != nil {
		return nil, context.Cause(caller)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) {
		err = fmt.Errorf("the engine stopped: %s", complaints.text())
	}
	return output, err
}

// follow hands over the job and passes events on until the execution ends.
func follow(stdin io.Writer, stdout io.Reader, job []byte, onEvent func(Event)) (json.RawMessage, error) {
	if _, err := stdin.Write(append(job, '\n')); err != nil {
		return nil, err
	}
	for lines := json.NewDecoder(stdout); ; {
		var line engineEvent
		if err := lines.Decode(&line); err != nil {
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

// tail keeps the last bytes written.
type tail struct{ kept []byte }

func (t *tail) Write(data []byte) (int, error) {
	t.kept = append(t.kept, data...)
	t.kept = t.kept[max(0, len(t.kept)-keptStderr):]
	return len(data), nil
}

func (t *tail) text() string { return string(bytes.TrimSpace(t.kept)) }
