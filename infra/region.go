package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/shared/rds"
)

// checkRegion refuses a region whose databases no function would trust: the program lacks the root of their certificates.
// An empty name is a region that is not known yet.
func checkRegion(region string) error {
	if region == "" || slices.Contains(rds.Regions(), region) {
		return nil
	}
	return fmt.Errorf("region %s: its RDS root certificate is missing in shared/rds/certificates.pem, so functions could not connect; want one of %s",
		region, strings.Join(rds.Regions(), ", "))
}

// refuseOtherRegions has CloudFormation check the same, before it makes anything.
func refuseOtherRegions(scope constructs.Construct) {
	rule := awscdk.NewCfnRule(scope, jsii.String("RegionIsKnown"), nil)
	regions := jsii.Strings(rds.Regions()...)
	rule.AddAssertion(awscdk.Fn_ConditionContains(regions, awscdk.Aws_REGION()),
		jsii.String("This region's RDS root certificate is missing in shared/rds/certificates.pem: functions could not connect to the databases."))
}
