package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
)

// newLogGroup makes a log group with the configured retention, of which the construct itself knows only an enum.
// CloudWatch encrypts it.
func newLogGroup(scope constructs.Construct, id string, config deployment.Config) awslogs.LogGroup {
	group := awslogs.NewLogGroup(scope, jsii.String(id), &awslogs.LogGroupProps{RemovalPolicy: keeping(config)})
	group.Node().DefaultChild().(awslogs.CfnLogGroup).SetRetentionInDays(jsii.Number(config.LogRetentionDays))
	return group
}

// keeping returns the removal policy of resources that hold data. In prod they outlive the stack, unless the very
// deployment that makes them fails. Then nothing is in them yet, and they would be in the way of the next one.
func keeping(config deployment.Config) awscdk.RemovalPolicy {
	if config.Prod() {
		return awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE
	}
	return awscdk.RemovalPolicy_DESTROY
}
