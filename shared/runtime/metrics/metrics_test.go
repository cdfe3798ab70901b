package metrics

import (
	"bytes"
	"encoding/json"
	"math"
	"sync"
	"testing"
	"time"

	"recsys/shared/stream/activity"
)

// document is the part of a line that CloudWatch reads.
type document struct {
	AWS struct {
		Timestamp         *int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
}

// read takes a line apart by the specification's rules, and returns its metrics.
func read(t *testing.T, line []byte) (dimensions map[string]string, metrics map[string]float64, units map[string]string) {
	t.Helper()
	var root map[string]any
	var parsed document
	for _, into := range []any{&root, &parsed} {
		if err := json.Unmarshal(line, into); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	if len(parsed.AWS.CloudWatchMetrics) != 1 || parsed.AWS.Timestamp == nil {
		t.Fatalf("%s: want a timestamp and one directive", line)
	}
	group := parsed.AWS.CloudWatchMetrics[0]
	if group.Namespace != Namespace || len(group.Dimensions) != 1 || len(group.Dimensions[0]) > 30 || len(group.Metrics) > 100 {
		t.Errorf("%s: out of the specification's bounds", line)
	}
	dimensions, metrics, units = map[string]string{}, map[string]float64{}, map[string]string{}
	for _, name := range group.Dimensions[0] {
		value, isText := root[name].(string)
		if !isText || value == "" || len(value) > 1024 {
			t.Errorf("%s: dimension %s has no value", line, name)
		}
		dimensions[name] = value
	}
	for _, m := range group.Metrics {
		value, isNumber := root[m.Name].(float64)
		if _, twice := metrics[m.Name]; twice || !isNumber || math.IsInf(value, 0) || m.Name == "" {
			t.Errorf("%s: metric %q is not a number, or twice there", line, m.Name)
		}
		metrics[m.Name], units[m.Name] = value, m.Unit
	}
	return dimensions, metrics, units
}

func TestALineIsInTheEmbeddedMetricFormat(t *testing.T) {
	ctx, collection := Collect(t.Context())
	Count(ctx, Rows, 40)
	Count(ctx, Rows, int64(2))
	Count(ctx, RejectedRows, 0)
	Time(ctx, Seconds, 1500*time.Millisecond)
	Ratio(ctx, Recall, 0.5)
	Ratio(ctx, Recall, 0.975)
	Count(ctx, Answers(activity.StoredVector), 7)
	var out bytes.Buffer
	if err := collection.Write(&out, "stack-Transform-1A2B", time.UnixMilli(1_767_323_045_678)); err != nil {
		t.Fatal(err)
	}
	line, rest, whole := bytes.Cut(out.Bytes(), []byte("\n"))
	if !whole || len(rest) != 0 {
		t.Errorf("%q is not one line", out.String())
	}
	dimensions, metrics, units := read(t, line)
	if len(dimensions) != 1 || dimensions[FunctionDimension] != "stack-Transform-1A2B" {
		t.Errorf("dimensions %v", dimensions)
	}
	for name, want := range map[string]struct {
		value float64
		unit  string
	}{
		"Rows": {42, "Count"}, "RejectedRows": {0, "Count"}, "Seconds": {1.5, "Seconds"}, "Recall": {0.975, "None"},
		"Answers-stored-vector": {7, "Count"},
	} {
		if metrics[name] != want.value || units[name] != want.unit {
			t.Errorf("%s is %v %s, want %v %s", name, metrics[name], units[name], want.value, want.unit)
		}
	}
	if len(metrics) != 5 {
		t.Errorf("%d metrics: %v", len(metrics), metrics)
	}
	var parsed document
	if err := json.Unmarshal(line, &parsed); err != nil || *parsed.AWS.Timestamp != 1_767_323_045_678 {
		t.Errorf("the timestamp is not in milliseconds: %s", line)
	}
}

func TestNothingCountedIsNoLine(t *testing.T) {
	_, collection := Collect(t.Context())
	var out bytes.Buffer
	if err := collection.Write(&out, "f", time.Now()); err != nil || out.Len() != 0 {
		t.Errorf("%q, %v", out.String(), err)
	}
	Count(t.Context(), Rows, 1) // no collection: nothing to do
}

func TestCountingConcurrently(t *testing.T) {
	ctx, collection := Collect(t.Context())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { Count(ctx, Records, 1) })
	}
	all.Wait()
	if collection.values[Records] != 8 {
		t.Errorf("counted %v", collection.values)
	}
}
