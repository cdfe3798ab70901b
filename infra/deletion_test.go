package main

import (
	"strings"
	"testing"
)

// The content of a resource decides how it outlives the stack in stage prod.
const (
	remakes = "Delete"               // nothing is lost with it: a deployment or a run makes it again
	keeps   = "RetainExceptOnCreate" // data: it stays, unless the deployment that makes it fails
	saves   = "Snapshot"             // data: a last copy stays
)

// holds names the content of every kind of resource, and so its policy in stage prod. Stage dev deletes all of them.
// A bucket that stays keeps its rules, or it would take plain HTTP.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
var holds = map[string]struct{ policy, what string }{
	"AWS::S3::Bucket":       {keeps, "training data, models, answers"},
	"AWS::S3::BucketPolicy": {keeps, "the rules of a bucket that stays"},
	"AWS::RDS::DBInstance":  {saves, "vectors and versions, the shop"},
	"AWS::Kinesis::Stream":  {keeps, "records that wait for an answer"},
	"AWS::Logs::LogGroup":   {keeps, "the only record of what went wrong"},

	"AWS::ApiGatewayV2::Api":                {remakes, "an address, which a new API has another one of"},
	"AWS::ApiGatewayV2::Authorizer":         {remakes, "a rule"},
	"AWS::ApiGatewayV2::Integration":        {remakes, "a way"},
	"AWS::ApiGatewayV2::Route":              {remakes, "a rule"},
	"AWS::ApiGatewayV2::Stage":              {remakes, "limits"},
	"AWS::Athena::WorkGroup":                {remakes, "the history of queries; their results are in the lake bucket"},
	"AWS::Budgets::Budget":                  {remakes, "a limit"},
	"AWS::CDK::Metadata":                    {remakes, "nothing"},
	"AWS::CloudFormation::CustomResource":   {remakes, "a call of a function"},
	"AWS::CloudWatch::Alarm":                {remakes, "a condition; its history goes"},
	"AWS::CloudWatch::Dashboard":            {remakes, "a page"},
	"AWS::EC2::FlowLog":                     {remakes, "a subscription; its log group is kept"},
	"AWS::EC2::RouteTable":                  {remakes, "no data"},
	"AWS::EC2::SecurityGroup":               {remakes, "rules"},
	"AWS::EC2::SecurityGroupEgress":         {remakes, "a rule"},
	"AWS::EC2::SecurityGroupIngress":        {remakes, "a rule"},
	"AWS::EC2::Subnet":                      {remakes, "addresses"},
	"AWS::EC2::SubnetRouteTableAssociation": {remakes, "no data"},
	"AWS::EC2::VPC":                         {remakes, "addresses"},
	"AWS::EC2::VPCEndpoint":                 {remakes, "a way"},
	"AWS::Events::Rule":                     {remakes, "a rule"},
	"AWS::Glue::Database":                   {remakes, "descriptions of tables; the next run writes them again"},
	"AWS::Glue::Table":                      {remakes, "a description of objects that are kept"},
	"AWS::IAM::Policy":                      {remakes, "rights"},
	"AWS::IAM::Role":                        {remakes, "rights"},
	"AWS::KinesisFirehose::DeliveryStream":  {remakes, "answers of the last minutes, which are made again from Kinesis"},
	"AWS::Lambda::EventSourceMapping":       {remakes, "a place in the stream; a new mapping starts at the oldest record"},
	"AWS::Lambda::Function":                 {remakes, "code"},
	"AWS::Lambda::Permission":               {remakes, "a right"},
	"AWS::Logs::LogStream":                  {remakes, "a name; its group is kept"},
	"AWS::RDS::DBParameterGroup":            {remakes, "parameters"},
	"AWS::RDS::DBSubnetGroup":               {remakes, "names of subnets"},
	"AWS::SNS::Subscription":                {remakes, "an address that the options give"},
	"AWS::SNS::Topic":                       {remakes, "no message for longer than its delivery takes"},
	"AWS::SNS::TopicPolicy":                 {remakes, "rules"},
	"AWS::SQS::Queue":                       {remakes, "names of executions that did not start"},
	"AWS::SQS::QueuePolicy":                 {remakes, "rules"},
	"AWS::Scheduler::Schedule":              {remakes, "a time"},
	"AWS::StepFunctions::StateMachine":      {remakes, "a definition; the history of executions goes after 90 days anyway"},
	"Custom::S3AutoDeleteObjects":           {remakes, "a call of the CDK's function, in stage dev only"},
}

func TestEachResourceOutlivesTheStackAsItsDataNeeds(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		for id, r := range s.Resources {
			of, known := holds[r.Type]
			if !known {
				t.Errorf("%s is a %s: say in the table what it holds", id, r.Type)
				continue
			}
			want := of.policy
			if !s.config.Prod() {
				want = remakes
			}
			replaced := strings.TrimSuffix(want, "ExceptOnCreate") // an update has no such policy
			if policy(r.Type, r.DeletionPolicy) != want || policy(r.Type, r.UpdateReplacePolicy) != replaced {
				t.Errorf("%s is deleted by %q and replaced by %q: want %s, because it holds %s", id, r.DeletionPolicy, r.UpdateReplacePolicy, want, of.what)
			}
		}
	})
}

// policy returns CloudFormation's default: it deletes, and makes a snapshot of a database.
func policy(kind, given string) string {
	switch {
	case given != "":
		return given
	case kind == "AWS::RDS::DBInstance":
		return saves
	}
	return remakes
}

func TestDatabasesAreGuardedByTheirStage(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		days := 1.0
		if s.config.Prod() {
			days = 14
		}
		for id, database := range s.of("AWS::RDS::DBInstance") {
			if p := database.Properties; p["DeletionProtection"] != (s.config.Prod() && s.config.Protect) || p["BackupRetentionPeriod"] != days ||
				p["DeleteAutomatedBackups"] != !s.config.Prod() {
				t.Errorf("%s: %s", id, database.text())
			}
		}
		if s.config.Prod() && len(s.of("Custom::S3AutoDeleteObjects")) > 0 {
			t.Error("prod empties buckets")
		}
	})
}
