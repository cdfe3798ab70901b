package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/workflow"
	"recsys/statemachines"
)

func TestTheStateMachineIsTheFileWithItsFunctions(t *testing.T) {
	s := variant(t, "dev")
	p := s.only(t, "AWS::StepFunctions::StateMachine").Properties
	if p["DefinitionString"] != string(statemachines.Batch) {
		t.Error("the definition is not statemachines/batch.asl.json")
	}
	var placeholders []string
	for _, match := range regexp.MustCompile(`\$\{([^}]+)\}`).FindAllStringSubmatch(string(statemachines.Batch), -1) {
		placeholders = append(placeholders, match[1])
	}
	slices.Sort(placeholders)
	placeholders = slices.Compact(placeholders)
	substitutions := p["DefinitionSubstitutions"].(map[string]any)
	if got := slices.Sorted(maps.Keys(substitutions)); !slices.Equal(got, placeholders) {
		t.Errorf("substitutions %v, placeholders %v", got, placeholders)
	}
	for placeholder, function := range substitutions {
		if got := s.Resources[spell(function)].Properties["Description"]; got != "recsys: functions/"+workflow.Placeholders()[placeholder] {
			t.Errorf("%s is %v", placeholder, got)
		}
	}
	logging, err := json.Marshal(p["LoggingConfiguration"])
	if err != nil || !strings.Contains(string(logging), `"IncludeExecutionData":false`) || !strings.Contains(string(logging), `"Level":"ALL"`) {
		t.Errorf("logging %s, %v", logging, err)
	}
	if p["StateMachineType"] != "STANDARD" || p["TracingConfiguration"].(map[string]any)["Enabled"] != true {
		t.Errorf("type %v, tracing %v", p["StateMachineType"], p["TracingConfiguration"])
	}
}

func TestTheScheduleRunsBothStagesWhenTheDatabasesAreReady(t *testing.T) {
	s := variant(t, "every option")
	schedule := s.only(t, "AWS::Scheduler::Schedule")
	p := schedule.Properties
	target := p["Target"].(map[string]any)
	if p["ScheduleExpression"] != "cron(30 4 * * ? *)" || p["ScheduleExpressionTimezone"] != "Europe/Paris" ||
		s.Resources[spell(target["Arn"])].Type != "AWS::StepFunctions::StateMachine" || target["Input"] != "{}" {
		t.Errorf("schedule %s", schedule.text())
	}
	for id := range s.of("AWS::CloudFormation::CustomResource") {
		if !slices.Contains(texts(schedule.DependsOn), id) {
			t.Errorf("the schedule does not wait for %s", id)
		}
	}
	off := variant(t, "existing, IAM")
	if found := off.of("AWS::Scheduler::Schedule"); len(found) > 0 {
		t.Errorf("off: %v", found)
	}
	if strings.Contains(off.text, "NoExecutionSucceeded") {
		t.Error("off: an alarm waits for what nothing starts")
	}
}

func TestAHandOverStartsTheEmbeddingsStage(t *testing.T) {
	s := variant(t, "dev")
	for _, rule := range s.of("AWS::Events::Rule") {
		pattern, err := json.Marshal(rule.Properties["EventPattern"])
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(pattern), `"key":["embeddings/_SUCCESS"]`) {
			continue
		}
		target := rule.Properties["Targets"].([]any)[0].(map[string]any)
		if target["Input"] != `{"stages":"embeddings"}` || s.Resources[spell(target["Arn"])].Type != "AWS::StepFunctions::StateMachine" {
			t.Errorf("target %v", target)
		}
		return
	}
	t.Error("no rule on embeddings/_SUCCESS")
}

func TestEndsAndAlarmsReachTheAddress(t *testing.T) {
	s := variant(t, "every option")
	subscription := s.only(t, "AWS::SNS::Subscription").Properties
	if subscription["Endpoint"] != "you@example.com" || s.Resources[spell(subscription["TopicArn"])].Type != "AWS::SNS::Topic" {
		t.Errorf("subscription %v", subscription)
	}
	told := false
	for _, rule := range s.of("AWS::Events::Rule") {
		told = told || strings.Contains(rule.text(), `"status":["SUCCEEDED","FAILED","TIMED_OUT","ABORTED"]`)
	}
	if !told {
		t.Error("nobody is told how an execution ends")
	}
	policy := s.only(t, "AWS::SNS::TopicPolicy").Properties["PolicyDocument"].(map[string]any)
	for _, statement := range policy["Statement"].([]any) {
		statement := statement.(map[string]any)
		principal, _ := json.Marshal(statement["Principal"])
		switch {
		case strings.Contains(string(principal), "cloudwatch.amazonaws.com"):
			if !strings.Contains(fmt.Sprint(statement["Condition"]), "aws:SourceAccount") {
				t.Error("alarms of any account may publish")
			}
		case statement["Effect"] != "Deny":
			t.Errorf("who else may publish: %v", statement)
		}
	}
}
