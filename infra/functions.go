package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	lambda "github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
)

// Factory makes functions, each with a role and a log group of its own.
type Factory struct {
	Config  deployment.Config
	Network *Network
	Code    func(function string) lambda.Code
}

// New makes the function of a step in scope, with its name as id.
func (f Factory) New(scope constructs.Construct, step workflow.Step, granted grants) lambda.Function {
	this := constructs.NewConstruct(scope, jsii.String(step.Name))
	logs := newLogGroup(this, "Logs", f.Config)
	role := awsiam.NewRole(this, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Description: jsii.String("What the function " + step.Name + " may do."),
	})
	allow(role, Permission{Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resources: []*string{logs.LogGroupArn()}})
	for _, permission := range granted.permissions(step) {
		allow(role, permission)
	}
	props := &lambda.FunctionProps{
		Description:  jsii.String("recsys: functions/" + step.Name),
		Runtime:      lambda.Runtime_PROVIDED_AL2023(),
		Architecture: lambda.Architecture_ARM_64(),
		Handler:      jsii.String("bootstrap"),
		Code:         f.Code(step.Name),
		Role:         role,
		MemorySize:   jsii.Number(step.MemoryMiB),
		Timeout:      awscdk.Duration_Seconds(jsii.Number(step.Timeout.Seconds())),
		Environment:  variables(step.Settings),
		LogGroup:     logs, LoggingFormat: lambda.LoggingFormat_JSON,
		Tracing: lambda.Tracing_ACTIVE,
	}
	if step.ScratchMiB > 0 {
		props.EphemeralStorageSize = awscdk.Size_Mebibytes(jsii.Number(step.ScratchMiB))
	}
	if step.NeedsNetwork() {
		allowNetworkInterfaces(role)
		props.Vpc, props.VpcSubnets = f.Network.VPC, f.Network.Subnets
		props.SecurityGroups = &[]awsec2.ISecurityGroup{f.Network.Functions}
	}
	function := lambda.NewFunction(this, jsii.String("Function"), props)
	explainFunction(role, step)
	return function
}

// variables are a settings struct as Lambda's environment. The values may be tokens.
func variables(of any) *map[string]*string {
	environment := map[string]*string{}
	for name, value := range settings.Environ(of) {
		environment[name] = jsii.String(value)
	}
	return &environment
}

// allowNetworkInterfaces lets Lambda put a function into a VPC, and forbids the same to the function itself, as
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html advises.
func allowNetworkInterfaces(role awsiam.Role) {
	actions := jsii.Strings("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
		"ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: actions, Resources: jsii.Strings("*")}))
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Effect: awsiam.Effect_DENY, Actions: actions, Resources: jsii.Strings("*"),
		Conditions: &map[string]any{"ArnLike": map[string]string{"lambda:SourceFunctionArn": "arn:*:lambda:*:*:function:*"}},
	}))
}
