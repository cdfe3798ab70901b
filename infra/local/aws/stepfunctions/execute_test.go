package stepfunctions_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"recsys/infra/local/aws/lambda"
	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/provisiontest"
	"recsys/infra/local/testbed/stepfunctionstest"
)

type functions = map[string]stepfunctionstest.Function

func echo(payload json.RawMessage) (any, error) { return payload, nil }

// task is a definition of one Task that calls the function f. more holds further fields of it.
func task(more string) []byte {
	return []byte(`{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke",
		"Parameters":{"FunctionName":"${F}","Payload":{"in.$":"$","id.$":"$$.Execution.Id","name.$":"$$.Execution.Name",
		"start.$":"$$.Execution.StartTime","machine.$":"$$.StateMachine.Name","role.$":"$$.Execution.RoleArn"}},` + more + `"End":true}}}`)
}

var f = map[string]string{"F": "f"}

func newEngine(t *testing.T, modules string) *stepfunctions.Engine {
	t.Helper()
	engine, err := stepfunctions.NewEngine(modules)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return engine
}

func TestATaskSeesItsContextAndAnswersAsOnAWS(t *testing.T) {
	h := stepfunctionstest.New(t, functions{"f": echo})
	output, err := h.Run(t.Context(), task(""), f, `{"a":[1,null,false,""]}`)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"ExecutedVersion":"$LATEST","Payload":{"in":{"a":[1,null,false,""]},` +
		`"id":"arn:aws:states:us-east-1:000000000000:execution:batch:run-1","name":"run-1","start":"2026-01-02T03:04:05.678Z",` +
		`"machine":"batch","role":"arn:aws:iam::000000000000:role/local"},"StatusCode":200}`
	if output != want {
		t.Errorf("output\n%s\nwant\n%s", output, want)
	}
}

func TestAFailureKeepsItsNameAndRawCause(t *testing.T) {
	h := stepfunctionstest.New(t, functions{"f": func(json.RawMessage) (any, error) {
		return nil, stepfunctionstest.Failure{Type: "SchemaMismatch", Message: "no table \"ratings\""}
	}})
	for name, substitutions := range map[string]map[string]string{
		"SchemaMismatch": f, "Lambda.ResourceNotFoundException": {"F": "unknown"},
	} {
		_, err := h.Run(t.Context(), task(""), substitutions, "")
		var failed *stepfunctions.ExecutionError
		if !errors.As(err, &failed) || failed.Name != name {
			t.Errorf("error %v, want %s", err, name)
			continue
		}
		if name == "SchemaMismatch" && (failed.Cause != `{"errorMessage":"no table \"ratings\"","errorType":"SchemaMismatch"}`+"\n" || err.Error() != `SchemaMismatch: no table "ratings"`) {
			t.Errorf("cause %q, text %q", failed.Cause, err)
		}
	}
}

func TestRetryCatchAndEvents(t *testing.T) {
	attempts := 0
	h := stepfunctionstest.New(t, functions{"f": func(json.RawMessage) (any, error) {
		if attempts++; attempts < 3 {
			return nil, stepfunctionstest.Failure{Type: "SourceUnavailable", Message: "away"}
		}
		return "done", nil
	}})
	output, err := h.Run(t.Context(), task(`"Retry":[{"ErrorEquals":["SourceUnavailable"],"MaxAttempts":2}],"ResultSelector":{"is.$":"$.Payload"},`), f, `{}`)
	if err != nil || output != `{"is":"done"}` {
		t.Fatalf("output %s, %v", output, err)
	}
	var kinds []string
	for _, event := range h.Events() {
		if event.State != "T" || event.StateType != "Task" || event.Time.IsZero() || string(event.Input) != "{}" || event.Iteration != nil {
			t.Errorf("event %+v", event)
		}
		kinds = append(kinds, fmt.Sprint(event.Type, event.Attempt, event.Error, string(event.Output)))
	}
	want := "[StateEntered0 StateFailed0SourceUnavailable StateRetried1 StateFailed0SourceUnavailable StateRetried2 StateExited0{\"is\":\"done\"}]"
	if fmt.Sprint(kinds) != want {
		t.Errorf("events %v\nwant   %s", kinds, want)
	}
}

func TestEveryStatesDataIsLimited(t *testing.T) {
	// The answers leave room for the envelope of lambda:invoke.
	answer := func(bytes int) stepfunctionstest.Function {
		return func(json.RawMessage) (any, error) { return strings.Repeat("é", bytes/2), nil }
	}
	h := stepfunctionstest.New(t, functions{"fits": answer(262_000), "large": answer(262_144)})
	caught := `"Retry":[{"ErrorEquals":["States.ALL"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"T"}],`
	if _, err := h.Run(t.Context(), task(caught), map[string]string{"F": "fits"}, ""); err != nil {
		t.Error(err)
	}
	twice := `{"StartAt":"P","States":{"P":{"Type":"Pass","Parameters":{"a.$":"$","b.$":"$"},"Next":"Q"},"Q":{"Type":"Pass","End":true}}}`
	half := fmt.Sprintf("%q", strings.Repeat("x", 140_000))
	for name, run := range map[string]func() (string, error){
		"a task's result": func() (string, error) { return h.Run(t.Context(), task(caught), map[string]string{"F": "large"}, "") },
		"a task's input": func() (string, error) {
			return h.Run(t.Context(), task(caught), map[string]string{"F": "fits"}, fmt.Sprintf("%q", strings.Repeat("x", 262_000)))
		},
		"a pass's output": func() (string, error) { return h.Run(t.Context(), []byte(twice), nil, half) },
	} {
		_, err := run()
		var failed *stepfunctions.ExecutionError
		if !errors.As(err, &failed) || failed.Name != "States.DataLimitExceeded" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if calls := h.Calls(); len(calls) != 2 {
		t.Errorf("%d calls, want 2: none is repeated, none is made with too large an input", len(calls))
	}
}

// fanOut is a Map over the input with two at a time. It catches into a Fail state that keeps error and cause.
var fanOut = []byte(`{"StartAt":"M","States":{
	"M":{"Type":"Map","MaxConcurrency":2,"ItemSelector":{"index.$":"$$.Map.Item.Index","value.$":"$$.Map.Item.Value","start.$":"$$.Execution.StartTime"},
		"ItemProcessor":{"ProcessorConfig":{"Mode":"INLINE"},"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke",
			"Parameters":{"FunctionName":"${F}","Payload.$":"$"},"ResultSelector":{"p.$":"$.Payload"},"OutputPath":"$.p","End":true}}},
		"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Failed"}],"End":true},
	"Failed":{"Type":"Fail","ErrorPath":"$.Error","CausePath":"$.Cause"}}}`)

func TestAMapRunsItsBranchesWithTheirIndex(t *testing.T) {
	h := stepfunctionstest.New(t, functions{"f": echo})
	output, err := h.Run(t.Context(), fanOut, f, `[null,0,{"a":1}]`)
	const start = `,"start":"2026-01-02T03:04:05.678Z"}`
	want := `[{"index":0,"value":null` + start + `,{"index":1,"value":0` + start + `,{"index":2,"value":{"a":1}` + start + `]`
	if err != nil || output != want {
		t.Fatalf("output %s, %v\nwant   %s", output, err, want)
	}
	exited := map[int]bool{}
	for _, event := range h.Events() {
		if event.Type == "StateExited" && event.State == "T" {
			exited[*event.Iteration] = true
		}
	}
	if len(exited) != 3 {
		t.Errorf("iterations that exited: %v", exited)
	}
}

func TestAFailedMapKeepsTheErrorAndStartsNothingMore(t *testing.T) {
	both := sync.WaitGroup{}
	both.Add(2)
	h := stepfunctionstest.New(t, functions{"f": func(payload json.RawMessage) (any, error) {
		both.Done()
		both.Wait() // two branches run when the first fails
		return nil, stepfunctionstest.Failure{Type: "InvalidInput", Message: string(payload)}
	}})
	_, err := h.Run(t.Context(), fanOut, f, `[1,2,3,4,5,6,7,8,9,10]`)
	var failed *stepfunctions.ExecutionError
	if !errors.As(err, &failed) || failed.Name != "InvalidInput" || !strings.Contains(failed.Message(), `"value":`) {
		t.Errorf("error %v", err)
	}
	if calls := h.Calls(); len(calls) != 2 {
		t.Errorf("%d branches started, want 2", len(calls))
	}
}

func TestSubstitutionsMustMatch(t *testing.T) {
	_, err := stepfunctions.New(stepfunctions.Config{
		Definition: task(""), Substitutions: map[string]string{"G": "g"}, LambdaURL: "http://127.0.0.1:1", Engine: newEngine(t, "x"),
	})
	if err == nil || !strings.Contains(err.Error(), "${F}") || !strings.Contains(err.Error(), "${G}") {
		t.Errorf("error %v, want one that names ${F} and ${G}", err)
	}
}

func TestADefinitionThatTheEngineCannotRunIsRefused(t *testing.T) {
	h := stepfunctionstest.New(t, nil)
	if _, err := h.Run(t.Context(), []byte(`{"StartAt":"X","States":{}}`), nil, ""); err == nil || !strings.Contains(err.Error(), "definition is invalid") {
		t.Errorf("invalid definition: %v", err)
	}
	machine, err := stepfunctions.New(stepfunctions.Config{Definition: task(""), Substitutions: f, LambdaURL: "http://127.0.0.1:1", Engine: newEngine(t, t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := machine.Execute(t.Context(), stepfunctionstest.Execution); err == nil || !strings.Contains(err.Error(), "Cannot find module") {
		t.Errorf("no engine: %v", err)
	}
}

func TestTheEngineEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("Ctrl-C")
	release := make(chan struct{})
	h := stepfunctionstest.New(t, functions{"f": func(json.RawMessage) (any, error) {
		cancel(stop)
		<-release
		return nil, nil
	}})
	defer close(release)
	if _, err := h.Run(ctx, task(""), f, ""); !errors.Is(err, stop) {
		t.Errorf("error %v, want the context's cause", err)
	}
}

func TestTheEngineEndsWhenItsStdinDoes(t *testing.T) {
	command := exec.Command("node", "--input-type=module", "--eval", stepfunctions.Program, provisiontest.NodeModules(t))
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if err := stdin.Close(); err != nil { // as the kernel does when the parent dies
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case <-ended:
	case <-time.After(testbed.Patience):
		_ = command.Process.Kill()
		t.Fatalf("still running %v after its stdin ended", testbed.Patience)
	}
}

func TestTheEngineInvokesRealFunctions(t *testing.T) {
	engine := newEngine(t, provisiontest.NodeModules(t))
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags=lambda.norpc", "-o", bootstrap, "../lambda/testdata/function")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	emulator, err := lambda.Start(t.Context(), lambda.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer emulator.Close()
	machine, err := stepfunctions.New(stepfunctions.Config{
		Definition: []byte(strings.ReplaceAll(string(task(`"ResultSelector":{},`)), `"in.$":"$"`, `"Do.$":"$"`)), Substitutions: f,
		LambdaURL: emulator.URL(), Engine: engine,
	})
	if err != nil {
		t.Fatal(err)
	}
	for do, want := range map[string]string{
		"answer": "", "fail": "Named", "exit": "Runtime.ExitError", "hang": "Sandbox.Timedout",
	} {
		timeout := testbed.Patience
		if do == "hang" {
			timeout = time.Second
		}
		if err := emulator.Register(lambda.Function{Name: "f", Bootstrap: bootstrap, Timeout: timeout}); err != nil {
			t.Fatal(err)
		}
		execution := stepfunctionstest.Execution
		execution.Input = fmt.Appendf(nil, "%q", do)
		_, err := machine.Execute(t.Context(), execution)
		var failed *stepfunctions.ExecutionError
		if errors.As(err, &failed) != (want != "") || (failed != nil && failed.Name != want) {
			t.Errorf("%q: %v, want %s", do, err, want)
		}
	}
}
