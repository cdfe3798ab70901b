package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	lambda "github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
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
	Outputs   map[string]struct {
		Value       any
		Description string
	}
	Description string
	Rules       map[string]struct {
		Assertions []struct{ Assert map[string][]any }
	}
	text   string
	config deployment.Config
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

// TestMain turns off the library's validation of templates, which takes half of the time: the cdk command validates,
// in TestTwoCheckoutsAreDeployedTheSame and in .ci/run. The variable is read when the process starts.
func TestMain(m *testing.M) {
	if os.Getenv(validation) == "" {
		if executable, err := os.Executable(); err == nil {
			err = syscall.Exec(executable, os.Args, append(os.Environ(), validation+"=false"))
			panic(err) // Exec returns only when it fails
		}
	}
	var err error
	if scratch, err = os.MkdirTemp("", "infra-"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(scratch); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// scratch is a common folder of several tests.
var scratch string

const validation = "CDK_VALIDATION"

// newApp returns an app with cdk.json's feature flags, which only the cdk command reads by itself. It writes into folder.
// Every role gets the boundary, unless that is nil.
func newApp(t *testing.T, folder string, boundary any) awscdk.App {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "cdk.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Context map[string]any }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	// A test reads them one by one. The command ends with a report of all.
	delete(file.Context, "@aws-cdk/core:annotationsInValidationReport")
	if boundary != nil {
		file.Context[boundaryKey] = boundary
	}
	return awscdk.NewApp(&awscdk.AppProps{Context: &file.Context, Outdir: &folder, AnalyticsReporting: jsii.Bool(false)})
}

// stub returns code that stands in for that of every function: rules look at templates alone, and need no build.
func stub(t *testing.T, content string) func(string) lambda.Code {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "stub-")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "bootstrap"), []byte(content), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func(string) lambda.Code { return lambda.Code_FromAsset(jsii.String(dir), nil) }
}

// spell writes a value of a template as text. A reference is the id of its resource.
func spell(value any) string {
	switch value := value.(type) {
	case map[string]any:
		if id, ok := value["Ref"].(string); ok {
			return id
		}
		if pair, ok := value["Fn::GetAtt"].([]any); ok {
			return fmt.Sprint(pair[0])
		}
		if join, ok := value["Fn::Join"].([]any); ok {
			var parts []string
			for _, part := range join[1].([]any) {
				parts = append(parts, spell(part))
			}
			return strings.Join(parts, fmt.Sprint(join[0]))
		}
	case string:
		return value
	}
	return fmt.Sprint(value)
}

// statement is one of a policy document's.
type statement struct {
	effect             string
	actions, resources []string
}

// statements are those of a policy document.
func statements(document any) []statement {
	var found []statement
	for _, s := range document.(map[string]any)["Statement"].([]any) {
		s := s.(map[string]any)
		found = append(found, statement{fmt.Sprint(s["Effect"]), texts(s["Action"]), texts(s["Resource"])})
	}
	return found
}

// texts spells one value or several.
func texts(value any) []string {
	several, ok := value.([]any)
	if !ok {
		several = []any{value}
	}
	var spelled []string
	for _, one := range several {
		spelled = append(spelled, spell(one))
	}
	return spelled
}
