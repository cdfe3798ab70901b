package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// onlyOnAWS are actions that no run on one machine shows, each with the reason why a function is allowed it.
var onlyOnAWS = map[string]string{
	"logs:CreateLogStream":                      "Lambda writes a function's output under its role",
	"logs:PutLogEvents":                         "as before",
	"xray:PutTraceSegments":                     "Lambda sends traces under its role",
	"xray:PutTelemetryRecords":                  "as before",
	"ec2:CreateNetworkInterface":                "Lambda puts the function into the VPC under its role",
	"ec2:DescribeNetworkInterfaces":             "as before",
	"ec2:DescribeSubnets":                       "as before",
	"ec2:DeleteNetworkInterface":                "as before",
	"ec2:AssignPrivateIpAddresses":              "as before",
	"ec2:UnassignPrivateIpAddresses":            "as before",
	"rds-db:connect":                            "the databases of one machine know no IAM",
	"secretsmanager:GetSecretValue":             "the databases of one machine have no secrets",
	"s3:GetObjectTagging":                       "S3 copies the tags of an object with it, if it has any",
	"s3:PutObjectTagging":                       "as before",
	"kinesis:DescribeStream":                    "the event source mapping reads under the function's role",
	"kinesis:DescribeStreamSummary":             "as before",
	"kinesis:GetRecords":                        "as before",
	"kinesis:GetShardIterator":                  "as before",
	"kinesis:ListShards":                        "as before",
	"s3:PutObject recommendations/aws/lambda/*": "the mapping writes what failed under the function's role",
	"s3:ListBucket recommendations":             "the mapping looks for the bucket",
	"s3:ListBucket artifacts":                   "S3 says 404 of a model that is gone, and not 403, to those who may list",
}

// The actions and resources of each function are those of the calls that were recorded when the whole pipeline ran.
func TestFunctionsMayMakeTheirCallsAndNoOthers(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "recorded-calls.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded map[string]map[string][]string // function → action → resources
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	s := variant(t, "dev")
	for name, function := range deployedFunctions(s) {
		allowed := allowedTo(s, spell(function.Properties["Role"]))
		for action, resources := range recorded[name] {
			for _, resource := range resources {
				if !slices.ContainsFunc(allowed[action], func(pattern string) bool { return covers(pattern, resource) }) {
					t.Errorf("%s calls %s on %s and may only on %v", name, action, resource, allowed[action])
				}
			}
		}
		for action, patterns := range allowed {
			for _, pattern := range patterns {
				used := slices.ContainsFunc(recorded[name][action], func(resource string) bool { return covers(pattern, resource) })
				if !used && onlyOnAWS[action] == "" && onlyOnAWS[action+" "+pattern] == "" {
					t.Errorf("%s may %s on %s and never does", name, action, pattern)
				}
			}
		}
	}
	if len(recorded) != len(deployedFunctions(s))-2 { // the two that a deployment calls
		t.Errorf("calls of %v were recorded", slices.Sorted(maps.Keys(recorded)))
	}
}

// allowedTo are the actions of a role with their resources, as the record spells them.
func allowedTo(s template, role string) map[string][]string {
	allowed := map[string][]string{}
	for _, policy := range s.of("AWS::IAM::Policy") {
		if !slices.Contains(texts(policy.Properties["Roles"]), role) {
			continue
		}
		for _, statement := range statements(policy.Properties["PolicyDocument"]) {
			if statement.effect != "Allow" {
				continue
			}
			for _, action := range statement.actions {
				for _, resource := range statement.resources {
					allowed[action] = append(allowed[action], recordedAs(resource))
				}
			}
		}
	}
	return allowed
}

var ids = regexp.MustCompile(`^DataLake(Artifacts|Recommendations|)[0-9A-F]{8}`)

// recordedAs turns an ARN of the template into the record's words: bucket and key, database and table.
func recordedAs(resource string) string {
	if match := ids.FindStringSubmatchIndex(resource); match != nil {
		bucket := strings.ToLower(resource[match[2]:match[3]])
		if bucket == "" {
			bucket = "lake"
		}
		return bucket + resource[match[1]:]
	}
	if _, table, ok := strings.Cut(resource, ":table/"); ok {
		return table
	}
	if strings.HasPrefix(resource, "StreamingAnswers") {
		return "recommendations"
	}
	return resource
}

// covers tells whether a resource of a policy, with * for anything, holds a recorded one. Glue wants to see the catalog
// and the database of a table allowed, too.
func covers(pattern, recorded string) bool {
	if strings.Contains(pattern, ":glue:") {
		return strings.HasSuffix(pattern, ":catalog") || strings.HasSuffix(pattern, ":database/"+strings.Split(recorded, "/")[0])
	}
	expression := "^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$"
	return regexp.MustCompile(expression).MatchString(recorded)
}

// No policy allows a wildcard as an action, but the one with which the CDK's own function empties dev's buckets.
func TestNoActionIsAWildcard(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		check := func(id string, document any) {
			for _, statement := range statements(document) {
				for _, action := range statement.actions {
					if statement.effect == "Allow" && strings.Contains(action, "*") {
						t.Errorf("%s allows %s on %v", id, action, statement.resources)
					}
				}
			}
		}
		for id, r := range s.Resources {
			switch r.Type {
			case "AWS::IAM::Policy", "AWS::VPCEndpoint", "AWS::SNS::TopicPolicy":
				check(id, r.Properties["PolicyDocument"])
			case "AWS::EC2::VPCEndpoint":
				if document := r.Properties["PolicyDocument"]; document != nil {
					check(id, document)
				}
			case "AWS::S3::BucketPolicy":
				if len(s.of("Custom::S3AutoDeleteObjects")) == 0 {
					check(id, r.Properties["PolicyDocument"])
				}
			case "AWS::IAM::Role":
				if policies := r.Properties["Policies"]; policies != nil {
					t.Errorf("%s has policies of its own: %v", id, policies)
				}
				if managed := r.Properties["ManagedPolicyArns"]; managed != nil && !strings.HasPrefix(id, "CustomS3AutoDeleteObjects") {
					t.Errorf("%s has AWS's policies: %v", id, managed)
				}
			}
		}
	})
}
