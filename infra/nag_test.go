package main

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"recsys/infra/deployment/deploymenttest"
)

// cdk-nag's AwsSolutions rules hold, but for what explained.go explains, resource by resource.
func TestNoUnexplainedFindings(t *testing.T) {
	for name, options := range map[string]map[string]any{
		"dev":                        nil,
		"prod":                       {"stage": "prod", "highAvailability": "true", "alarmEmail": "you@example.com"},
		"existing network and MySQL": deploymenttest.Existing(nil),
	} {
		t.Run(name, func(t *testing.T) {
			stack := newStack(t, options)
			awscdk.Aspects_Of(stack).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Verbose: jsii.Bool(false)}), nil)
			anything := assertions.Match_AnyValue()
			annotations := assertions.Annotations_FromStack(stack)
			for _, found := range append(*annotations.FindError(jsii.String("*"), anything), *annotations.FindWarning(jsii.String("*"), anything)...) {
				text, err := json.Marshal(found)
				var finding struct {
					ID    string
					Entry struct{ Data any }
				}
				if err == nil {
					err = json.Unmarshal(text, &finding)
				}
				t.Error(finding.ID, finding.Entry.Data, err)
			}
		})
	}
}
