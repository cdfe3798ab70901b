package platform

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"recsys/shared/runtime/metrics"
	"recsys/shared/stream/activity"
)

// sentMetrics are the metrics of a function's log, as CloudWatch finds them: how many lines have each, by name.
func sentMetrics(t *testing.T, p *Platform, function string) map[string]int {
	t.Helper()
	file, err := os.Open(p.path("lambda", "logs", function+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sent := map[string]int{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line map[string]json.RawMessage
		if json.Unmarshal(lines.Bytes(), &line) != nil || line["_aws"] == nil {
			continue
		}
		var document struct {
			CloudWatchMetrics []struct {
				Namespace string
				Metrics   []struct{ Name string }
			}
		}
		if err := json.Unmarshal(line["_aws"], &document); err != nil || string(line[metrics.FunctionDimension]) != `"`+function+`"` {
			t.Errorf("%s: %v", lines.Text(), err)
		}
		for _, group := range document.CloudWatchMetrics {
			for _, metric := range group.Metrics {
				sent[metric.Name]++
			}
		}
		if strings.Contains(lines.Text(), `"city"`) {
			t.Errorf("a customer's data: %s", lines.Text())
		}
	}
	return sent
}

// checkMetrics wants each function's metrics in its log, after a run with everything.
func checkMetrics(t *testing.T, p *Platform) {
	t.Helper()
	for function, want := range map[string][]string{
		"plan-extract":          {metrics.Rows},
		"extract":               {metrics.Rows},
		"transform":             {metrics.Rows, metrics.RejectedRows},
		"partition-write":       {metrics.Rows},
		"publish-training-data": {metrics.Rows, metrics.RejectedRows},
		"train":                 {metrics.Rows},
		"embedding-upload":      {metrics.Rows},
		"evaluate":              {metrics.NDCG, metrics.NotPromoted},
		"vector-index":          {metrics.Recall},
		recommend:               {metrics.Records, metrics.RejectedRecords, metrics.Answers(activity.Model)},
	} {
		sent := sentMetrics(t, p, function)
		for _, name := range append(slices.Clone(want), metrics.Seconds) {
			if sent[name] == 0 {
				t.Errorf("%s sends no %s: %v", function, name, sent)
			}
		}
	}
}
