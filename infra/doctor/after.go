package main

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	stacks "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	alarms "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	executions "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// after are the checks of a stack that is there.
func (d *doctor) after() []check {
	return []check{
		{"stack", d.stackState}, {"executions", d.executions}, {"stream", d.stream}, {"stream's feed", d.feed}, {"mail", d.mail}, {"alarms", d.alarms},
	}
}

// findStack looks the stack up. It returns nil if there is none.
func (d *doctor) findStack(ctx context.Context) error {
	client := cloudformation.NewFromConfig(d.aws)
	answer, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &d.config.Name})
	if isCode(err, "ValidationError") { // CloudFormation's answer to a name that is not there
		return nil
	}
	if err != nil {
		return err
	}
	for i := range answer.Stacks {
		if answer.Stacks[i].StackStatus != stacks.StackStatusDeleteComplete {
			d.stack = &answer.Stacks[i]
		}
	}
	if d.stack == nil {
		return nil
	}
	d.resources = map[string][]string{}
	pages := cloudformation.NewListStackResourcesPaginator(client, &cloudformation.ListStackResourcesInput{StackName: &d.config.Name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.StackResourceSummaries {
			kind := aws.ToString(r.ResourceType)
			d.resources[kind] = append(d.resources[kind], aws.ToString(r.PhysicalResourceId))
		}
	}
	return nil
}

func (d *doctor) stackState(context.Context) Finding {
	switch status := d.stack.StackStatus; {
	case status == stacks.StackStatusRollbackFailed || status == stacks.StackStatusDeleteFailed:
		return bad("docs/aws.md, Upgrade and Destroy: switch off the databases' deletion protection, then destroy", "%s: %s", status, aws.ToString(d.stack.StackStatusReason))
	case status == stacks.StackStatusRollbackComplete || strings.Contains(string(status), "FAILED"):
		return bad("see the stack's events for the first resource that failed, mend that, and deploy again", "%s: %s", status, aws.ToString(d.stack.StackStatusReason))
	case strings.HasSuffix(string(status), "_IN_PROGRESS"):
		return warning("wait for it", "%s", status)
	default:
		return good("%s, %d kinds of resources", status, len(d.resources))
	}
}

// one is the only resource of a kind, or "".
func (d *doctor) one(kind string) string {
	if ids := d.resources[kind]; len(ids) == 1 {
		return ids[0]
	}
	return ""
}

func missing(kind string) Finding {
	return bad("deploy again", "the stack has no %s", kind)
}

func (d *doctor) executions(ctx context.Context) Finding {
	machine := d.one("AWS::StepFunctions::StateMachine")
	if machine == "" {
		return missing("state machine")
	}
	answer, err := sfn.NewFromConfig(d.aws).ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &machine, MaxResults: 10})
	switch {
	case err != nil:
		return unknown(err)
	case len(answer.Executions) == 0:
		return warning("start one: the output Step1StartExecution", "none yet")
	}
	last := answer.Executions[0]
	if last.Status == executions.ExecutionStatusSucceeded || last.Status == executions.ExecutionStatusRunning {
		return good("the last one: %s, %s", aws.ToString(last.Name), last.Status)
	}
	return warning("see its state Failed, and the README's table of errors", "the last one: %s, %s", aws.ToString(last.Name), last.Status)
}

func (d *doctor) stream(ctx context.Context) Finding {
	name := d.one("AWS::Kinesis::Stream")
	if name == "" {
		return missing("Kinesis stream")
	}
	answer, err := kinesis.NewFromConfig(d.aws).DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &name})
	if err != nil {
		return unknown(err)
	}
	summary := answer.StreamDescriptionSummary
	if open := int(aws.ToInt32(summary.OpenShardCount)); open != d.config.Shards {
		return warning("deploy, or change the option", "%s, %d shards, where the options say %d", summary.StreamStatus, open, d.config.Shards)
	}
	return good("%s, %d shards", summary.StreamStatus, d.config.Shards)
}

// feed tells whether Kinesis reaches the function recommend.
func (d *doctor) feed(ctx context.Context) Finding {
	id := d.one("AWS::Lambda::EventSourceMapping")
	if id == "" {
		return missing("event source mapping")
	}
	answer, err := lambda.NewFromConfig(d.aws).GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &id})
	if err != nil {
		return unknown(err)
	}
	state, result := aws.ToString(answer.State), aws.ToString(answer.LastProcessingResult)
	if result == "" {
		result = "none yet"
	}
	switch {
	case state != "Enabled":
		return bad("aws lambda update-event-source-mapping --enabled --uuid "+id, "the event source mapping is %s: no record is answered", state)
	case strings.HasPrefix(result, "PROBLEM"):
		return bad("see the log of recommend", "enabled; the last result: %s", result)
	}
	return good("enabled; the last result: %s", result)
}

func (d *doctor) mail(ctx context.Context) Finding {
	topic := d.one("AWS::SNS::Topic")
	if topic == "" {
		return missing("topic")
	}
	answer, err := sns.NewFromConfig(d.aws).ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	switch {
	case err != nil:
		return unknown(err)
	case len(answer.Subscriptions) == 0:
		return warning("-c alarmEmail=…, or subscribe to "+topic, "nobody is told of alarms")
	}
	for _, s := range answer.Subscriptions {
		if aws.ToString(s.SubscriptionArn) == "PendingConfirmation" {
			return warning("open the mail from AWS and confirm", "a subscription is not confirmed: no alarm arrives there")
		}
	}
	return good("%d subscriptions are confirmed", len(answer.Subscriptions))
}

func (d *doctor) alarms(ctx context.Context) Finding {
	ours := map[string]bool{}
	for _, name := range d.resources["AWS::CloudWatch::Alarm"] {
		ours[name] = true
	}
	var ringing []string
	pages := cloudwatch.NewDescribeAlarmsPaginator(cloudwatch.NewFromConfig(d.aws), &cloudwatch.DescribeAlarmsInput{StateValue: alarms.StateValueAlarm})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return unknown(err)
		}
		for _, alarm := range page.MetricAlarms {
			if name := aws.ToString(alarm.AlarmName); ours[name] {
				ringing = append(ringing, name)
			}
		}
	}
	if len(ringing) > 0 {
		return warning("docs/operations.md has an entry for each", "%s", strings.Join(ringing, ", "))
	}
	return good("none of %d", len(ours))
}
