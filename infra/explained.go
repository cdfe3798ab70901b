package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
	"slices"
	"strings"

	"recsys/infra/deployment"
	"recsys/shared/contract/workflow"
)

// The findings of cdk-nag's AwsSolutions rules that are intended, each on its own resource, with the reason. The test
// that runs them is nag_test.go.

// explain suppresses a rule on one resource. Patterns choose among the rule's findings. Without them the rule has
// one.
func explain(on constructs.IConstruct, rule, reason string, patterns ...string) {
	suppression := &cdknag.NagPackSuppression{Id: jsii.String("AwsSolutions-" + rule), Reason: jsii.String(reason)}
	if len(patterns) > 0 {
		var applies []any
		for _, pattern := range patterns {
			applies = append(applies, &cdknag.RegexAppliesTo{Regex: jsii.String("/^Resource::" + pattern + "$/")})
		}
		suppression.AppliesTo = &applies
	}
	cdknag.NagSuppressions_AddResourceSuppressions(on, &[]*cdknag.NagPackSuppression{suppression}, nil)
}

// policyOf is the resource that a role's statements are in.
func policyOf(role awsiam.IRole) constructs.IConstruct {
	return role.Node().FindChild(jsii.String("DefaultPolicy"))
}

// objects are keys that are known up to their first wildcard at least.
const objects = `<DataLake\w+\.Arn>/[^*]+\*.*`

func explainFunction(role awsiam.Role, of workflow.Step) {
	reason := "X-Ray's actions know no resource."
	if of.NeedsNetwork() {
		reason = "X-Ray's actions know no resource, and of EC2's network interfaces Lambda says not which; the function's own code is denied them."
	}
	explain(policyOf(role), "IAM5", reason, `\*`)
	if !hasPatterns(of) {
		return
	}
	explain(policyOf(role), "IAM5", "The keys of "+of.Name+" carry a run, a range, a version or a shard, which are not known before: its prefixes are allowed, with the actions that it calls.", objects)
}

// hasPatterns reports a step with rights on keys of a pattern.
func hasPatterns(of workflow.Step) bool {
	return slices.ContainsFunc(of.Rights, func(right workflow.Right) bool {
		return strings.Contains(strings.Join(right.Keys, " "), "*")
	})
}

func explainBucket(bucket awss3.Bucket) {
	explain(bucket, "S1", "A run puts an object a customer, and access logs would be another object for every few of them. The option accessLogsBucket turns them on. CloudTrail's data events tell the same for the whole account.")
}

func explainDatabase(instance awsrds.DatabaseInstance, config deployment.Config) {
	explain(instance, "RDS11", "Only the functions' security group reaches the database, in a network without a way to the internet: another port would hide nothing.")
	if !config.HighAvailability {
		explain(instance, "RDS3", "The option highAvailability doubles the price; without it a zone that fails delays answers, which Kinesis keeps records for.")
	}
	if !guarded(config) {
		explain(instance, "RDS10", "Stage dev is to be destroyed cleanly. So is the first deployment of stage prod, with protect=false, if it fails. After it, stage prod is protected.")
	}
}

// explainMajorVersion acknowledges the findings of two linters on an engine version that is a major one alone. They
// compare it with lists of minor ones. RDS takes a major one and chooses.
// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
func explainMajorVersion(instance awsrds.DatabaseInstance) {
	const reason = "RDS takes the major version alone and chooses a minor one. A minor one in the template fails when RDS retires it."
	resource := instance.Node().DefaultChild().(awsrds.CfnDBInstance)
	awscdk.Validations_Of(resource).Acknowledge(&awscdk.Acknowledgment{Id: jsii.String("CloudFormation-Validate::E9006"), Reason: jsii.String(reason)})
	ignoreLint(resource, "E3691", "W3691")
}

// ignoreLint has cfn-lint pass over rules on one resource.
func ignoreLint(resource awscdk.CfnResource, rules ...string) {
	resource.AddMetadata(jsii.String("cfn-lint"), map[string]any{"config": map[string]any{"ignore_checks": rules}})
}

func explainWorkflow(machine sfn.StateMachine) {
	explain(policyOf(machine.Role()), "IAM5", "Neither X-Ray's actions nor those of log deliveries know a resource.", `\*`)
}

func explainDelivery(role awsiam.Role) {
	explain(policyOf(role), "IAM5", "Firehose names its objects by the hour, under the prefixes for answers and for errors.", objects)
}
