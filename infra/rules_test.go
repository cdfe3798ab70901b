package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-cdk-go/awscdk/v2/regioninfo"
)

// textRule is the characters and the length of a text that a service takes.
type textRule struct {
	kind     string // of resource
	property string // path from the properties. * stands for each element of a list
	allowed  string // pattern of the whole text
	limit    int    // in characters
	source   string
}

// AWS accepts or refuses these texts only when it makes the resource, minutes into a deployment.
var textRules = []textRule{
	{"AWS::EC2::SecurityGroup", "GroupDescription", securityGroupText, 255, ec2Texts},
	{"AWS::EC2::SecurityGroup", "SecurityGroupEgress.*.Description", securityGroupText, 255, ec2Texts},
	{"AWS::EC2::SecurityGroup", "SecurityGroupIngress.*.Description", securityGroupText, 255, ec2Texts},
	{"AWS::EC2::SecurityGroupEgress", "Description", securityGroupText, 255, ec2Texts},
	{"AWS::EC2::SecurityGroupIngress", "Description", securityGroupText, 255, ec2Texts},
	{"AWS::IAM::Role", "Description", "^[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*$", 1000, "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"},
	{"AWS::Lambda::Function", "Description", anyText, 256, "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"},
	{"AWS::ApiGatewayV2::Api", "Description", anyText, 1024, "https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html"},
	{"AWS::CloudWatch::Alarm", "AlarmDescription", anyText, 1024, "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"},
	{"AWS::Events::Rule", "Description", anyText, 512, "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html"},
	{"AWS::Scheduler::Schedule", "Description", anyText, 512, "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html"},
	{"AWS::Glue::Database", "DatabaseInput.Name", `^[a-z0-9_]+$`, 255, "https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html"},
	{"AWS::Glue::Database", "DatabaseInput.Description", glueText, 2048, "https://docs.aws.amazon.com/glue/latest/webapi/API_DatabaseInput.html"},
	{"AWS::Glue::Table", "TableInput.Description", glueText, 2048, "https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html"},
	{"AWS::Athena::WorkGroup", "Name", `^[a-zA-Z0-9._-]+$`, 128, "https://docs.aws.amazon.com/athena/latest/APIReference/API_CreateWorkGroup.html"},
	{"AWS::Athena::WorkGroup", "Description", anyText, 1024, "https://docs.aws.amazon.com/athena/latest/APIReference/API_CreateWorkGroup.html"},
	{"AWS::Glue::Table", "TableInput.Name", `^[a-z0-9_]+$`, 255, "https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html"},
	{"AWS::Scheduler::Schedule", "ScheduleExpression", `^(cron|rate|at)\(.+\)$`, 256, "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html"},
	{"AWS::Scheduler::Schedule", "ScheduleExpressionTimezone", `.`, 50, "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html"},
	{"AWS::RDS::DBSubnetGroup", "DBSubnetGroupDescription", `.`, 255, "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html"},
	{"AWS::RDS::DBParameterGroup", "Description", `.`, 255, "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBParameterGroup.html"},
	{"AWS::RDS::DBInstance", "MasterUsername", `^[a-z][a-z0-9_]*$`, 16, "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"},
	{"AWS::RDS::DBInstance", "DBName", `^[a-z][a-z0-9]*$`, 63, "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"},
}

const (
	anyText           = ``
	securityGroupText = `^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]*$`
	ec2Texts          = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html"
	glueText          = `^[\x20-\x{D7FF}\t]*$`
)

func TestTextsAreOfTheCharactersThatTheirServiceTakes(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		for _, rule := range textRules {
			allowed := regexp.MustCompile(rule.allowed)
			for id, r := range s.of(rule.kind) {
				for _, text := range textsAt(r.Properties, strings.Split(rule.property, ".")) {
					if !allowed.MatchString(text) || utf8.RuneCountInString(text) > rule.limit {
						t.Errorf("%s.%s is %q: want %d of %s (%s)", id, rule.property, text, rule.limit, rule.allowed, rule.source)
					}
				}
			}
		}
	})
}

// A rule finds the fault that it is for, wherever in the resource it is.
func TestAnApostropheInARuleOfASecurityGroupIsFound(t *testing.T) {
	group := map[string]any{"SecurityGroupEgress": []any{map[string]any{"Description": "S3"}, map[string]any{"Description": "the shop's MySQL"}}}
	texts := textsAt(group, []string{"SecurityGroupEgress", "*", "Description"})
	if len(texts) != 2 || regexp.MustCompile(securityGroupText).MatchString(texts[1]) {
		t.Errorf("found %q", texts)
	}
}

// textsAt are the texts at a path. There may be none.
func textsAt(value any, path []string) []string {
	if len(path) == 0 {
		if value == nil {
			return nil
		}
		return []string{spell(value)}
	}
	var found []string
	switch value := value.(type) {
	case map[string]any:
		return textsAt(value[path[0]], path[1:])
	case []any:
		for _, one := range value {
			found = append(found, textsAt(one, path[1:])...)
		}
	}
	return found
}

// The mail's template must be JSON, or EventBridge drops the message. It does not escape the values that it puts in, so
// none may hold a quote: an error's cause does. (It also takes several texts in lines, which this splits.)
func TestTheMailOfAnEndIsMadeOfValuesWithoutQuotes(t *testing.T) {
	plain := []string{"<name>", "<status>", "<error>", "<region>", "<execution>"}
	for _, line := range strings.Split(endMessage, "\n") {
		if !strings.HasPrefix(line, `"`) || !strings.HasSuffix(line, `"`) || strings.Count(line, `"`) != 2 {
			t.Errorf("%s is no text of JSON", line)
		}
		for _, value := range regexp.MustCompile(`<\w+>`).FindAllString(line, -1) {
			if !slices.Contains(plain, value) {
				t.Errorf("%s may hold a quote", value)
			}
		}
	}
}

func TestEveryTargetHasADeadLetterQueueAndARole(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		var targets []any
		for _, rule := range s.of("AWS::Events::Rule") {
			targets = append(targets, rule.Properties["Targets"].([]any)...)
		}
		for _, schedule := range s.of("AWS::Scheduler::Schedule") {
			targets = append(targets, schedule.Properties["Target"])
		}
		for _, target := range targets {
			target := target.(map[string]any)
			queue, _ := target["DeadLetterConfig"].(map[string]any)
			if s.Resources[spell(queue["Arn"])].Type != "AWS::SQS::Queue" || s.Resources[spell(target["RoleArn"])].Type != "AWS::IAM::Role" {
				t.Errorf("target %v", target)
			}
		}
		if len(targets) < 2 {
			t.Errorf("%d targets", len(targets))
		}
	})
}

// Every prefix of the bucket that holds customers' data expires, whichever service writes it.
func TestAnswersAndFailuresExpire(t *testing.T) {
	for id, bucket := range variant(t, "every option").of("AWS::S3::Bucket") {
		if !strings.Contains(id, "Recommendations") {
			continue
		}
		for prefix, after := range map[string]int{"recommendations/": 90, "rejected/": 30, "aws/lambda/": 30, "delivery-errors/": 30} {
			if want := fmt.Sprintf(`{"ExpirationInDays":%d,"Prefix":"%s","Status":"Enabled"}`, after, prefix); !strings.Contains(bucket.text(), want) {
				t.Errorf("%s: no rule %s", id, want)
			}
		}
	}
}

// noResource are the actions that AWS authorizes for no resource, or for one that only the service knows.
var noResource = map[string]string{
	"xray:PutTraceSegments":          "knows no resource",
	"xray:PutTelemetryRecords":       "knows no resource",
	"xray:GetSamplingRules":          "knows no resource",
	"xray:GetSamplingTargets":        "knows no resource",
	"ec2:CreateNetworkInterface":     "the service chooses the interface, and the function's own code is denied it",
	"ec2:DescribeNetworkInterfaces":  "as before",
	"ec2:DescribeSubnets":            "as before",
	"ec2:DeleteNetworkInterface":     "as before",
	"ec2:AssignPrivateIpAddresses":   "as before",
	"ec2:UnassignPrivateIpAddresses": "as before",
	"logs:CreateLogDelivery":         "deliveries of logs know no resource",
	"logs:GetLogDelivery":            "as before",
	"logs:UpdateLogDelivery":         "as before",
	"logs:DeleteLogDelivery":         "as before",
	"logs:ListLogDeliveries":         "as before",
	"logs:PutResourcePolicy":         "as before",
	"logs:DescribeResourcePolicies":  "as before",
	"logs:DescribeLogGroups":         "as before",
}

// https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
func TestEveryActionOnAnyResourceHasAReason(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		for id, policy := range s.of("AWS::IAM::Policy") {
			for _, statement := range statements(policy.Properties["PolicyDocument"]) {
				if statement.effect != "Allow" || !slices.Contains(statement.resources, "*") {
					continue
				}
				for _, action := range statement.actions {
					if noResource[action] == "" {
						t.Errorf("%s allows %s on any resource", id, action)
					}
				}
			}
		}
	})
}

// A new account's limits that are lower than the service's documented defaults.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
func TestDefaultsFitANewAccount(t *testing.T) {
	s := variant(t, "dev")
	const concurrentCalls, memoryMiB = 10, 3008
	// One workflow's branches, its next step's first call, and the stream.
	if calls := s.config.MaxConcurrency + s.config.Shards*s.config.Parallelization; calls > concurrentCalls {
		t.Errorf("%d calls of functions at once: a new account has %d", calls, concurrentCalls)
	}
	for id, function := range s.of("AWS::Lambda::Function") {
		if memory, _ := function.Properties["MemorySize"].(float64); memory > memoryMiB {
			t.Errorf("%s has %v MiB: a new account may have %d", id, memory, memoryMiB)
		}
		if function.Properties["ReservedConcurrentExecutions"] != nil {
			t.Errorf("%s reserves calls: a new account has none to spare", id)
		}
	}
	for kind, most := range map[string]int{
		"AWS::EC2::VPC": 1, "AWS::EC2::VPCEndpoint": 3, "AWS::EC2::EIP": 0, "AWS::RDS::DBInstance": 2, "AWS::Kinesis::Stream": 1,
	} {
		if made := len(s.of(kind)); made > most {
			t.Errorf("%d of %s, want %d at most", made, kind, most)
		}
	}
}

// Each region that the CDK knows is taken by the template, or named by the document as refused. A partition other than
// AWS's public one is refused as a whole.
func TestEveryRegionIsTakenOrNamedAsRefused(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("..", "docs", "aws.md"))
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, s template) {
		assertion := s.Rules["RegionIsKnown"].Assertions[0].Assert["Fn::Contains"]
		taken := strings.Fields(strings.Trim(spell(assertion[0]), "[]"))
		if spell(assertion[1]) != "AWS::Region" {
			t.Errorf("the template asks for %v", assertion[1])
		}
		for _, region := range *regioninfo.RegionInfo_Regions() {
			name, partition := *region.Name(), ""
			if region.Partition() != nil {
				partition = *region.Partition()
			}
			named := strings.Contains(string(document), "`"+name+"`")
			if isTaken := slices.Contains(taken, name); isTaken == (named || partition != "aws") {
				t.Errorf("%s of partition %s: taken %v, named as refused %v", name, partition, isTaken, named)
			}
		}
	})
}
