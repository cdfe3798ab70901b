package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Hard limits of sizes. No quota raises them.
const (
	mostResources    = 500     // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
	mostOutputs      = 200     // as before
	mostTemplate     = 1 << 20 // bytes, as before
	mostStackTexts   = 1024    // descriptions of the stack and its outputs, as before
	mostVariables    = 4096    // bytes of a function's environment: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	mostInlinePolicy = 10_240  // of a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
	mostBucketPolicy = 20_480  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
	mostEndpoint     = 20_480  // https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
	mostTopicPolicy  = 30_720  // https://docs.aws.amazon.com/general/latest/gr/sns.html
	mostRules        = 60      // of a security group, each way: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
	mostTags         = 50      // https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
	mostDefinition   = 1 << 20 // https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
	mostPattern      = 4096    // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
	mostWidgets      = 500     // of a dashboard: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
)

func TestSizesAreWithinHardLimits(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		within := func(what string, size, most int) {
			t.Helper()
			if size > most {
				t.Errorf("%s: %d, want %d at most", what, size, most)
			}
		}
		within("resources", len(s.Resources), mostResources)
		within("outputs", len(s.Outputs), mostOutputs)
		within("bytes of the template", len(s.text), mostTemplate)
		within("the stack's description", len(s.Description), mostStackTexts)
		for id, output := range s.Outputs {
			within(id, len(output.Description), mostStackTexts)
		}
		for id, r := range s.Resources {
			tags, _ := r.Properties["Tags"].([]any)
			within(id+"'s tags", len(tags), mostTags)
			if size, most := sizeOf(r); most > 0 {
				within(fmt.Sprintf("%s, %s", id, r.Type), size, most)
			}
		}
		for role, size := range inlinePolicies(s) {
			within(role+"'s policies", size, mostInlinePolicy)
		}
	})
}

// sizeOf returns the size that limits a kind of resource, and the limit, or 0.
func sizeOf(r resource) (size, most int) {
	of := func(property string) int { return written(r.Properties[property]) }
	switch r.Type {
	case "AWS::Lambda::Function":
		for name, value := range environment(r) {
			size += len(name) + len(value)
		}
		return size, mostVariables
	case "AWS::S3::BucketPolicy":
		return of("PolicyDocument"), mostBucketPolicy
	case "AWS::EC2::VPCEndpoint":
		return of("PolicyDocument"), mostEndpoint
	case "AWS::SNS::TopicPolicy":
		return of("PolicyDocument"), mostTopicPolicy
	case "AWS::EC2::SecurityGroup":
		rules, _ := r.Properties["SecurityGroupEgress"].([]any)
		return len(rules), mostRules
	case "AWS::StepFunctions::StateMachine":
		return of("DefinitionString"), mostDefinition
	case "AWS::Events::Rule":
		return of("EventPattern"), mostPattern
	case "AWS::CloudWatch::Dashboard":
		return strings.Count(spell(r.Properties["DashboardBody"]), `"type":"`), mostWidgets
	}
	return 0, 0
}

// inlinePolicies are the sizes of the policies of each role together. IAM counts them so.
func inlinePolicies(s template) map[string]int {
	sizes := map[string]int{}
	for _, policy := range s.of("AWS::IAM::Policy") {
		for _, role := range texts(policy.Properties["Roles"]) {
			sizes[role] += written(policy.Properties["PolicyDocument"])
		}
	}
	return sizes
}

// written is the length of a value as AWS gets it. A reference counts with its spelling in the template, which is longer
// than most names.
func written(value any) int {
	if value == nil {
		return 0
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // it came from JSON
	}
	return len(text)
}

// A description that is added has a row among textRules.
func TestEveryDescriptionHasARule(t *testing.T) {
	each(t, func(t *testing.T, s template) {
		for id, r := range s.Resources {
			for _, path := range descriptions(r.Properties, "") {
				if !slices.ContainsFunc(textRules, func(rule textRule) bool { return rule.kind == r.Type && rule.property == path }) {
					t.Errorf("%s: no rule for %s.%s", id, r.Type, path)
				}
			}
		}
	})
}

// descriptions are the paths of the properties that describe something, as textRules spells them.
func descriptions(value any, path string) (found []string) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			below := strings.TrimPrefix(path+"."+name, ".")
			if strings.HasSuffix(name, "Description") {
				found = append(found, below)
			} else {
				found = append(found, descriptions(inner, below)...)
			}
		}
	case []any:
		for _, one := range value {
			found = append(found, descriptions(one, path+".*")...)
		}
	}
	return found
}
