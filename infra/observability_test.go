package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"recsys/shared/contract/workflow"
)

// cloudWatchAlarm is the part of an AWS::CloudWatch::Alarm that the tests read.
type cloudWatchAlarm struct {
	Properties struct {
		AlarmDescription        string
		AlarmActions, OKActions []any
		EvaluationPeriods       float64
		Threshold               float64
		TreatMissingData        string
		Metrics                 []struct {
			MetricStat struct {
				Period float64
				Metric struct {
					MetricName string
					Dimensions []struct{ Name, Value string }
				}
			}
		}
	}
}

// looksBack is the time that an alarm is about, in seconds.
func (a cloudWatchAlarm) looksBack() float64 {
	period := 0.0
	for _, metric := range a.Properties.Metrics { // an expression among them has no period of its own
		period = max(period, metric.MetricStat.Period)
	}
	return period * a.Properties.EvaluationPeriods
}

func watchedInTests() Watched {
	functions := map[string]*string{"recommend": jsii.String("stack-recommend")}
	for _, name := range workflow.Names(workflow.StateMachine) {
		functions[name] = jsii.String("stack-" + name)
	}
	return Watched{
		TopicARN:           jsii.String("arn:aws:sns:us-east-1:000000000000:topic"),
		StateMachineARN:    jsii.String("arn:aws:states:us-east-1:000000000000:stateMachine:batch"),
		SuccessWithinHours: 26,
		Functions:          functions,
		StreamName:         jsii.String("activity"), DeliveryStreamName: jsii.String("answers"),
		DeliverySeconds: 300, Group: "country", UndeliveredQueue: jsii.String("undelivered"),
		Databases: []WatchedDatabase{
			{ID: "VectorDatabase", Identifier: jsii.String("vectors"), AllocatedGiB: 20, MaxConnections: 100, MemoryGiB: 2, Burstable: true},
		},
	}
}

// observed is the template of a stack with nothing but the observability, as text. alarms are by their ids.
func observed(t *testing.T, watched Watched) (template string, alarms map[string]cloudWatchAlarm) {
	t.Helper()
	stack := awscdk.NewStack(awscdk.NewApp(nil), jsii.String("Test"), nil)
	NewObservability(stack, "Observability", watched)
	text, err := json.Marshal(assertions.Template_FromStack(stack, nil).ToJSON())
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Resources map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &parsed); err != nil {
		t.Fatal(err)
	}
	alarms = map[string]cloudWatchAlarm{}
	for id, resource := range parsed.Resources {
		name := strings.TrimPrefix(id, "Observability")
		if !strings.Contains(string(resource), `"AWS::CloudWatch::Alarm"`) {
			continue
		}
		var parsed cloudWatchAlarm
		if err := json.Unmarshal(resource, &parsed); err != nil {
			t.Fatal(err)
		}
		alarms[name[:len(name)-len("12345678")]] = parsed // CDK ends an id with a hash of its path
	}
	return string(text), alarms
}

func TestEveryAlarmIsMailedWithAdvice(t *testing.T) {
	_, alarms := observed(t, watchedInTests())
	want := []string{
		"AnswersLate", "AnswersNotDelivered", "ExecutionFailed", "NoExecutionSucceeded", "NotPromoted", "RecommendFails",
		"RecordsRejected", "StreamFull", "Throttled", "Undelivered", "VectorDatabaseConnections", "VectorDatabaseCredits",
		"VectorDatabaseMemory", "VectorDatabaseStorage",
	}
	if got := slices.Sorted(maps.Keys(alarms)); !slices.Equal(got, want) {
		t.Fatalf("alarms %v, want %v", got, want)
	}
	for id, alarm := range alarms {
		p := alarm.Properties
		if len(p.AlarmActions) != 1 || len(p.OKActions) != 1 {
			t.Errorf("%s tells %v of its start, %v of its end: want the topic", id, p.AlarmActions, p.OKActions)
		}
		if len(p.AlarmDescription) < 40 || len(p.AlarmDescription) > 1024 {
			t.Errorf("%s is described by %q", id, p.AlarmDescription)
		}
		wantMissing := "notBreaching"
		if id == "NoExecutionSucceeded" {
			wantMissing = "breaching" // no data is how a schedule that is off shows
		}
		if p.TreatMissingData != wantMissing {
			t.Errorf("%s: without data it is %s, want %s", id, p.TreatMissingData, wantMissing)
		}
	}
}

// A person who is woken by an alarm finds it in the runbook.
func TestEveryAlarmIsInTheRunbook(t *testing.T) {
	runbook, err := os.ReadFile(filepath.Join("..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	watched := watchedInTests()
	source := watched.Databases[0]
	source.ID = "SourceDatabase"
	watched.Databases = append(watched.Databases, source)
	_, alarms := observed(t, watched)
	for id := range alarms {
		if !strings.Contains(string(runbook), "\n### "+id+"\n") {
			t.Errorf("docs/operations.md has no entry for %s", id)
		}
	}
	for _, entry := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(string(runbook), -1) {
		if _, found := alarms[entry[1]]; !found {
			t.Errorf("docs/operations.md has an entry for %s, which is no alarm", entry[1])
		}
	}
}

func TestNoSuccessIsExpectedWithinTheScheduleAndWithoutOneNotAtAll(t *testing.T) {
	watched := watchedInTests()
	_, alarms := observed(t, watched)
	alarm := alarms["NoExecutionSucceeded"]
	metric := alarm.Properties.Metrics[0].MetricStat.Metric.MetricName
	if alarm.looksBack() != 26*3600 || metric != "ExecutionsSucceeded" || alarm.Properties.Threshold != 1 {
		t.Errorf("alarm %+v, want less than one success in 26 hours", alarm)
	}
	watched.SuccessWithinHours = 0
	_, alarms = observed(t, watched)
	if _, found := alarms["NoExecutionSucceeded"]; found {
		t.Error("an alarm waits for executions that nothing starts")
	}
}

// CloudWatch refuses an alarm that looks back over a day, or over a week with a period of an hour or more.
func TestAlarmsLookBackNoFurtherThanCloudWatchAllows(t *testing.T) {
	watched := watchedInTests()
	watched.SuccessWithinHours = 168
	_, alarms := observed(t, watched)
	for id, alarm := range alarms {
		limit := 86_400.0
		if alarm.looksBack()/alarm.Properties.EvaluationPeriods >= 3600 {
			limit *= 7
		}
		if got := alarm.looksBack(); got == 0 || got > limit {
			t.Errorf("%s looks back %v s", id, got)
		}
	}
}

func TestDatabaseAlarmsFollowTheInstance(t *testing.T) {
	watched := watchedInTests()
	watched.Databases = append(watched.Databases,
		WatchedDatabase{ID: "SourceDatabase", Identifier: jsii.String("shop"), AllocatedGiB: 40, MaxConnections: 50, MemoryGiB: 16})
	_, alarms := observed(t, watched)
	for id, want := range map[string]float64{
		"VectorDatabaseStorage": 0.08 * 20 * (1 << 30), "SourceDatabaseStorage": 0.08 * 40 * (1 << 30),
		"VectorDatabaseMemory": 0.06 * 2 * (1 << 30), "SourceDatabaseMemory": 0.06 * 16 * (1 << 30),
		"VectorDatabaseConnections": 80, "SourceDatabaseConnections": 40,
	} {
		if got := alarms[id].Properties.Threshold; got != want {
			t.Errorf("%s: threshold %v, want %v", id, got, want)
		}
	}
	if got := alarms["SourceDatabaseStorage"].Properties.Metrics[0].MetricStat.Metric.Dimensions; len(got) != 1 || got[0].Value != "shop" {
		t.Errorf("dimensions %v, want the instance", got)
	}
}

// The metrics that functions send are read back by the same names, and every function is on the dashboard.
func TestTheDashboardShowsEveryFunctionAndAlarm(t *testing.T) {
	watched := watchedInTests()
	template, alarms := observed(t, watched)
	for name := range watched.Functions {
		if !strings.Contains(template, "stack-"+name) {
			t.Errorf("%s is not on the dashboard", name)
		}
	}
	for _, text := range []string{"Is it working?", "Recall", "Answers-stored-vector", "RejectedRecords", "Recsys"} {
		if !strings.Contains(template, text) {
			t.Errorf("the dashboard has no %q", text)
		}
	}
	body := dashboardBody(t, template)
	for id := range alarms {
		if !strings.Contains(body, id) {
			t.Errorf("the dashboard's first row does not know alarm %s", id)
		}
	}
	if again, _ := observed(t, watched); again != template {
		t.Error("two synths differ")
	}
}

// dashboardBody is the text of the dashboard, a join of literals and references.
func dashboardBody(t *testing.T, template string) string {
	t.Helper()
	var parsed struct {
		Resources map[string]struct {
			Type       string
			Properties struct{ DashboardBody json.RawMessage }
		}
	}
	if err := json.Unmarshal([]byte(template), &parsed); err != nil {
		t.Fatal(err)
	}
	for _, resource := range parsed.Resources {
		if resource.Type == "AWS::CloudWatch::Dashboard" {
			return string(resource.Properties.DashboardBody)
		}
	}
	t.Fatal("no dashboard")
	return ""
}
