package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"recsys/infra/deployment"
	"recsys/infra/deployment/deploymenttest"
	"recsys/shared/contract/option"
)

// variants are the forms of the stack that every rule is held against. Together they give every option a value that is not
// its default. There are few of them, because synthesis is the slow part of these tests.
var variants = map[string]map[string]any{
	"dev":                nil,
	"prod":               {"stage": "prod"},
	"every option":       everyOption(),
	"existing, password": deploymenttest.Existing(map[string]any{"api": "off", "sourcePort": "3307", "shop": "../docs/shops/orders.yaml"}),
	"existing, IAM": deploymenttest.Existing(map[string]any{
		"stage": "prod", "schedule": "off", "sourceSecretArn": nil, "sourceResourceId": "db-ABC", "sourceSecurityGroupId": nil,
	}),
}

const (
	mostVariants = 8
	boundaryKey  = "@aws-cdk/core:permissionsBoundary" // the CDK's own
)

// everyOption returns those that a network and a MySQL of our own take.
func everyOption() map[string]any {
	options := map[string]any{
		"name": "shop-2", "stage": "prod", "protect": "false", "highAvailability": "true",
		"availabilityZones": "us-east-1b,us-east-1c", "s3PrefixListId": "pl-0123",
		"sourceDatabase": "shop", "sourceUser": "shop_reader", "sourceInstance": "m7g.large",
		"vectorInstance": "r8g.large", "vectorStorageGiB": 100.0, "backupWindow": "10:00-10:30", "maintenanceWindow": "sun:12:00-sun:12:30",
		"schedule": "cron(30 4 * * ? *)", "scheduleTimezone": "Europe/Paris", "successWithinHours": "48",
		"runRetentionDays": 20.0,
		"shards":           "3", "streamRetentionHours": "48", "parallelization": "4", "reserveConcurrency": "true", "deliverySeconds": "0", "eventBus": "answers",
		"api": "iam", "apiRate": "50", "apiCalls": "20", "apiIssuer": "https://login.example.com/", "apiAudience": "shop", "apiOrigins": "https://shop.example.com",
		"answerRetentionDays": "90", "alarmEmail": "you@example.com", "budgetUSD": "200", "logRetentionDays": "365",
		"accessLogsBucket": "logs-of-the-account",
	}
	for name, option := range learningOptions {
		options[name] = option.value
	}
	options[boundaryKey] = map[string]any{"name": "developers"}
	return options
}

func TestFewVariantsCoverEveryOption(t *testing.T) {
	if len(variants) > mostVariants {
		t.Errorf("%d variants, want %d at most", len(variants), mostVariants)
	}
	given := map[string]bool{}
	for _, options := range variants {
		for name := range options {
			given[name] = true
		}
	}
	var known []string
	for _, field := range option.Fields(deployment.Config{}) {
		known = append(known, field.Name)
	}
	slices.Sort(known)
	delete(given, boundaryKey)
	if got := slices.Sorted(maps.Keys(given)); !slices.Equal(got, known) {
		t.Errorf("the variants give %v,\nwant %v", got, known)
	}
}

// each runs a check on all variants.
func each(t *testing.T, check func(*testing.T, template)) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(variants)) {
		t.Run(name, func(t *testing.T) { check(t, variant(t, name)) })
	}
}

// synthesis is a variant's stack: its template, the folder that the cdk command would deploy from, and the findings
// of cdk-nag.
type synthesis struct {
	template
	folder   string
	findings []string
}

// syntheses holds the variants that were synthesized. Tests only read them.
var syntheses = map[string]synthesis{}

// variant returns a variant's template.
func variant(t *testing.T, name string) template {
	t.Helper()
	return synthesized(t, name).template
}

// synthesized synthesizes a variant once for all tests.
func synthesized(t *testing.T, name string) synthesis {
	t.Helper()
	if _, made := syntheses[name]; !made {
		options, known := variants[name]
		if !known {
			t.Fatalf("there is no variant %q", name)
		}
		syntheses[name] = newSynthesis(t, options, "stub")
	}
	return syntheses[name]
}

// newSynthesis synthesizes a stack whose functions have this content.
func newSynthesis(t *testing.T, options map[string]any, content string) synthesis {
	t.Helper()
	config, err := deployment.ReadConfig(options)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp(scratch, "cdk.out-")
	if err != nil {
		t.Fatal(err)
	}
	stack := NewStack(newApp(t, folder, options[boundaryKey]), config, stub(t, content))
	awscdk.Aspects_Of(stack).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Verbose: jsii.Bool(false), Reports: jsii.Bool(false)}), nil)
	text, err := json.Marshal(assertions.Template_FromStack(stack, nil).ToJSON())
	if err != nil {
		t.Fatal(err)
	}
	s := synthesis{template: template{text: string(text), config: config}, folder: folder, findings: findings(t, stack)}
	if err := json.Unmarshal(text, &s.template); err != nil {
		t.Fatal(err)
	}
	return s
}

// templateFile returns the path of the template that the cdk command would deploy.
func (s synthesis) templateFile() string {
	return filepath.Join(s.folder, s.config.Name+".template.json")
}

func findings(t *testing.T, stack awscdk.Stack) (found []string) {
	t.Helper()
	anything, annotations := assertions.Match_AnyValue(), assertions.Annotations_FromStack(stack)
	for _, message := range append(*annotations.FindError(jsii.String("*"), anything), *annotations.FindWarning(jsii.String("*"), anything)...) {
		var finding struct {
			ID    string
			Entry struct{ Data any }
		}
		text, err := json.Marshal(message)
		if err == nil {
			err = json.Unmarshal(text, &finding)
		}
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, fmt.Sprint(finding.ID, ": ", finding.Entry.Data))
	}
	return found
}
