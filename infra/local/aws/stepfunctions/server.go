package stepfunctions

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/awsjson"
	"recsys/infra/local/aws/loopback"
)

// maxRequestBytes is over an input at its limit, as a text within JSON.
const maxRequestBytes = 2 << 20

// Server answers the Step Functions API for one state machine. It knows the executions that it started, as long as it runs.
//
// Spec: https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html
type Server struct {
	*loopback.Server
	machine *Machine
	created time.Time
	hooks   awscall.Point

	running context.Context // ends with Close
	stop    context.CancelFunc
	done    sync.WaitGroup

	mu         sync.Mutex
	executions []*execution // oldest first
}

// Serve answers for the machine until Close, which aborts running executions. ctx bounds the start only.
func Serve(ctx context.Context, machine *Machine) (*Server, error) {
	s := &Server{machine: machine, created: time.Now()}
	s.running, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	var err error
	s.Server, err = loopback.Serve(ctx, "", &awsjson.Service{
		Name: "states", Target: "AWSStepFunctions", Version: "1.0", MaxBytes: maxRequestBytes, Hooks: &s.hooks,
		Operations: map[string]awsjson.Operation{
			"StartExecution":       awsjson.Do(true, s.startExecution),
			"StopExecution":        awsjson.Do(true, s.stopExecution),
			"DescribeExecution":    awsjson.Do(false, s.describeExecution),
			"GetExecutionHistory":  awsjson.Do(false, s.getExecutionHistory),
			"ListExecutions":       awsjson.Do(false, s.listExecutions),
			"ListStateMachines":    awsjson.Do(false, s.listStateMachines),
			"DescribeStateMachine": awsjson.Do(false, s.describeStateMachine),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("starting the local Step Functions: %w", err)
	}
	return s, nil
}

// Close stops listening, aborts running executions, and waits for them.
func (s *Server) Close() error {
	err := s.Server.Close()
	s.stop()
	s.done.Wait()
	return err
}

type startInput struct{ StateMachineArn, Name, Input string }

func (in startInput) Resource() string { return in.StateMachineArn }

type startOutput struct {
	ExecutionArn string  `json:"executionArn"`
	StartDate    instant `json:"startDate"`
}

// startExecution starts one. The same name and input return the execution that runs, so that a client may try again.
func (s *Server) startExecution(_ context.Context, in startInput) (startOutput, error) {
	if err := s.checkMachine(in.StateMachineArn); err != nil {
		return startOutput{}, err
	}
	if in.Name == "" {
		in.Name = uuid.NewString()
	}
	if in.Input == "" {
		in.Input = "{}"
	}
	if !executionName.MatchString(in.Name) {
		return startOutput{}, awsjson.Errorf("InvalidName", "Invalid Name: '%s': want 1 to 80 letters, digits, '-' or '_'", in.Name)
	}
	job := Execution{Name: in.Name, Input: []byte(in.Input), StartTime: time.Now()}
	if _, err := s.machine.job(job); err != nil {
		return startOutput{}, awsjson.Errorf("InvalidExecutionInput", "Invalid State Machine Execution Input: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.executions {
		if e.name != in.Name {
			continue
		}
		if e.input == in.Input && e.now().status == "RUNNING" {
			return startOutput{e.arn, instant(e.started)}, nil
		}
		return startOutput{}, awsjson.Errorf("ExecutionAlreadyExists", "Execution Already Exists: '%s'", e.arn)
	}
	e := newExecution(s.machine.executionARN(in.Name), job)
	s.executions = append(s.executions, e)
	ctx, cancel := context.WithCancel(s.running)
	e.cancel = cancel
	s.done.Go(func() {
		defer cancel()
		_, _ = e.run(ctx, s.machine, job) // the outcome is kept
	})
	return startOutput{e.arn, instant(e.started)}, nil
}

// Execute runs a machine to its end, as Machine.Execute does, and lists the execution like one that a client started. The machine may
// differ from the server's in its waits.
func (s *Server) Execute(ctx context.Context, machine *Machine, job Execution) (json.RawMessage, error) {
	e := newExecution(s.machine.executionARN(job.Name), job)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e.cancel = cancel
	s.mu.Lock()
	s.executions = append(s.executions, e)
	s.mu.Unlock()
	return e.run(ctx, machine, job)
}

type stopInput struct{ ExecutionArn, Error, Cause string }

func (in stopInput) Resource() string { return in.ExecutionArn }

type stopOutput struct {
	StopDate instant `json:"stopDate"`
}

func (s *Server) stopExecution(_ context.Context, in stopInput) (stopOutput, error) {
	e, err := s.find(in.ExecutionArn)
	if err != nil {
		return stopOutput{}, err
	}
	e.end(outcome{status: "ABORTED", failure: in.Error, cause: in.Cause})
	e.cancel()
	return stopOutput{instant(e.now().stopped)}, nil
}

func (s *Server) find(arn string) (*execution, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.executions {
		if e.arn == arn {
			return e, nil
		}
	}
	return nil, awsjson.Errorf("ExecutionDoesNotExist", "Execution Does Not Exist: '%s'", arn)
}

func (s *Server) checkMachine(arn string) error {
	if arn != s.machine.ARN() {
		return awsjson.Errorf("StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'; there is '%s'", arn, s.machine.ARN())
	}
	return nil
}

// instant is a time as the protocol has it: seconds since 1970, with milliseconds.
type instant time.Time

func (i instant) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(i).UnixMilli())/1000, 'f', 3, 64), nil
}

// pageOf returns the bounds of a page of n things. The token is where the next one begins.
func pageOf(n, limit int, token string) (from, to int, next string, err error) {
	if token != "" {
		if from, err = strconv.Atoi(token); err != nil || from < 0 || from > n {
			return 0, 0, "", awsjson.Errorf("InvalidToken", "Invalid Token: '%s'", token)
		}
	}
	if limit < 0 || limit > maxPage {
		return 0, 0, "", awsjson.Errorf("ValidationException", "maxResults is %d: want 1 to %d", limit, maxPage)
	}
	if limit == 0 {
		limit = defaultPage
	}
	to = min(n, from+limit)
	if to < n {
		next = strconv.Itoa(to)
	}
	return from, to, next, nil
}

// The API's page sizes.
const (
	defaultPage = 100
	maxPage     = 1000
)

// ARN returns the state machine's name for the API.
func (m *Machine) ARN() string { return arnPrefix + "stateMachine:" + m.config.Name }

func (m *Machine) executionARN(name string) string {
	return strings.Join([]string{arnPrefix + "execution", m.config.Name, name}, ":")
}
