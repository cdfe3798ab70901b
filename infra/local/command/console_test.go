package main

import (
	"bytes"
	"strings"
	"testing"

	"recsys/infra/local/aws/stepfunctions"
)

func TestARetryNamesTheErrorBefore(t *testing.T) {
	var out bytes.Buffer
	c := newConsole(&out)
	range3 := 3
	for _, e := range []stepfunctions.Event{
		{Type: "StateEntered", State: "Extract", Iteration: &range3},
		{Type: "StateFailed", State: "Extract", Iteration: &range3, Error: "SourceUnavailable"},
		{Type: "StateFailed", State: "Train", Error: "OutOfTime"},
		{Type: "StateRetried", State: "Extract", Iteration: &range3, Attempt: 1},
	} {
		e.StateType = "Task"
		c.event(e)
	}
	if !strings.Contains(out.String(), "attempt 2 after SourceUnavailable\n") {
		t.Errorf("printed %s", &out)
	}
}

// A superseded run is reported once, by the state in which it happened.
func TestSupersededIsSaidInWords(t *testing.T) {
	var out bytes.Buffer
	c := newConsole(&out)
	published := `{"trainingData":{"status":"superseded","reason":"run b is visible"}}`
	indexed := `{"trainingData":{"status":"superseded","reason":"run b is visible"},"embeddings":{"upload":{"status":"uploaded"},"index":{"status":"superseded","reason":"version 2 became active"}}}`
	before := `{"trainingData":{"status":"superseded","reason":"run b is visible"},"embeddings":{"upload":{"status":"uploaded"}}}`
	for _, step := range [][2]string{{`{"plan":{}}`, published}, {published, before}, {before, indexed}} {
		c.event(stepfunctions.Event{Type: "StateExited", StateType: "Task", State: "A", Input: []byte(step[0]), Output: []byte(step[1])})
	}
	for _, want := range []string{"superseded: run b is visible\n", "superseded: version 2 became active\n"} {
		if got := strings.Count(out.String(), want); got != 1 {
			t.Errorf("%q is said %d times:\n%s", want, got, &out)
		}
	}
}
