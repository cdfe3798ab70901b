package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"recsys/infra/local/testbed"
)

// A rehearsal deploys the app as README and docs/aws.md say, with the real CLI, to moto's stand-in for AWS, and destroys it
// again: it shows dangling references and wrong wiring. moto validates little and runs no custom resource: what it
// leaves unshown stands in docs/aws.md.

// program is a command that a machine may have or not.
func program(t *testing.T, name, without string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	t.Skipf("SKIPPED: %s is not installed: %s", name, without)
	return ""
}

// cdkCLI is the pinned CLI of package.json.
func cdkCLI(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "node_modules", ".bin", "cdk"))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("the CDK's CLI is not installed: run npm ci")
		}
		t.Skip("SKIPPED: the CDK's CLI is not installed: run npm ci")
	}
	return path
}

// cli runs the CDK's CLI from the repository's root, with no AWS configuration but the given variables.
func cli(t *testing.T, variables []string, arguments ...string) {
	t.Helper()
	cliIn(t, "..", variables, arguments...)
}

// cliIn runs it from the root of a checkout.
func cliIn(t *testing.T, root string, variables []string, arguments ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testbed.Patience) // the CLI waits for ever for a stack that stands still
	defer cancel()
	command := exec.CommandContext(ctx, cdkCLI(t), append(arguments, "--ci", "--no-notices", "--no-color")...)
	command.Dir = root
	home := t.TempDir()
	command.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, validation)
	}),
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+filepath.Join(home, "config"),
		"AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "credentials"), "CDK_DISABLE_CLI_TELEMETRY=1")
	command.Env = append(command.Env, variables...)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("cdk %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
}

// offline lets no call to AWS through.
var offline = []string{"AWS_ENDPOINT_URL=http://127.0.0.1:1"}

func TestCfnLintFindsNothing(t *testing.T) {
	lint := program(t, "cfn-lint", "the templates were not linted")
	// W3005: CDK writes dependencies that a reference implies. W7001: a mapping that a region does not use.
	arguments := []string{"--ignore-checks", "W3005", "W7001", "--template"}
	for name := range variants {
		arguments = append(arguments, synthesized(t, name).templateFile())
	}
	if output, err := exec.CommandContext(t.Context(), lint, arguments...).CombinedOutput(); err != nil {
		t.Errorf("cfn-lint: %v\n%s", err, output)
	}
}

func TestDeployAndDestroyAreRehearsed(t *testing.T) {
	program(t, "moto_server", "deploying was not rehearsed")
	version := newSynthesis(t, nil, "first")
	folder, template := version.folder, version.templateFile()
	amendForMoto(t, template)
	aws := startMoto(t)
	name := strings.TrimSuffix(filepath.Base(template), ".template.json")
	outputs := filepath.Join(t.TempDir(), "outputs.json")

	cli(t, aws.variables(), "bootstrap", "--app", folder, "aws://"+motoAccount+"/us-east-1")
	cli(t, aws.variables(), "deploy", "--app", folder, "--method=direct", "--require-approval=never", "--outputs-file", outputs)
	made := aws.resources(t, name)
	if len(made) == 0 {
		t.Error("nothing was deployed")
	}
	checkOutputs(t, outputs, name)
	cli(t, aws.variables(), "destroy", "--app", folder, "--force")
	if status := aws.stackStatus(t, name); status != "DELETE_COMPLETE" {
		t.Errorf("after destroy the stack is %q", status)
	}
	t.Logf("moto made %d resources; it does not know %s", len(made), strings.Join(aws.unknown(), ", "))
}

// checkOutputs looks for outputs that say nothing: a reference to what was never made.
func checkOutputs(t *testing.T, file, stack string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var outputs map[string]map[string]string
	if err := json.Unmarshal(content, &outputs); err != nil {
		t.Fatal(err)
	}
	if len(outputs[stack]) == 0 {
		t.Errorf("the deployment tells nothing: %s", content)
	}
	for name, value := range outputs[stack] {
		if value == "" || strings.Contains(value, "${") {
			t.Errorf("output %s is %q", name, value)
		}
	}
}
