package stepfunctions

import (
	"context"
	"slices"

	"recsys/infra/local/aws/awscall"
)

type describeInput struct{ ExecutionArn string }

func (in describeInput) Resource() string { return in.ExecutionArn }

// listedExecution is an entry of ListExecutions.
type listedExecution struct {
	ExecutionArn    string   `json:"executionArn"`
	StateMachineArn string   `json:"stateMachineArn"`
	Name            string   `json:"name"`
	Status          string   `json:"status"`
	StartDate       instant  `json:"startDate"`
	StopDate        *instant `json:"stopDate,omitempty"`
}

type describedExecution struct {
	listedExecution
	Input         string    `json:"input"`
	InputDetails  included  `json:"inputDetails"`
	Output        string    `json:"output,omitempty"`
	OutputDetails *included `json:"outputDetails,omitempty"`
	Error         string    `json:"error,omitempty"`
	Cause         string    `json:"cause,omitempty"`
}

type included struct {
	Included bool `json:"included"`
}

func (s *Server) listed(e *execution, now outcome) listedExecution {
	listed := listedExecution{
		ExecutionArn: e.arn, StateMachineArn: s.machine.ARN(), Name: e.name, Status: now.status, StartDate: instant(e.started),
	}
	if !now.stopped.IsZero() {
		listed.StopDate = new(instant(now.stopped))
	}
	return listed
}

func (s *Server) describeExecution(_ context.Context, in describeInput) (described describedExecution, err error) {
	e, err := s.find(in.ExecutionArn)
	if err != nil {
		return described, err
	}
	now := e.now()
	described = describedExecution{
		listedExecution: s.listed(e, now), Input: e.input, InputDetails: included{true},
		Output: string(now.output), Error: now.failure, Cause: now.cause,
	}
	if now.output != nil {
		described.OutputDetails = &included{true}
	}
	return described, nil
}

type historyInput struct {
	ExecutionArn         string
	MaxResults           int
	NextToken            string
	ReverseOrder         bool
	IncludeExecutionData *bool // default true
}

func (in historyInput) Resource() string { return in.ExecutionArn }

type historyOutput struct {
	Events    []historyEvent `json:"events"`
	NextToken string         `json:"nextToken,omitempty"`
}

func (s *Server) getExecutionHistory(_ context.Context, in historyInput) (out historyOutput, err error) {
	e, err := s.find(in.ExecutionArn)
	if err != nil {
		return out, err
	}
	events := e.events()
	if in.ReverseOrder {
		slices.Reverse(events)
	}
	from, to, next, err := pageOf(len(events), in.MaxResults, in.NextToken)
	if err != nil {
		return out, err
	}
	events = events[from:to]
	if in.IncludeExecutionData != nil && !*in.IncludeExecutionData {
		for i, event := range events {
			events[i] = event.withoutData()
		}
	}
	return historyOutput{events, next}, nil
}

type listInput struct {
	StateMachineArn, StatusFilter, NextToken string
	MaxResults                               int
}

func (in listInput) Resource() string { return in.StateMachineArn }

type listOutput struct {
	Executions []listedExecution `json:"executions"`
	NextToken  string            `json:"nextToken,omitempty"`
}

// listExecutions lists the newest first.
func (s *Server) listExecutions(_ context.Context, in listInput) (out listOutput, err error) {
	if err := s.checkMachine(in.StateMachineArn); err != nil {
		return out, err
	}
	s.mu.Lock()
	executions := slices.Clone(s.executions)
	s.mu.Unlock()
	slices.Reverse(executions)
	all := []listedExecution{}
	for _, e := range executions {
		if now := e.now(); in.StatusFilter == "" || in.StatusFilter == now.status {
			all = append(all, s.listed(e, now))
		}
	}
	from, to, next, err := pageOf(len(all), in.MaxResults, in.NextToken)
	if err != nil {
		return out, err
	}
	return listOutput{all[from:to], next}, nil
}

type machineInput struct{ StateMachineArn string }

func (in machineInput) Resource() string { return in.StateMachineArn }

type machineOutput struct {
	StateMachineArn string  `json:"stateMachineArn"`
	Name            string  `json:"name"`
	Type            string  `json:"type"`
	CreationDate    instant `json:"creationDate"`
	Status          string  `json:"status,omitempty"`
	Definition      string  `json:"definition,omitempty"`
	RoleArn         string  `json:"roleArn,omitempty"`
}

type machinesOutput struct {
	StateMachines []machineOutput `json:"stateMachines"`
}

func (s *Server) listStateMachines(context.Context, machineInput) (machinesOutput, error) {
	return machinesOutput{[]machineOutput{s.listedMachine()}}, nil
}

func (s *Server) listedMachine() machineOutput {
	return machineOutput{StateMachineArn: s.machine.ARN(), Name: s.machine.config.Name, Type: "STANDARD", CreationDate: instant(s.created)}
}

func (s *Server) describeStateMachine(_ context.Context, in machineInput) (machineOutput, error) {
	if err := s.checkMachine(in.StateMachineArn); err != nil {
		return machineOutput{}, err
	}
	described := s.listedMachine()
	described.Status, described.Definition, described.RoleArn = "ACTIVE", string(s.machine.definition), awscall.RoleARN
	return described, nil
}
