package statemachines_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/testbed/stepfunctionstest"
	"recsys/shared/contract/workflow"
	"recsys/statemachines"
)

type functions = map[string]stepfunctionstest.Function

// answers are functions that succeed, with the answers of package workflow.
func answers(ranges int) functions {
	plan := workflow.Plan{MaxConcurrency: 2, EstimatedRows: 30}
	for i := range ranges {
		plan.Ranges = append(plan.Ranges, workflow.Range{Index: i})
	}
	always := func(answer any) stepfunctionstest.Function {
		return func(json.RawMessage) (any, error) { return answer, nil }
	}
	return functions{
		"plan-extract":          always(plan),
		"extract":               always(workflow.Extracted{Ratings: 10, Customers: 2, Products: 5}),
		"transform":             always(workflow.Transformed{Rows: 9, Rejected: 1}),
		"partition-write":       always(workflow.Partitioned{Partitions: 2, Rows: 9}),
		"publish-training-data": always(workflow.Published{Status: "published", Snapshot: "run-1", Partitions: 6, Rows: 27, Rejected: 3}),
		"train":                 always(workflow.Trained{Status: "trained", Artifacts: "trained/run-1/", Snapshot: "run-1", Customers: 98, Items: 110, Ratings: 2500, Iterations: 8, Loss: 5.5}),
		"evaluate":              always(workflow.Evaluated{Status: "passed", Promote: true, Version: 7, Reason: "better", NDCG10: 0.5, Popularity10: 0.25, Random10: 0.125, Report: "s3://lake/report"}),
		"embedding-upload":      always(workflow.Uploaded{Status: "uploaded", Version: 7, Dimension: 32, Items: 109, Users: 98}),
		"vector-index":          always(workflow.Indexed{Status: "activated", Version: 7, Recall: 0.99, EfSearch: 40}),
		"export":                exports(workflow.ExportPlan{Status: "off", Version: 0, Ranges: []workflow.ListRange{}, MaxConcurrency: 1}),
	}
}

// exports answers each part of an export.
func exports(plan workflow.ExportPlan) stepfunctionstest.Function {
	return func(payload json.RawMessage) (any, error) {
		var in workflow.ExportInput
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, err
		}
		switch in.Do {
		case workflow.PlanExport:
			return plan, nil
		case workflow.ExportRange:
			return workflow.Exported{Status: "written", Version: 7, Rows: 20}, nil
		}
		return workflow.Exported{Status: "published", Version: 7, Snapshot: "run-1", Customers: 98, Products: 110, Rows: 40, Location: "s3://lake/exports/export=run-1/"}, nil
	}
}

// exporting is a plan of two ranges.
var exporting = workflow.ExportPlan{Status: "planned", Version: 7, Snapshot: "run-1", MaxConcurrency: 2,
	Ranges: []workflow.ListRange{{List: "customers"}, {List: "products", Index: 1}}}

func setup(t *testing.T, functions functions) *stepfunctionstest.Harness {
	t.Helper()
	return stepfunctionstest.New(t, functions)
}

func run(t *testing.T, h *stepfunctionstest.Harness, input string) (string, error) {
	t.Helper()
	return h.Run(t.Context(), statemachines.Batch, workflow.Placeholders(), input)
}

// called counts the invocations by function.
func called(h *stepfunctionstest.Harness) string {
	counts := map[string]int{}
	for _, call := range h.Calls() {
		counts[call.Function]++
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprint(name, "=", counts[name]))
	}
	return strings.Join(parts, " ")
}

const (
	published = `{"partitions":6,"rejected":3,"rows":27,"snapshot":"run-1","status":"published"}`
	uploaded  = `{"dimension":32,"items":109,"status":"uploaded","users":98,"version":7}`
	trained   = `{"artifacts":"trained/run-1/","customers":98,"items":110,"iterations":8,"loss":5.5,"ratings":2500,"snapshot":"run-1","status":"trained"}`
	evaluated = `{"active10":0,"ndcg10":0.5,"popularity10":0.25,"promote":true,"random10":0.125,"reason":"better","report":"s3://lake/report","status":"passed","version":7}`
	noExport  = `"export":{"maxConcurrency":1,"ranges":[],"snapshot":"","status":"off","version":0}`
	indexed   = `{"efSearch":40,"recall":0.99,"status":"activated","version":7}`

	trainingCalls  = "extract=3 partition-write=3 plan-extract=1 publish-training-data=1 transform=3"
	embeddingCalls = "embedding-upload=1 evaluate=1 export=1 train=1 vector-index=1"
	allCalls       = "embedding-upload=1 evaluate=1 export=1 extract=3 partition-write=3 plan-extract=1 publish-training-data=1 train=1 transform=3 vector-index=1"
)

func TestTheInputChoosesTheStages(t *testing.T) {
	embeddings := `{"embeddings":{"evaluation":` + evaluated + `,"index":` + indexed + `,"upload":` + uploaded + `},` + noExport + `,"training":` + trained + `,"trainingData":`
	both := embeddings + published + `}`
	for input, want := range map[string]struct{ output, calls string }{
		`{}`:                          {both, allCalls},
		`{"Comment":"from a person"}`: {both, allCalls},
		`{"rollback":false}`:          {both, allCalls},
		`{"stages":"all"}`:            {both, allCalls},
		`{"train":true}`:              {both, allCalls},
		`{"stages":"training-data","Comment":""}`: {`{"trainingData":` + published + `}`, trainingCalls},
		`{"stages":"embeddings"}`:                 {embeddings + `{"status":"skipped"}}`, embeddingCalls},
		`{"stages":"embeddings","train":true}`:    {embeddings + `{"status":"skipped"}}`, embeddingCalls},
		`{"rollback":true}`:                       {`{"embeddings":{"index":` + indexed + `},` + noExport + `}`, "embedding-upload=1 export=1 vector-index=1"},
		`{"activate":7,"Comment":"a person"}`:     {`{"embeddings":{"index":` + indexed + `},` + noExport + `}`, "embedding-upload=1 export=1 vector-index=1"},
	} {
		t.Run(input, func(t *testing.T) {
			t.Parallel()
			h := setup(t, answers(3))
			output, err := run(t, h, input)
			if err != nil || sorted(t, output) != want.output || called(h) != want.calls {
				t.Errorf("output %s\nwant   %s\ncalls %s\nwant  %s\n%v", output, want.output, called(h), want.calls, err)
			}
		})
	}
}

func TestAWrongInputIsRefused(t *testing.T) {
	for _, input := range []string{
		`{"stages":"everything"}`, `{"stages":null}`, `{"stages":["embeddings"]}`,
		`{"rollback":"true"}`, `{"rollback":null}`, `{"rollback":true,"stages":"all"}`,
		`{"rollback":true,"train":false}`,
		`{"activate":"7"}`, `{"activate":0}`, `{"activate":null}`, `{"activate":7,"rollback":true}`, `{"activate":7,"stages":"all"}`,
		`{"activate":7,"rollback":false}`,
	} {
		t.Run(input, func(t *testing.T) {
			t.Parallel()
			h := setup(t, answers(3))
			_, err := run(t, h, input)
			var failed *stepfunctions.ExecutionError
			if !errors.As(err, &failed) || failed.Name != "InvalidInput" || !strings.Contains(failed.Cause, `{"stages":"training-data"}`) {
				t.Errorf("error %v", err)
			}
			if len(h.Calls()) != 0 {
				t.Errorf("calls %s", called(h))
			}
		})
	}
}

func TestPayloadsAreThoseOfPackageWorkflow(t *testing.T) {
	h := setup(t, answers(2))
	if _, err := run(t, h, `{}`); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, h, `{"rollback":true}`); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, h, `{"activate":3}`); err != nil {
		t.Fatal(err)
	}
	const runOnly = `"run":"run-1","startedAt":"2026-01-02T03:04:05.678Z"`
	want := map[string][]string{
		"plan-extract":          {`{"input":{},` + runOnly + `}`},
		"publish-training-data": {`{` + runOnly + `}`},
		"train":                 {`{"input":{},` + runOnly + `}`},
		"embedding-upload":      {`{"artifacts":"trained/run-1/",` + runOnly + `}`, `{"refresh":true,` + runOnly + `}`, `{"refresh":true,` + runOnly + `}`},
		"export":                {`{"do":"plan",` + runOnly + `}`, `{"do":"plan",` + runOnly + `}`, `{"do":"plan",` + runOnly + `}`},
		"evaluate":              {`{` + runOnly + `,"version":7}`},
		"vector-index":          {`{"activate":3,` + runOnly + `}`, `{"rollback":true,` + runOnly + `}`, `{` + runOnly + `,"version":7}`},
	}
	for _, name := range []string{"extract", "transform", "partition-write"} {
		for i := range 2 {
			want[name] = append(want[name], fmt.Sprintf(`{"range":{"after":null,"index":%d,"upTo":null},%s}`, i, runOnly))
		}
	}
	got := map[string][]string{}
	for _, call := range h.Calls() {
		got[call.Function] = append(got[call.Function], sorted(t, string(call.Payload)))
	}
	for name := range got {
		slices.Sort(got[name])
		if !slices.Equal(got[name], want[name]) {
			t.Errorf("%s: payloads\n%s\nwant\n%s", name, strings.Join(got[name], "\n"), strings.Join(want[name], "\n"))
		}
	}
}

func TestNothingNewIsNotIndexed(t *testing.T) {
	for _, uploaded := range []workflow.Uploaded{{Status: "no-artifacts"}, {Status: "hand-over-underway"}, {Status: "unchanged", Version: 7}, {Status: "rolled-back", Version: 8}} {
		all := answers(0)
		all["embedding-upload"] = func(json.RawMessage) (any, error) { return uploaded, nil }
		h := setup(t, all)
		output, err := run(t, h, `{"stages":"embeddings"}`)
		if err != nil || !strings.Contains(output, uploaded.Status) || called(h) != "embedding-upload=1 export=1 train=1" {
			t.Errorf("%s: output %s, calls %s, %v", uploaded.Status, output, called(h), err)
		}
	}
}

func TestAVersionThatTheGateRefusesIsNotIndexed(t *testing.T) {
	all := answers(0)
	all["evaluate"] = func(json.RawMessage) (any, error) {
		return workflow.Evaluated{Status: "not-promoted", Version: 7, Reason: "worse", Report: "s3://lake/report"}, nil
	}
	h := setup(t, all)
	output, err := run(t, h, `{"stages":"embeddings"}`)
	if err != nil || !strings.Contains(output, `"reason":"worse"`) || !strings.Contains(output, "s3://lake/report") {
		t.Errorf("output %s, %v", output, err)
	}
	if called(h) != "embedding-upload=1 evaluate=1 export=1 train=1" {
		t.Errorf("calls %s", called(h))
	}
}

// Lists are exported from whatever version is active: a new one, on a night without changes, next to a refused one, and after a rollback.
func TestListsAreExportedAtTheEndOfEveryRun(t *testing.T) {
	const exported = `"export":{"customers":98,"location":"s3://lake/exports/export=run-1/","products":110,"rows":40,"snapshot":"run-1","status":"published","version":7}`
	for name, c := range map[string]struct {
		input  string
		change functions
		calls  string
	}{
		"a new version":           {`{"stages":"embeddings"}`, nil, "embedding-upload=1 evaluate=1 export=4 train=1 vector-index=1"},
		"a night without changes": {`{"stages":"embeddings"}`, functions{"embedding-upload": func(json.RawMessage) (any, error) { return workflow.Uploaded{Status: "unchanged"}, nil }}, "embedding-upload=1 export=4 train=1"},
		"a refused version": {`{"stages":"embeddings"}`, functions{"evaluate": func(json.RawMessage) (any, error) { return workflow.Evaluated{Status: "not-promoted"}, nil }},
			"embedding-upload=1 evaluate=1 export=4 train=1"},
		"a rollback":   {`{"rollback":true}`, nil, "embedding-upload=1 export=4 vector-index=1"},
		"an older one": {`{"activate":7}`, nil, "embedding-upload=1 export=4 vector-index=1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := answers(0)
			all["export"] = exports(exporting)
			maps.Copy(all, c.change)
			h := setup(t, all)
			output, err := run(t, h, c.input)
			if err != nil || !strings.Contains(sorted(t, output), exported) || called(h) != c.calls {
				t.Errorf("output %s, calls %s, %v", output, called(h), err)
			}
		})
	}
}

// A failure of the export has a name of its own. The steps before it are done.
func TestAFailureOfTheExportHasItsOwnName(t *testing.T) {
	for _, part := range []string{workflow.PlanExport, workflow.ExportRange, workflow.PublishExport} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			all, whole := answers(0), exports(exporting)
			all["export"] = func(payload json.RawMessage) (any, error) {
				if strings.Contains(string(payload), `"do":"`+part+`"`) {
					return nil, stepfunctionstest.Failure{Type: "SchemaMismatch", Message: "on purpose"}
				}
				return whole(payload)
			}
			h := setup(t, all)
			_, err := run(t, h, `{"stages":"embeddings"}`)
			var failed *stepfunctions.ExecutionError
			if !errors.As(err, &failed) || failed.Name != "ExportFailed" || failed.Message() != "on purpose" {
				t.Errorf("error %v", err)
			}
			if !strings.Contains(called(h), "vector-index=1") {
				t.Errorf("calls %s", called(h))
			}
		})
	}
}

func TestEveryStepIsRetriedAfterPassingErrors(t *testing.T) {
	all := answers(1)
	for name := range all {
		all = failing(all, name, "Runtime.ExitError", 2)
	}
	h := setup(t, all)
	_, err := run(t, h, `{}`)
	const want = "embedding-upload=3 evaluate=3 export=3 extract=3 partition-write=3 plan-extract=3 publish-training-data=3 train=3 transform=3 vector-index=3"
	if err != nil || called(h) != want {
		t.Errorf("calls %s, %v", called(h), err)
	}
}

func TestAFailureEndsTheExecutionWithItsErrorAndCause(t *testing.T) {
	for name := range answers(1) {
		if name == "export" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectFailure(t, setup(t, failing(answers(1), name, "SchemaMismatch", 100)), name, "SchemaMismatch", 1)
		})
	}
	// Inside of a Map and outside.
	for _, name := range []string{"extract", "vector-index"} {
		expectFailure(t, setup(t, failing(answers(1), name, "VectorStoreUnavailable", 100)), name, "VectorStoreUnavailable", 9)
	}
}

func expectFailure(t *testing.T, h *stepfunctionstest.Harness, name, kind string, attempts int) {
	t.Helper()
	_, err := run(t, h, `{}`)
	var failed *stepfunctions.ExecutionError
	if !errors.As(err, &failed) || failed.Name != kind || failed.Message() != "on purpose in "+name || !json.Valid([]byte(failed.Cause)) {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(called(h), fmt.Sprint(name, "=", attempts)) {
		t.Errorf("%s: calls %s, want %d", kind, called(h), attempts)
	}
}

// failing makes one function fail a number of times.
func failing(all functions, name, kind string, times int) functions {
	var mu sync.Mutex
	healthy := all[name]
	all[name] = func(payload json.RawMessage) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		if times == 0 {
			return healthy(payload)
		}
		times--
		return nil, stepfunctionstest.Failure{Type: kind, Message: "on purpose in " + name}
	}
	return all
}

func TestFourHundredRangesFit(t *testing.T) {
	const ranges = 400 // the most that plan-extract makes
	all := answers(ranges)
	wide := workflow.Plan{MaxConcurrency: 40}
	end := "9223372036854775807"
	for i := range ranges {
		wide.Ranges = append(wide.Ranges, workflow.Range{Index: i, After: &end, UpTo: &end})
	}
	all["plan-extract"] = func(json.RawMessage) (any, error) { return wide, nil }
	h := setup(t, all)
	if _, err := run(t, h, `{"stages":"training-data"}`); err != nil {
		t.Fatal(err)
	}
	if want := "extract=400 partition-write=400 plan-extract=1 publish-training-data=1 transform=400"; called(h) != want {
		t.Errorf("calls %s", called(h))
	}
}

// sorted spells JSON with sorted keys.
func sorted(t *testing.T, text string) string {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	ordered, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(ordered)
}
