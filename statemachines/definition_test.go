package statemachines_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"recsys/infra/local/testbed/provisiontest"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
	"recsys/statemachines"
)

// allowed lists, for each type of state, the fields that both AWS and the local engine execute alike.
var allowed = map[string][]string{
	"Task":    {"Resource", "Parameters", "TimeoutSeconds", "Retry", "Catch", "ResultSelector", "ResultPath", "Next", "End"},
	"Map":     {"ItemsPath", "MaxConcurrencyPath", "ItemSelector", "ItemProcessor", "Catch", "ResultPath", "Next"},
	"Choice":  {"Choices", "Default"},
	"Pass":    {"Result", "Next", "End"},
	"Succeed": {},
	"Fail":    {"Error", "Cause", "ErrorPath", "CausePath"},
}

type state map[string]json.RawMessage

func (s state) read(tb testing.TB, field string, into any) {
	tb.Helper()
	if s[field] == nil {
		return
	}
	if err := json.Unmarshal(s[field], into); err != nil {
		tb.Fatalf("%s: %v", field, err)
	}
}

type machine struct {
	TimeoutSeconds  int
	QueryLanguage   string
	ProcessorConfig struct{ Mode string }
	States          map[string]state
}

// walk visits every state at any depth. top tells those that are in no Map.
func walk(tb testing.TB, visit func(name, kind string, s state, top bool)) {
	tb.Helper()
	var whole machine
	if err := json.Unmarshal(statemachines.Batch, &whole); err != nil {
		tb.Fatal(err)
	}
	seen := map[string]bool{}
	var descend func(m machine, top bool)
	descend = func(m machine, top bool) {
		if m.QueryLanguage != "" || (!top && m.ProcessorConfig.Mode != "INLINE") {
			tb.Errorf("query language %q, mode %q: want none, and INLINE", m.QueryLanguage, m.ProcessorConfig.Mode)
		}
		for name, s := range m.States {
			var kind string
			s.read(tb, "Type", &kind)
			if seen[name] {
				tb.Errorf("two states have the name %s", name)
			}
			seen[name] = true
			visit(name, kind, s, top)
			if kind == "Map" {
				var inner machine
				s.read(tb, "ItemProcessor", &inner)
				descend(inner, false)
			}
		}
	}
	descend(whole, true)
	if whole.TimeoutSeconds != 12*60*60 {
		tb.Errorf("the workflow may take %d s: want 12 hours, so that a run that hangs ends and is counted", whole.TimeoutSeconds)
	}
}

func TestTheDefinitionStaysInTheLanguageThatBothEnginesSpeak(t *testing.T) {
	walk(t, func(name, kind string, s state, _ bool) {
		fields, known := allowed[kind]
		if !known {
			t.Errorf("%s: states of type %s are not allowed", name, kind)
		}
		for field := range s {
			if !slices.Contains(append(fields, "Type", "Comment"), field) {
				t.Errorf("%s: a %s with %s is not allowed", name, kind, field)
			}
		}
		// The local engine takes "IsPresent": false for never.
		if negative := regexp.MustCompile(`"Is[A-Z][a-z]+": *false`); negative.Match(s["Choices"]) {
			t.Errorf("%s: write Not around a test, not false in it", name)
		}
	})
}

func TestEveryTaskInvokesAFunctionAndRetriesAlike(t *testing.T) {
	used := map[string]bool{}
	timeouts := timeoutsOfFunctions(t)
	tasks := 0
	walk(t, func(name, kind string, s state, top bool) {
		var catch []struct {
			ErrorEquals []string
			Next        string
		}
		s.read(t, "Catch", &catch)
		end := "Failed"
		if name == "PlanExport" || name == "ExportRanges" || name == "PublishExport" {
			end = "ExportFailed"
		}
		if catches := fmt.Sprint(catch) == "[{[States.ALL] "+end+"}]"; catches != (top && (kind == "Task" || kind == "Map")) {
			t.Errorf("%s: Catch is %v", name, catch)
		}
		if kind != "Task" {
			return
		}
		tasks++
		var resource string
		var parameters struct {
			FunctionName string
			Payload      map[string]any
		}
		var timeout int
		s.read(t, "Resource", &resource)
		s.read(t, "Parameters", &parameters)
		s.read(t, "TimeoutSeconds", &timeout)
		lambda := timeouts[parameters.FunctionName]
		if beyond := time.Duration(timeout)*time.Second - lambda; resource != "arn:aws:states:::lambda:invoke" || beyond <= 0 || beyond > time.Minute {
			t.Errorf("%s: resource %s, time-out %d s: want a little more than the function's own %v", name, resource, timeout, lambda)
		}
		if parameters.Payload["run.$"] == nil || parameters.Payload["startedAt.$"] == nil {
			t.Errorf("%s: the payload %v has no run", name, parameters.Payload)
		}
		used[parameters.FunctionName] = true
		checkRetry(t, name, s)
	})
	if tasks != 15 || len(used) != len(workflow.Placeholders()) {
		t.Errorf("%d tasks invoke %v", tasks, used)
	}
	for name, folder := range workflow.Placeholders() {
		if !used["${"+name+"}"] {
			t.Errorf("${%s} is not used", name)
		}
		if _, err := os.Stat(filepath.Join("..", "functions", folder)); err != nil {
			t.Error(err)
		}
	}
}

// timeoutsOfFunctions are those of package workflow, by substitution.
func timeoutsOfFunctions(t *testing.T) map[string]time.Duration {
	t.Helper()
	timeouts := map[string]time.Duration{}
	for _, step := range workflow.Steps(workflow.Resources{}, settings.Options{}) {
		if step.RunBy == workflow.StateMachine {
			timeouts["${"+step.Placeholder()+"}"] = step.Timeout
		}
	}
	return timeouts
}

func checkRetry(t *testing.T, name string, s state) {
	t.Helper()
	var retry []struct {
		ErrorEquals                                   []string
		MaxAttempts, IntervalSeconds, MaxDelaySeconds int
		BackoffRate                                   float64
		JitterStrategy                                string
	}
	s.read(t, "Retry", &retry)
	if len(retry) != 3 {
		t.Errorf("%s: %d retriers", name, len(retry))
		return
	}
	if never := retry[0]; !slices.Equal(never.ErrorEquals, failure.Permanent()) || never.MaxAttempts != 0 {
		t.Errorf("%s: first retrier %+v, want failure.Permanent %v and no attempt", name, never, failure.Permanent())
	}
	// Two runs at once may want more calls than a new account's quota of ten. They wait for each other for half an hour.
	if full := retry[1]; !slices.Equal(full.ErrorEquals, []string{"Lambda.TooManyRequestsException"}) || full.MaxAttempts != 30 ||
		full.IntervalSeconds != 5 || full.BackoffRate != 1.5 || full.MaxDelaySeconds != 120 || full.JitterStrategy != "FULL" {
		t.Errorf("%s: second retrier %+v", name, full)
	}
	all := retry[2]
	if !slices.Equal(all.ErrorEquals, []string{"States.ALL"}) || all.MaxAttempts < 3 || all.BackoffRate < 1.5 ||
		all.IntervalSeconds < 1 || all.MaxDelaySeconds < all.IntervalSeconds || all.JitterStrategy != "FULL" {
		t.Errorf("%s: third retrier %+v", name, all)
	}
}

func TestTheLinterIsContent(t *testing.T) {
	linter := filepath.Join(provisiontest.NodeModules(t), ".bin", "asl-validator")
	if output, err := exec.CommandContext(t.Context(), linter, "--json-path", "batch.asl.json").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
