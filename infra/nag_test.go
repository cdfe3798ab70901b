package main

import (
	"testing"
)

// cdk-nag's AwsSolutions rules hold, except for the findings that explained.go explains, resource by resource.
func TestNoUnexplainedFindings(t *testing.T) {
	for name := range variants {
		t.Run(name, func(t *testing.T) {
			for _, finding := range synthesized(t, name).findings {
				t.Error(finding)
			}
		})
	}
}
