package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	lambda "github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// resource is one of a template's.
type resource struct {
	Type                string
	Properties          map[string]any
	DependsOn           any
	DeletionPolicy      string
	UpdateReplacePolicy string
}

// text is the resource's properties as JSON.
func (r resource) text() string {
	text, err := json.Marshal(r.Properties)
	if err != nil {
		panic(err) // it came from JSON
	}
	return string(text)
}

// template is a synthesized stack.
type template struct {
	Resources map[string]resource
	Outputs   map[string]struct{ Value any }
	text      string
}

// of are the resources of a type, by id.
func (s template) of(kind string) map[string]resource {
	found := map[string]resource{}
	for id, r := range s.Resources {
		if r.Type == kind {
			found[id] = r
		}
	}
	return found
}

// only is the one resource of a type.
func (s template) only(t *testing.T, kind string) resource {
	t.Helper()
	found := s.of(kind)
	if len(found) != 1 {
		t.Fatalf("%d resources %s, want one", len(found), kind)
	}
	for _, r := range found {
		return r
	}
	panic("unreachable")
}

// synth is the template of a configuration; the functions' code is a stub.
func synth(t *testing.T, options map[string]any) template {
	t.Helper()
	return read(t, newStack(t, options))
}

func newStack(t *testing.T, options map[string]any) awscdk.Stack {
	t.Helper()
	config, err := ReadConfig(options)
	if err != nil {
		t.Fatal(err)
	}
	return NewStack(newApp(t), config, stub(t))
}

// newApp is an app with cdk.json's feature flags, which only the cdk command reads by itself.
func newApp(t *testing.T) awscdk.App {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "cdk.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Context map[string]any }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	delete(file.Context, "@aws-cdk/core:validateAgainstDefaultRules") // TestTheCommandSynthesizes does that, once
	return awscdk.NewApp(&awscdk.AppProps{Context: &file.Context, Outdir: jsii.String(t.TempDir()), AnalyticsReporting: jsii.Bool(false)})
}

func stub(t *testing.T) func(string) lambda.Code {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), []byte("stub"), 0o755); err != nil {
		t.Fatal(err)
	}
	return func(string) lambda.Code { return lambda.Code_FromAsset(jsii.String(dir), nil) }
}

func read(t *testing.T, stack awscdk.Stack) template {
	t.Helper()
	text, err := json.Marshal(assertions.Template_FromStack(stack, nil).ToJSON())
	if err != nil {
		t.Fatal(err)
	}
	parsed := template{text: string(text)}
	if err := json.Unmarshal(text, &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}
