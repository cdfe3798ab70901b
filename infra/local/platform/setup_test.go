package platform

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/db/mysql"
	"recsys/infra/local/db/provision"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/provisiontest"
	"recsys/infra/local/testbed/stepfunctionstest"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
)

// began is the time of a test's first execution. Later ones start a minute apart, so that runs are ordered.
var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// startPlatform gives a test a platform of its own on an empty state directory, with no waits before retries or for a
// batch to become full. Its source is MariaDB, which starts faster than the default.
func startPlatform(tb testing.TB, change func(*Config)) *Platform {
	tb.Helper()
	config := Config{StateDir: testbed.TempDir(tb), SourceEngine: mysql.MariaDB, Disposable: true, RetryInterval: new(time.Duration),
		Options: options(tb, nil), Engine: stepfunctionstest.Engine(tb)}
	if change != nil {
		change(&config)
	}
	if err := buildOnce(); err != nil {
		tb.Fatal(err)
	}
	config.Built = true
	p, err := Start(tb.Context(), config)
	provisiontest.Require(tb, err)
	tb.Cleanup(func() {
		checkMemory(tb, p)
		if err := p.Close(); err != nil {
			tb.Error(err)
		}
	})
	return p
}

// buildOnce builds the functions for all tests, because Go takes half a second to see that there is nothing to do.
var buildOnce = sync.OnceValue(func() error {
	cache, err := provision.Open(provision.Config{})
	if err != nil {
		return err
	}
	return (&Platform{config: Config{Cache: cache}}).buildFunctions(context.Background())
})

// options are the stack's, except for the time to wait for a batch and the given ones.
func options(tb testing.TB, given map[string]string) settings.Options {
	tb.Helper()
	all := map[string]string{"batchWindowSeconds": "0"}
	maps.Copy(all, given)
	parsed, err := settings.ParseOptions(all)
	if err != nil {
		tb.Fatal(err)
	}
	return parsed
}

// checkMemory fails a test in which a function took more memory than it has on AWS, where it would have been killed.
func checkMemory(tb testing.TB, p *Platform) {
	tb.Helper()
	if p.Lambda == nil {
		return
	}
	for _, step := range p.steps() {
		if peak := p.Lambda.PeakMemory(step.Name) >> 20; peak > int64(step.MemoryMiB) {
			tb.Errorf("%s took %d MiB of memory; it has %d on AWS (shared/contract/workflow/steps.go)", step.Name, peak, step.MemoryMiB)
		}
	}
}

// outcome is the state machine's output.
type outcome struct {
	TrainingData struct {
		Status, Snapshot           string
		Partitions, Rows, Rejected int64
	}
	Training   workflow.Trained
	Embeddings struct {
		Evaluation workflow.Evaluated
		Upload     struct {
			Status       string
			Version      int64
			Items, Users int64
		}
		Index struct {
			Status   string
			Version  int64
			Recall   float64
			EfSearch int
		}
	}
}

// execute runs the workflow as the n-th run, named run, and returns its output or its failure.
func execute(tb testing.TB, p *Platform, run string, n int, input string) (outcome, *stepfunctions.ExecutionError) {
	tb.Helper()
	output, err := p.Execute(tb.Context(), stepfunctions.Execution{
		Name: run, StartTime: began.Add(time.Duration(n) * time.Minute), Input: json.RawMessage(input),
	})
	var out outcome
	if failed := (*stepfunctions.ExecutionError)(nil); errors.As(err, &failed) {
		return out, failed
	}
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(output, &out); err != nil {
		tb.Fatal(err)
	}
	return out, nil
}

// reference is a file of the real data next to the checkout. Without it the test is skipped.
func reference(tb testing.TB, name string) string {
	tb.Helper()
	root, err := provision.Root()
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(root, "..", "shared", "data", name)
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("the real data is not beside the checkout: %v", err)
	}
	return path
}
