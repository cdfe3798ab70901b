package stepfunctions_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/stepfunctionstest"
)

const (
	machineARN   = "arn:aws:states:us-east-1:000000000000:stateMachine:batch"
	executionARN = "arn:aws:states:us-east-1:000000000000:execution:batch:"
)

// api is the SDK's client of a served state machine.
type api struct {
	*sfn.Client
	t *testing.T
}

func served(t *testing.T, definition []byte, lambdas functions) api {
	t.Helper()
	machine, err := stepfunctionstest.New(t, lambdas).Machine(definition, f)
	if err != nil {
		t.Fatal(err)
	}
	server, err := stepfunctions.Serve(t.Context(), machine)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return api{sfn.New(sfn.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}), t}
}

func (a api) start(name, input string) (*sfn.StartExecutionOutput, error) {
	return a.StartExecution(a.t.Context(), &sfn.StartExecutionInput{StateMachineArn: aws.String(machineARN), Name: &name, Input: &input})
}

// ended waits for an execution's end.
func (a api) ended(name string) (out *sfn.DescribeExecutionOutput) {
	a.t.Helper()
	testbed.Eventually(a.t, "execution "+name+" ends", func() (ended bool) {
		var err error
		out, err = a.DescribeExecution(a.t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: aws.String(executionARN + name)})
		if err != nil {
			a.t.Fatal(err)
		}
		return out.Status != types.ExecutionStatusRunning
	})
	return out
}

func (a api) history(name string) (events []types.HistoryEvent) {
	a.t.Helper()
	pages := sfn.NewGetExecutionHistoryPaginator(a.Client, &sfn.GetExecutionHistoryInput{ExecutionArn: aws.String(executionARN + name), MaxResults: 2})
	for pages.HasMorePages() {
		page, err := pages.NextPage(a.t.Context())
		if err != nil {
			a.t.Fatal(err)
		}
		events = append(events, page.Events...)
	}
	return events
}

func TestAnExecutionByTheAPI(t *testing.T) {
	attempts := 0
	a := served(t, task(`"Retry":[{"ErrorEquals":["Away"],"MaxAttempts":1}],`), functions{"f": func(payload json.RawMessage) (any, error) {
		if attempts++; attempts == 1 {
			return nil, stepfunctionstest.Failure{Type: "Away", Message: "for a while"}
		}
		return payload, nil
	}})
	before := time.Now().Add(-time.Second)
	started, err := a.start("one", `{"n":1}`)
	if err != nil || *started.ExecutionArn != executionARN+"one" || started.StartDate.Before(before) {
		t.Fatalf("%+v, %v", started, err)
	}
	got := a.ended("one")
	if got.Status != types.ExecutionStatusSucceeded || *got.Input != `{"n":1}` || !strings.Contains(*got.Output, `{"n":1}`) ||
		*got.StateMachineArn != machineARN || *got.Name != "one" || got.StopDate.Before(*got.StartDate) {
		t.Errorf("%+v", got)
	}
	events := a.history("one")
	var kinds []string
	for i, event := range events {
		kinds = append(kinds, string(event.Type))
		if event.Id != int64(i+1) || event.PreviousEventId != int64(i) || event.Timestamp.Before(before) {
			t.Errorf("event %d: id %d after %d at %v", i, event.Id, event.PreviousEventId, event.Timestamp)
		}
	}
	if want := "[ExecutionStarted TaskStateEntered TaskFailed TaskStateExited ExecutionSucceeded]"; fmt.Sprint(kinds) != want {
		t.Fatalf("history %v, want %s", kinds, want)
	}
	failed := events[2].TaskFailedEventDetails
	if *events[0].ExecutionStartedEventDetails.Input != `{"n":1}` || *events[1].StateEnteredEventDetails.Name != "T" ||
		*failed.Error != "Away" || !strings.Contains(*failed.Cause, "for a while") || *events[3].StateExitedEventDetails.Output != *got.Output {
		t.Errorf("details %+v", events)
	}
	newest, err := a.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{
		ExecutionArn: started.ExecutionArn, ReverseOrder: true, MaxResults: 1, IncludeExecutionData: aws.Bool(false),
	})
	if err != nil || len(newest.Events) != 1 || newest.Events[0].Id != 5 || newest.Events[0].ExecutionSucceededEventDetails.Output != nil {
		t.Errorf("the newest event: %+v, %v", newest, err)
	}
}

func TestAFailedExecutionByTheAPI(t *testing.T) {
	a := served(t, fanOut, functions{"f": func(payload json.RawMessage) (any, error) {
		if strings.Contains(string(payload), `"index":1`) {
			return nil, stepfunctionstest.Failure{Type: "Bad", Message: "the second one"}
		}
		return "done", nil
	}})
	if _, err := a.start("fails", `["a","b"]`); err != nil {
		t.Fatal(err)
	}
	got := a.ended("fails")
	if got.Status != types.ExecutionStatusFailed || *got.Error != "Bad" || !strings.Contains(*got.Cause, "the second one") || got.Output != nil {
		t.Errorf("%+v", got)
	}
	byType := map[types.HistoryEventType]types.HistoryEvent{}
	events := a.history("fails")
	for _, event := range events {
		byType[event.Type] = event
		if event.PreviousEventId >= event.Id {
			t.Errorf("event %d follows %d", event.Id, event.PreviousEventId)
		}
	}
	for _, kind := range []types.HistoryEventType{"MapStateEntered", "MapIterationStarted", "TaskStateEntered", "TaskFailed", "MapIterationFailed", "MapStateFailed", "FailStateEntered"} {
		if _, ok := byType[kind]; !ok {
			t.Errorf("the history has no %s: %v", kind, byType)
		}
	}
	if last := events[len(events)-1]; last.Type != "ExecutionFailed" || *last.ExecutionFailedEventDetails.Error != "Bad" {
		t.Errorf("the last event is %+v", last)
	}
}

func TestStoppedAndRunningExecutions(t *testing.T) {
	release := make(chan struct{})
	a := served(t, task(""), functions{"f": func(json.RawMessage) (any, error) { <-release; return "done", nil }})
	t.Cleanup(func() { close(release) })
	for _, name := range []string{"first", "second"} {
		if _, err := a.start(name, "{}"); err != nil {
			t.Fatal(err)
		}
	}
	repeated, err := a.start("first", "{}")
	if err != nil || *repeated.ExecutionArn != executionARN+"first" {
		t.Errorf("started again while it runs: %+v, %v", repeated, err)
	}
	if _, err := a.start("first", `{"other":1}`); !errors.As(err, new(*types.ExecutionAlreadyExists)) {
		t.Errorf("another input under the name: %v", err)
	}
	stop := sfn.StopExecutionInput{ExecutionArn: aws.String(executionARN + "first"), Error: aws.String("Enough"), Cause: aws.String("a test")}
	stopped, err := a.StopExecution(t.Context(), &stop)
	if err != nil {
		t.Fatal(err)
	}
	got := a.ended("first")
	if got.Status != types.ExecutionStatusAborted || *got.Error != "Enough" || *got.Cause != "a test" || !got.StopDate.Equal(*stopped.StopDate) {
		t.Errorf("%+v", got)
	}
	if again, err := a.StopExecution(t.Context(), &stop); err != nil || !again.StopDate.Equal(*stopped.StopDate) {
		t.Errorf("stopped again: %+v, %v", again, err)
	}
	if events := a.history("first"); events[len(events)-1].Type != "ExecutionAborted" {
		t.Errorf("%+v", events)
	}
	if _, err := a.start("first", "{}"); !errors.As(err, new(*types.ExecutionAlreadyExists)) {
		t.Errorf("the name of one that has ended: %v", err)
	}
	for filter, want := range map[types.ExecutionStatus]string{"": "second first", "RUNNING": "second", "ABORTED": "first", "FAILED": ""} {
		var names []string
		pages := sfn.NewListExecutionsPaginator(a.Client, &sfn.ListExecutionsInput{StateMachineArn: aws.String(machineARN), StatusFilter: filter, MaxResults: 1})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, execution := range page.Executions {
				names = append(names, *execution.Name)
			}
		}
		if strings.Join(names, " ") != want {
			t.Errorf("with the status %q: %q", filter, names)
		}
	}
}

func TestRefusalsOfTheAPI(t *testing.T) {
	a := served(t, task(""), functions{"f": func(json.RawMessage) (any, error) { return "done", nil }})
	large := `"` + strings.Repeat("x", 262_143) + `"`
	for _, test := range []struct {
		name, input string
		want        any
	}{
		{"a b", "{}", new(*types.InvalidName)},
		{strings.Repeat("x", 81), "{}", new(*types.InvalidName)},
		{"no-json", "{", new(*types.InvalidExecutionInput)},
		{"large", large, new(*types.InvalidExecutionInput)},
	} {
		if _, err := a.start(test.name, test.input); !errors.As(err, test.want) {
			t.Errorf("%.20s: %v", test.name, err)
		}
	}
	other := aws.String(machineARN + "-2")
	_, err := a.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: other})
	_, err2 := a.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: other})
	if !errors.As(err, new(*types.StateMachineDoesNotExist)) || !errors.As(err2, new(*types.StateMachineDoesNotExist)) {
		t.Errorf("another state machine: %v, %v", err, err2)
	}
	none := aws.String(executionARN + "none")
	_, err = a.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: none})
	_, err2 = a.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: none})
	if !errors.As(err, new(*types.ExecutionDoesNotExist)) || !errors.As(err2, new(*types.ExecutionDoesNotExist)) {
		t.Errorf("no execution: %v, %v", err, err2)
	}
	unnamed, err := a.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: aws.String(machineARN)})
	if err != nil || !strings.HasPrefix(*unnamed.ExecutionArn, executionARN) || a.ended(strings.TrimPrefix(*unnamed.ExecutionArn, executionARN)).Status != types.ExecutionStatusSucceeded {
		t.Errorf("without a name or an input: %+v, %v", unnamed, err)
	}
	machines, err := a.ListStateMachines(t.Context(), &sfn.ListStateMachinesInput{})
	if err != nil || len(machines.StateMachines) != 1 || *machines.StateMachines[0].StateMachineArn != machineARN {
		t.Errorf("%+v, %v", machines, err)
	}
	described, err := a.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: aws.String(machineARN)})
	if err != nil || !json.Valid([]byte(*described.Definition)) || strings.Contains(*described.Definition, "${F}") {
		t.Errorf("%+v, %v", described, err)
	}
}
