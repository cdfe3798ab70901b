package platform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/sample"
	"recsys/infra/local/testbed"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/sampleshop"
)

// Every function is killed right before and right after each of its writes: each S3 put, copy and delete, each change
// of the Glue table, each SQL commit, each call of Firehose. The retried run leaves the same state as an undisturbed
// one. The points are those that an undisturbed execution passed. Without -long only some of them are tried.
func TestKilledAtEveryPoint(t *testing.T) {
	t.Parallel()
	k := &killer{}
	shop := smallShop(t)
	p := startPlatform(t, func(c *Config) {
		c.SourceSQL, c.RouteVectorStore = []string{shop, orderDump(t)}, k.route
		c.Options.RowsPerRange, c.Options.MaxConcurrency = 8, 2
		c.Options.KeepSnapshots, c.Options.MaxRejectedFraction = 1, 0.5
		c.Options.KeepVersions, c.Options.RecallQueries = 2, 10
		c.Options.Factors, c.Options.Iterations = 8, 1
		c.Options.Export, c.Options.KeepExports = "all", 1
	})
	t.Cleanup(func() { _ = k.proxy.Close() })
	k.watch(p)
	orders := writeShop(t, "orders", orderFile)
	files := filesShop(t, p)
	saveStates(t, k, orders)

	struck := struck{}
	for _, c := range []struct{ name, state, shop, gate, neighbours, input string }{
		{"the third version", "third handed over", NoShopFile, "enforce", "auto", `{}`}, // and the oldest snapshot and version go
		{"the first version", "first handed over", NoShopFile, "enforce", "auto", `{}`},
		{"the same artifacts", "two versions", NoShopFile, "enforce", "auto", `{}`}, // only their popularity is renewed
		{"an invalid hand-over", "invalid handed over", NoShopFile, "enforce", "auto", `{"stages":"embeddings"}`},
		{"a model of our own", "two versions", NoShopFile, "report", "knn", `{"train":true}`},
		{"a model that is refused", "two versions", NoShopFile, "enforce", "auto", `{"stages":"embeddings","train":true}`}, // six customers prove nothing
		{"rollback", "two versions", NoShopFile, "enforce", "auto", `{"rollback":true}`},
		{"a shop file after the lab", "two versions", orders, "report", "auto", `{"train":true}`}, // ranges after folders, text ids, another shop's version goes
		{"files after the lab", "two versions", files, "report", "ease", `{"train":true}`},
		{"rollback to the lab", "orders", orders, "enforce", "auto", `{"rollback":true}`},
		{"the lab after a shop file", "orders", NoShopFile, "report", "auto", `{"train":true}`},
	} {
		p.config.Options.GateTrained, p.config.Options.ItemNeighbours = c.gate, c.neighbours
		deployShop(t, p, c.shop)
		t.Run(c.name, func(t *testing.T) { killBatch(t, k, struck, c.state, c.input) })
	}
	t.Run("recommend", func(t *testing.T) { killRecommend(t, k) })
	t.Run("no function is left out", func(t *testing.T) {
		for _, function := range workflow.Names(workflow.StateMachine) {
			if len(struck[function]) == 0 {
				t.Errorf("%s was never killed", function)
			}
		}
	})
}

// smallShop is a dump of a shop in two ranges, with a rating that goes to quarantine.
func smallShop(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "shop.sql")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	options := sampleshop.Default()
	options.Customers, options.Products, options.Ratings, options.OmitOrders = 6, 24, 18, true
	if err := sampleshop.WriteSQL(file, options); err != nil {
		t.Fatal(err)
	}
	const bad = "UPDATE ratings SET productRating = 6 ORDER BY customerNumber, productCode LIMIT 1;\n"
	if _, err := file.WriteString(bad); err != nil {
		t.Fatal(err)
	}
	return path
}

// handOverOf is the n-th hand-over: the sample's, with one file that differs and that nobody reads.
func handOverOf(t *testing.T, n int) fstest.MapFS {
	files := filesOf(t, sample.Artifacts())
	files[lake.ItemScalerKey] = &fstest.MapFile{Data: fmt.Append(nil, "hand-over ", n)}
	return files
}

// invalidHandOver has an item twice, and no model.
func invalidHandOver(t *testing.T) fstest.MapFS {
	files := filesOf(t, sample.Artifacts())
	items := files[lake.ItemEmbeddingsKey].Data
	last := items[bytes.LastIndexByte(bytes.TrimSpace(items), '\n')+1:]
	return fstest.MapFS{
		lake.ItemEmbeddingsKey: {Data: slices.Concat(items, last)},
		lake.UserEmbeddingsKey: files[lake.UserEmbeddingsKey],
	}
}

// saveStates prepares the states from which the executions start.
func saveStates(t *testing.T, k *killer, orders string) {
	t.Helper()
	k.arm(nil)
	keep := func(name string) {
		k.rest()
		save(t, k.platform, name)
	}
	for n, before := range []string{"first handed over", ""} {
		upload(t, k.platform, handOverOf(t, n+1))
		if before != "" {
			keep(before)
		}
		if _, failed := execute(t, k.platform, fmt.Sprint("earlier-", n+1), n, `{}`); failed != nil {
			t.Fatal(failed)
		}
	}
	keep("two versions")
	train := func() {
		k.platform.config.Options.GateTrained = "report"
		deployShop(t, k.platform, orders)
		if _, failed := execute(t, k.platform, "earlier-orders", 3, `{"train":true}`); failed != nil {
			t.Fatal(failed)
		}
		keep("orders")
		restore(t, k.platform, "two versions")
	}
	train()
	upload(t, k.platform, handOverOf(t, 3))
	keep("third handed over")
	upload(t, k.platform, invalidHandOver(t))
	keep("invalid handed over")
}

// struck are the points at which each function was killed, by function and by case.
type struck map[string][][]point

// every is the step between the points that are tried without -long, in the order of sorted.
const every = 7

// isNew is false of a function that in an earlier case passed the same points.
func (s struck) isNew(function string, points []point) bool {
	return !slices.ContainsFunc(s[function], func(earlier []point) bool { return slices.Equal(sorted(earlier), sorted(points)) })
}

// killBatch executes the workflow once undisturbed, and then once for each of its points: the i-th time each
// function is killed at its i-th point.
func killBatch(t *testing.T, k *killer, struck struck, state, input string) {
	want := executeArmed(t, k, state, input, nil)
	points := k.points()
	fresh := maps.Clone(points)
	maps.DeleteFunc(fresh, func(function string, passed []point) bool { return !struck.isNew(function, passed) })
	if len(fresh) > 0 { // else only the state is new
		points = fresh
	}
	executions, kills := 0, 0
	for function, passed := range points {
		struck[function] = append(struck[function], passed)
		points[function] = testbed.Spread(sorted(passed), every)
		executions = max(executions, len(points[function]))
		kills += len(points[function])
	}
	if kills == 0 {
		t.Fatal("no points were found")
	}
	for i := range executions {
		doomed := map[string]point{}
		for function, passed := range points {
			if i < len(passed) {
				doomed[function] = passed[i]
			}
		}
		got := executeArmed(t, k, state, input, doomed)
		if !reflect.DeepEqual(got.output, want.output) || !slices.Equal(got.errors, want.errors) {
			t.Errorf("%v: output %v %v, want %v %v", doomed, got.output, got.errors, want.output, want.errors)
		}
		if !slices.Equal(got.digest, want.digest) {
			t.Errorf("%v: ends otherwise than undisturbed:\n%s", doomed, difference(got.digest, want.digest))
		}
	}
	t.Logf("%d functions killed %d times in %d executions; %d lines of state", len(points), kills, executions, len(want.digest))
}

// ended is the state that an execution left, with its output.
type ended struct {
	output any      // or the failure
	errors []string // of its steps, deaths aside
	digest []string
}

// executeArmed executes from a saved state, and wants every doomed function killed and tried again.
func executeArmed(t *testing.T, k *killer, state, input string, doomed map[string]point) (out ended) {
	t.Helper()
	restore(t, k.platform, state)
	k.arm(doomed)
	retried := 0
	output, err := k.platform.Execute(t.Context(), stepfunctions.Execution{
		Name: "killed", StartTime: began.Add(time.Hour), Input: json.RawMessage(input),
		OnEvent: func(e stepfunctions.Event) {
			if e.Type == "StateRetried" {
				retried++
			}
			if e.Error != "" && e.Error != "Runtime.ExitError" {
				out.errors = append(out.errors, e.State+": "+e.Error+": "+e.Cause)
			}
		},
	})
	k.rest()
	var failed *stepfunctions.ExecutionError
	switch {
	case errors.As(err, &failed):
		out.output = *failed
	case err != nil:
		t.Fatalf("%v: %v", doomed, err)
	default:
		if err := json.Unmarshal(output, &out.output); err != nil {
			t.Fatal(err)
		}
	}
	killed, err := k.report()
	if err != nil || killed != len(doomed) || retried != len(doomed) {
		t.Errorf("%v: %d of %d killed, %d retried, %v", doomed, killed, len(doomed), retried, err)
	}
	out.digest = digest(t, k.platform)
	return out
}
