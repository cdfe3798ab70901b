package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"recsys/shared/contract/workflow"
)

// run is an execution of the state machine.
type run struct {
	ARN, Name string
	Status    string // as Step Functions says, in small letters
	Started   time.Time
	Took      time.Duration
	Running   bool
}

// shownRuns is how many executions are listed.
const shownRuns = 10

// runs lists the last executions, the newest first.
func (s Source) runs(ctx context.Context) ([]run, error) {
	listed, err := s.Workflow.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &s.Machine, MaxResults: shownRuns})
	if err != nil {
		return nil, fmt.Errorf("listing the runs: %w", err)
	}
	var runs []run
	for _, e := range listed.Executions {
		r := run{ARN: aws.ToString(e.ExecutionArn), Name: aws.ToString(e.Name), Status: statusWord(e.Status), Started: aws.ToTime(e.StartDate),
			Running: e.Status == types.ExecutionStatusRunning}
		end := aws.ToTime(e.StopDate)
		if r.Running {
			end = time.Now()
		}
		r.Took = end.Sub(r.Started)
		runs = append(runs, r)
	}
	return runs, nil
}

func statusWord(s types.ExecutionStatus) string {
	switch s {
	case types.ExecutionStatusRunning:
		return "running"
	case types.ExecutionStatusSucceeded:
		return "succeeded"
	case types.ExecutionStatusTimedOut:
		return "timed out"
	case types.ExecutionStatusAborted:
		return "stopped"
	}
	return "failed"
}

// output is an execution's, as far as the pages show it.
type output struct {
	Plan         *workflow.Plan
	TrainingData workflow.Published
	Training     workflow.Trained
	Embeddings   struct {
		Upload     workflow.Uploaded
		Evaluation *workflow.Evaluated
		Index      *workflow.Indexed
	}
}

// detail is one execution with its result.
type detail struct {
	run
	Input, Error, Cause string
	Output              output
	Steps               []step
}

// detail reads an execution with its history.
func (s Source) detail(ctx context.Context, of run) (detail, error) {
	d, err := s.described(ctx, of)
	if err != nil {
		return d, err
	}
	events, err := s.history(ctx, of)
	if err != nil {
		return d, err
	}
	d.Steps = steps(events, of)
	return d, nil
}

// described reads an execution's input and result.
func (s Source) described(ctx context.Context, of run) (detail, error) {
	d := detail{run: of}
	described, err := s.Workflow.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &of.ARN})
	if err != nil {
		return d, fmt.Errorf("reading the run %s: %w", of.Name, err)
	}
	d.Input, d.Error, d.Cause = aws.ToString(described.Input), aws.ToString(described.Error), messageOf(aws.ToString(described.Cause))
	_ = json.Unmarshal([]byte(aws.ToString(described.Output)), &d.Output) // what is not there is not shown
	return d, nil
}

// messageOf returns the message of a cause. That of a function is a JSON object.
func messageOf(cause string) string {
	var failed struct{ ErrorMessage string }
	if json.Unmarshal([]byte(cause), &failed) == nil && failed.ErrorMessage != "" {
		return failed.ErrorMessage
	}
	return cause
}

// maxEvents bounds what is read of a history. A run of 400 ranges has about 4,000 events.
const maxEvents = 10000

func (s Source) history(ctx context.Context, of run) ([]types.HistoryEvent, error) {
	var events []types.HistoryEvent
	pages := sfn.NewGetExecutionHistoryPaginator(s.Workflow, &sfn.GetExecutionHistoryInput{ExecutionArn: &of.ARN, MaxResults: 1000})
	for pages.HasMorePages() && len(events) < maxEvents {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the history of the run %s: %w", of.Name, err)
		}
		events = append(events, page.Events...)
	}
	return events, nil
}

// startRun starts the whole workflow.
func (s *Server) startRun(ctx context.Context, _ *http.Request) (string, error) {
	name, err := s.source.start(ctx, "{}")
	return "/?run=" + name, err
}

// activate makes a kept version the active one, by a run of the state machine.
func (s *Server) activate(ctx context.Context, r *http.Request) (string, error) {
	version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	if err != nil || version < 1 {
		return "", &wrongInput{"version: want a number, 1 and up"}
	}
	name, err := s.source.start(ctx, fmt.Sprintf(`{"activate":%d}`, version))
	return "/?run=" + name, err
}

func (s Source) start(ctx context.Context, input string) (name string, err error) {
	name = "console-" + time.Now().UTC().Format("20060102T150405")
	_, err = s.Workflow.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &s.Machine, Name: &name, Input: &input})
	if errors.As(err, new(*types.ExecutionAlreadyExists)) {
		return name, nil // a form that was sent twice in this second
	}
	if err != nil {
		return name, fmt.Errorf("starting a run: %w", err)
	}
	return name, nil
}
