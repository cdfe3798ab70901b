package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
)

// newTopic makes the topic of alarms and of executions' ends, which mails to the configured address. Its messages
// hold names and counts and no customer's data, so they need no key of our own.
func newTopic(scope constructs.Construct, id string, config deployment.Config) awssns.Topic {
	topic := awssns.NewTopic(scope, jsii.String(id), &awssns.TopicProps{EnforceSSL: jsii.Bool(true)})
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sns:Publish"), Resources: &[]*string{topic.TopicArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Aws_ACCOUNT_ID()}},
	}))
	if config.AlarmEmail != "" {
		awssns.NewCfnSubscription(scope, jsii.String(id+"Email"), &awssns.CfnSubscriptionProps{
			TopicArn: topic.TopicArn(), Protocol: jsii.String("email"), Endpoint: jsii.String(config.AlarmEmail),
		})
	}
	return topic
}

// endMessage is the mail about an execution's end. The error's cause is left out: it is JSON, EventBridge does not escape
// its quotes, and the message would be no JSON any more. Then EventBridge drops it.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
const endMessage = `"Execution <name> of the batch workflow: <status> <error>"` + "\n" +
	`"https://<region>.console.aws.amazon.com/states/home?region=<region>#/v2/executions/details/<execution>"`

// tellEnds sends the end of each execution to the topic: its name, its status, its error's name and its page.
func tellEnds(scope constructs.Construct, id string, machine sfn.StateMachine, topic awssns.Topic, undelivered *Undelivered) {
	role := awsiam.NewRole(scope, jsii.String(id+"Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Aws_ACCOUNT_ID()}},
		}),
	})
	allow(role, Permission{Actions: []string{"sns:Publish"}, Resources: []*string{topic.TopicArn()}})
	rule := awsevents.NewCfnRule(scope, jsii.String(id), &awsevents.CfnRuleProps{
		Description: jsii.String("Tells how executions of the batch workflow end."),
		EventPattern: map[string]any{
			"source": []string{"aws.states"}, "detail-type": []string{"Step Functions Execution Status Change"},
			"detail": map[string]any{
				"stateMachineArn": []*string{machine.StateMachineArn()},
				"status":          []string{"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"},
			},
		},
		Targets: &[]any{&awsevents.CfnRule_TargetProperty{
			Id: jsii.String("Topic"), Arn: topic.TopicArn(), RoleArn: role.RoleArn(), DeadLetterConfig: undelivered.Of(),
			InputTransformer: &awsevents.CfnRule_InputTransformerProperty{
				InputPathsMap: &map[string]string{
					"name": "$.detail.name", "status": "$.detail.status", "error": "$.detail.error",
					"execution": "$.detail.executionArn", "region": "$.region",
				},
				InputTemplate: jsii.String(endMessage),
			},
		}},
	})
	rule.Node().AddDependency(role)
	undelivered.Accept(rule)
}
