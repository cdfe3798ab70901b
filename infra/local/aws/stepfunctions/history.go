package stepfunctions

import (
	"time"

	"recsys/infra/local/aws/awscall"
)

// historyEvent is an event in AWS's shape. Of the details, each type has the member of its own.
type historyEvent struct {
	ID         int64   `json:"id"`
	PreviousID int64   `json:"previousEventId"`
	Type       string  `json:"type"`
	Timestamp  instant `json:"timestamp"`

	ExecutionStarted   *details `json:"executionStartedEventDetails,omitempty"`
	ExecutionSucceeded *details `json:"executionSucceededEventDetails,omitempty"`
	ExecutionFailed    *details `json:"executionFailedEventDetails,omitempty"`
	ExecutionAborted   *details `json:"executionAbortedEventDetails,omitempty"`
	Entered            *details `json:"stateEnteredEventDetails,omitempty"`
	Exited             *details `json:"stateExitedEventDetails,omitempty"`
	TaskFailed         *details `json:"taskFailedEventDetails,omitempty"`
	IterationStarted   *details `json:"mapIterationStartedEventDetails,omitempty"`
	IterationSucceeded *details `json:"mapIterationSucceededEventDetails,omitempty"`
	IterationFailed    *details `json:"mapIterationFailedEventDetails,omitempty"`
}

// details are those of any event. The absent ones are left out.
type details struct {
	Name          string     `json:"name,omitempty"`
	Index         *int       `json:"index,omitempty"`
	Input         string     `json:"input,omitempty"`
	InputDetails  *truncated `json:"inputDetails,omitempty"`
	Output        string     `json:"output,omitempty"`
	OutputDetails *truncated `json:"outputDetails,omitempty"`
	RoleARN       string     `json:"roleArn,omitempty"`
	ResourceType  string     `json:"resourceType,omitempty"`
	Resource      string     `json:"resource,omitempty"`
	Error         string     `json:"error,omitempty"`
	Cause         string     `json:"cause,omitempty"`
}

// truncated says that nothing is: {"truncated":false}.
type truncated struct {
	Truncated bool `json:"truncated"`
}

// history gathers the events of an execution. AWS also tells when a task is scheduled and succeeds, which the engine
// does not.
type history struct {
	events []historyEvent
	last   map[int]int64 // id of the last event of each iteration of a Map
	before int64         // id of the last event outside of iterations
}

func (h *history) begin(at time.Time, input string) {
	h.last = map[int]int64{}
	h.append(at, nil, historyEvent{Type: "ExecutionStarted", ExecutionStarted: &details{
		Input: input, InputDetails: &truncated{}, RoleARN: awscall.RoleARN,
	}})
}

// add keeps an event of the engine. A task that is tried again has a TaskFailed for each attempt. The engine's own
// StateRetried and StateCaught have no counterpart on AWS.
func (h *history) add(e Event) {
	entry := historyEvent{}
	switch e.Type {
	case "StateEntered":
		entry.Type, entry.Entered = e.StateType+"StateEntered", &details{Name: e.State, Input: string(e.Input), InputDetails: &truncated{}}
	case "StateExited":
		entry.Type, entry.Exited = e.StateType+"StateExited", &details{Name: e.State, Output: string(e.Output), OutputDetails: &truncated{}}
	case "StateFailed":
		switch e.StateType {
		case "Task":
			entry.Type = "TaskFailed"
			entry.TaskFailed = &details{ResourceType: "lambda", Resource: "invoke", Error: e.Error, Cause: e.Cause}
		case "Map", "Parallel":
			entry.Type = e.StateType + "StateFailed"
		default: // of a Fail state AWS tells the execution's failure
			return
		}
	case "MapIterationStarted":
		entry.Type, entry.IterationStarted = e.Type, &details{Name: e.State, Index: e.Iteration}
	case "MapIterationSucceeded":
		entry.Type, entry.IterationSucceeded = e.Type, &details{Name: e.State, Index: e.Iteration}
	case "MapIterationFailed":
		entry.Type, entry.IterationFailed = e.Type, &details{Name: e.State, Index: e.Iteration}
	default:
		return
	}
	h.append(e.Time, e.Iteration, entry)
}

func (h *history) finish(result outcome) {
	switch result.status {
	case "SUCCEEDED":
		h.append(result.stopped, nil, historyEvent{Type: "ExecutionSucceeded", ExecutionSucceeded: &details{
			Output: string(result.output), OutputDetails: &truncated{},
		}})
	case "FAILED":
		h.append(result.stopped, nil, historyEvent{Type: "ExecutionFailed", ExecutionFailed: &details{Error: result.failure, Cause: result.cause}})
	case "ABORTED":
		h.append(result.stopped, nil, historyEvent{Type: "ExecutionAborted", ExecutionAborted: &details{Error: result.failure, Cause: result.cause}})
	}
}

// append numbers an event and names the one before it in its own iteration, or before the Map.
func (h *history) append(at time.Time, iteration *int, event historyEvent) {
	event.ID, event.Timestamp, event.PreviousID = int64(len(h.events)+1), instant(at), h.before
	if iteration != nil {
		if previous := h.last[*iteration]; previous > h.before {
			event.PreviousID = previous
		}
		h.last[*iteration] = event.ID
	} else {
		h.before = event.ID
	}
	h.events = append(h.events, event)
}

// withoutData returns the event as includeExecutionData=false wants it.
func (e historyEvent) withoutData() historyEvent {
	for _, part := range []**details{&e.ExecutionStarted, &e.ExecutionSucceeded, &e.Entered, &e.Exited} {
		if *part != nil {
			bare := **part
			bare.Input, bare.InputDetails, bare.Output, bare.OutputDetails = "", nil, "", nil
			*part = &bare
		}
	}
	return e
}
