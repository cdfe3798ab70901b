// Package stepfunctions runs a state machine's definition, as AWS would be given it, on this machine, for callers in Go
// and for clients of the Step Functions API.
//
// The engine is npm's aws-local-stepfunctions in Node processes, see Engine. This package adds features of AWS that
// the engine lacks: definition substitutions, the Invoke API of package lambda, errors under the functions' own
// names, and $$.Execution. It also enforces the limit of 262,144 bytes on every state's input and output. A Node
// process ends with its execution, its context, or this process.
//
// Spec: https://states-language.net/spec.html and https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
package stepfunctions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// ARN is that of a state machine whose Config names none.
const (
	ARN         = arnPrefix + "stateMachine:" + defaultName
	defaultName = "batch"
)

// Config of a state machine.
type Config struct {
	// Name of the state machine (default "batch").
	Name string
	// Definition in the Amazon States Language, with ${…} for every key of Substitutions.
	Definition []byte
	// Substitutions of ${key} by a value. A key that is missing here or in the definition is an error.
	Substitutions map[string]string
	// LambdaURL is the endpoint of the Invoke API.
	LambdaURL string
	// Engine runs the executions.
	Engine *Engine
	// RetryInterval, when not nil, replaces the waits of every Retry: for tests.
	RetryInterval *time.Duration
}

// Machine is a state machine that can be executed, any number of times at once.
type Machine struct {
	config     Config
	definition json.RawMessage
}

var (
	substitution  = regexp.MustCompile(`\$\{([A-Za-z0-9]+)\}`)
	executionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
)

// New checks the configuration and fills in the definition.
func New(config Config) (*Machine, error) {
	if config.Name == "" {
		config.Name = defaultName
	}
	if config.LambdaURL == "" || config.Engine == nil {
		return nil, errors.New("state machine: Config.LambdaURL and Config.Engine are required")
	}
	definition, err := substitute(config.Definition, config.Substitutions)
	if err != nil {
		return nil, fmt.Errorf("state machine: %w", err)
	}
	return &Machine{config, definition}, nil
}

// substitute fills in ${key} as CloudFormation's DefinitionSubstitutions do.
func substitute(definition []byte, values map[string]string) (json.RawMessage, error) {
	var faults []error
	used := map[string]bool{}
	filled := substitution.ReplaceAllFunc(definition, func(match []byte) []byte {
		key := string(match[2 : len(match)-1])
		value, ok := values[key]
		if !ok {
			faults = append(faults, fmt.Errorf("no value for ${%s}", key))
		}
		used[key] = true
		text, _ := json.Marshal(value) // a string always marshals
		return bytes.Trim(text, `"`)
	})
	for key := range values {
		if !used[key] {
			faults = append(faults, fmt.Errorf("${%s} is not in the definition", key))
		}
	}
	if len(faults) == 0 && !json.Valid(filled) {
		faults = append(faults, errors.New("the definition is not JSON"))
	}
	return filled, errors.Join(faults...)
}

// Event is something that happened to an execution, in the engine's words.
type Event struct {
	// Type is StateEntered, StateExited, StateFailed, StateRetried, StateCaught, MapIterationStarted,
	// MapIterationSucceeded or MapIterationFailed.
	Type string
	Time time.Time
	// State is the state's name, of a MapIteration… event the Map's. StateType is Task, Map, Choice and so on.
	State, StateType string
	// Iteration is the index in the Map, nil outside.
	Iteration *int
	// Input of the state, and its Output when it exited.
	Input, Output json.RawMessage
	// Error and Cause of a failure.
	Error, Cause string
	// Attempt counts a StateRetried from 1.
	Attempt int
}

// ExecutionError is an execution that failed.
type ExecutionError struct {
	Name  string // the error's name, such as SchemaMismatch or States.DataLimitExceeded
	Cause string // of a function: the raw JSON payload
}

// Error names the error and shows the function's message, if the cause holds one, or else the cause.
func (e *ExecutionError) Error() string { return e.Name + ": " + e.Message() }

// Message is the errorMessage of a function's payload, or any other cause as it is.
func (e *ExecutionError) Message() string {
	var payload struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(e.Cause), &payload) == nil && payload.Message != "" {
		return payload.Message
	}
	return strings.TrimSpace(e.Cause)
}
