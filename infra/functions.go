package main

import (
	"strings"

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

// Function is how a folder of functions/ is deployed.
type Function struct {
	workflow.Step
	// Settings is its struct of package settings, which becomes its environment.
	Settings any
	// InVPC is for those that speak to a database.
	InVPC bool
	// May is what its role allows beside logs, traces and the VPC: see Access.
	May []Permission
}

// hasObjects tells whether it may do something with keys of a pattern.
func (f Function) hasObjects() bool {
	for _, permission := range f.May {
		for _, resource := range permission.Resources {
			if strings.Contains(*resource, "*") {
				return true
			}
		}
	}
	return false
}

// Factory makes functions, each with a role and a log group of its own.
type Factory struct {
	Config  deployment.Config
	Network *Network
	Code    func(function string) lambda.Code
}

// New makes a function in scope, with its name as id.
func (f Factory) New(scope constructs.Construct, of Function) lambda.Function {
	this := constructs.NewConstruct(scope, jsii.String(of.Name))
	logs := newLogGroup(this, "Logs", f.Config)
	role := awsiam.NewRole(this, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Description: jsii.String("What the function " + of.Name + " may do."),
	})
	allow(role, Permission{Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resources: []*string{logs.LogGroupArn()}})
	for _, permission := range of.May {
		allow(role, permission)
	}
	props := &lambda.FunctionProps{
		Description:  jsii.String("recsys: functions/" + of.Name),
		Runtime:      lambda.Runtime_PROVIDED_AL2023(),
		Architecture: lambda.Architecture_ARM_64(),
		Handler:      jsii.String("bootstrap"),
		Code:         f.Code(of.Name),
		Role:         role,
		MemorySize:   jsii.Number(of.MemoryMiB),
		Timeout:      awscdk.Duration_Seconds(jsii.Number(of.Timeout.Seconds())),
		Environment:  variables(of.Settings),
		LogGroup:     logs, LoggingFormat: lambda.LoggingFormat_JSON,
		Tracing: lambda.Tracing_ACTIVE,
	}
	if of.ScratchMiB > 0 {
		props.EphemeralStorageSize = awscdk.Size_Mebibytes(jsii.Number(of.ScratchMiB))
	}
	if of.InVPC {
		allowNetworkInterfaces(role)
		props.Vpc, props.VpcSubnets = f.Network.VPC, f.Network.Subnets
		props.SecurityGroups = &[]awsec2.ISecurityGroup{f.Network.Functions}
	}
	function := lambda.NewFunction(this, jsii.String("Function"), props)
	explainFunction(role, of)
	return function
}

// variables are a settings struct as Lambda's environment; the values may be tokens.
func variables(of any) *map[string]*string {
	environment := map[string]*string{}
	for name, value := range settings.Environ(of) {
		environment[name] = jsii.String(value)
	}
	return &environment
}

// allowNetworkInterfaces is what Lambda needs to put a function into a VPC, and what the function itself must not
// do, as https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html advises.
func allowNetworkInterfaces(role awsiam.Role) {
	actions := jsii.Strings("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
		"ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: actions, Resources: jsii.Strings("*")}))
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Effect: awsiam.Effect_DENY, Actions: actions, Resources: jsii.Strings("*"),
		Conditions: &map[string]any{"ArnLike": map[string]string{"lambda:SourceFunctionArn": "arn:*:lambda:*:*:function:*"}},
	}))
}
