package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Undelivered is the queue of events that reached no target: an execution that was not started, a message that was not
// sent. It keeps them for two weeks, and an alarm watches it.
type Undelivered struct {
	Queue awssqs.Queue
}

func NewUndelivered(scope constructs.Construct, id string) *Undelivered {
	queue := awssqs.NewQueue(scope, jsii.String(id), &awssqs.QueueProps{
		Encryption: awssqs.QueueEncryption_SQS_MANAGED, EnforceSSL: jsii.Bool(true), RetentionPeriod: days(14),
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY, // events hold names only
	})
	explain(queue, "SQS3", "It is a dead-letter queue itself.")
	return &Undelivered{queue}
}

// Of is the queue as a rule's dead-letter queue. The rule needs Accept, too.
func (u *Undelivered) Of() *awsevents.CfnRule_DeadLetterConfigProperty {
	return &awsevents.CfnRule_DeadLetterConfigProperty{Arn: u.Queue.QueueArn()}
}

// Accept lets EventBridge put into the queue for these rules and no others.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
func (u *Undelivered) Accept(rules ...awsevents.CfnRule) {
	arns := make([]*string, len(rules))
	for i, rule := range rules {
		arns[i] = rule.AttrArn()
	}
	u.Queue.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sqs:SendMessage"), Resources: &[]*string{u.Queue.QueueArn()},
		Conditions: &map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": arns}},
	}))
}

// send allows a role to put into the queue, as EventBridge Scheduler does under the role of its target.
func (u *Undelivered) send() Permission {
	return Permission{Actions: []string{"sqs:SendMessage"}, Resources: []*string{u.Queue.QueueArn()}}
}
