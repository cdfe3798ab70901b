package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/shared/store/rds"
)

// refuseOtherRegions has CloudFormation check the same, before it makes anything.
func refuseOtherRegions(scope constructs.Construct) {
	rule := awscdk.NewCfnRule(scope, jsii.String("RegionIsKnown"), nil)
	regions := jsii.Strings(rds.Regions()...)
	rule.AddAssertion(awscdk.Fn_ConditionContains(regions, awscdk.Aws_REGION()),
		jsii.String("This region's RDS root certificate is missing in shared/store/rds/certificates.pem: functions could not connect to the databases."))
}
