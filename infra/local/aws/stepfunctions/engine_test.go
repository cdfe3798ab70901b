package stepfunctions_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/testbed/provisiontest"
	"recsys/infra/local/testbed/stepfunctionstest"
)

// A process is kept after an execution that ended, whichever way. A process that died, or one with an execution that
// was given up, is not kept.
func TestProcessesAreKept(t *testing.T) {
	engine := newEngine(t, provisiontest.NodeModules(t))
	giveUp, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	lambda := stepfunctionstest.New(t, functions{
		"f":       echo,
		"fails":   func(json.RawMessage) (any, error) { return nil, stepfunctionstest.Failure{Type: "Bad"} },
		"forever": func(json.RawMessage) (any, error) { cancel(); <-release; return nil, nil },
	})
	execute := func(ctx context.Context, function string) error {
		machine, err := stepfunctions.New(stepfunctions.Config{
			Definition: task(""), Substitutions: map[string]string{"F": function}, LambdaURL: lambda.URL(), Engine: engine,
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = machine.Execute(ctx, stepfunctionstest.Execution)
		return err
	}
	wantIdle := func(after string, want int) {
		t.Helper()
		if got := engine.Idle(); got != want {
			t.Errorf("after %s there are %d idle processes, want %d", after, got, want)
		}
	}
	if err := execute(t.Context(), "f"); err != nil {
		t.Fatal(err)
	}
	wantIdle("a success", 1)
	if err := execute(t.Context(), "fails"); !errors.As(err, new(*stepfunctions.ExecutionError)) {
		t.Errorf("error %v", err)
	}
	wantIdle("a failure", 1)
	engine.KillIdle()
	if err := execute(t.Context(), "f"); err != nil {
		t.Errorf("after the death of an idle process: %v", err)
	}
	wantIdle("a death", 1)
	if err := execute(giveUp, "forever"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	wantIdle("an execution that was given up", 0)
	if err := execute(t.Context(), "f"); err != nil {
		t.Fatal(err)
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	wantIdle("Close", 0)
}
