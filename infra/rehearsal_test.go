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

func replaceIn(t *testing.T, file, before, after string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(strings.ReplaceAll(string(content), before, after)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// offline lets no call to AWS through.
var offline = []string{"AWS_ENDPOINT_URL=http://127.0.0.1:1"}

// Without -long only the variant with the most resources is linted, and stage dev alone is rehearsed below.
func TestCfnLintFindsNothing(t *testing.T) {
	lint := program(t, "cfn-lint", "the templates were not linted")
	// W3005: CDK writes dependencies that a reference implies. W7001: a mapping that a region does not use.
	arguments := []string{"--ignore-checks", "W3005", "W7001", "--template"}
	for name := range variants {
		if testbed.Long() || name == "every option" {
			arguments = append(arguments, synthesized(t, name).templateFile())
		}
	}
	t.Parallel() // with the rehearsals, which wait a lot
	if output, err := exec.CommandContext(t.Context(), lint, arguments...).CombinedOutput(); err != nil {
		t.Errorf("cfn-lint: %v\n%s", err, output)
	}
}

// A rehearsal deploys the app with the real CLI to moto's stand-in for AWS, as docs/aws.md says. Then it deploys the
// next version over it, compares the same version once more, and destroys it. It shows dangling references, wrong
// wiring and lost data. moto validates little and runs no custom resource. docs/aws.md names the gaps.
func TestDeployUpgradeAndDestroyAreRehearsed(t *testing.T) {
	program(t, "moto_server", "deploying was not rehearsed")
	for stage, options := range map[string]struct{ first, next map[string]any }{
		"dev": {nil, map[string]any{"batchSize": "100", "alarmEmail": "you@example.com", "factors": "64"}},
		"prod": { // moto changes no database that is there
			map[string]any{"stage": "prod", "name": "recsys-prod"},
			map[string]any{"stage": "prod", "name": "recsys-prod", "shards": "2", "maxConcurrency": "10"},
		},
	} {
		if stage == "prod" && !testbed.Long() {
			continue
		}
		t.Run(stage, func(t *testing.T) { rehearse(t, options.first, options.next) })
	}
}

func rehearse(t *testing.T, firstOptions, nextOptions map[string]any) {
	first, next := newSynthesis(t, firstOptions, "first"), newSynthesis(t, nextOptions, "next")
	name := first.config.Name
	for _, version := range []synthesis{first, next} {
		amendForMoto(t, version.templateFile())
		// It knows no call that protects a stack that is there.
		replaceIn(t, filepath.Join(version.folder, "manifest.json"), `"terminationProtection": true`, `"terminationProtection": false`)
	}
	t.Parallel() // from here on nothing is synthesized
	aws := startMoto(t)
	deploy := func(version synthesis) {
		outputs := filepath.Join(t.TempDir(), "outputs.json")
		// moto fails if a parameter keeps its previous value. The only one has a default.
		cli(t, aws.variables(), "deploy", "--app", version.folder, "--method=direct", "--require-approval=never",
			"--previous-parameters=false", "--outputs-file", outputs)
		checkOutputs(t, outputs, name)
	}
	cli(t, aws.variables(), "bootstrap", "--app", first.folder, "aws://"+motoAccount+"/us-east-1")
	deploy(first)
	before := aws.resources(t, name)
	deploy(next)
	after := aws.resources(t, name)
	if status := aws.stackStatus(t, name); status != "UPDATE_COMPLETE" {
		t.Errorf("after the next version the stack is %q", status)
	}
	for id, made := range before {
		if holds[made.kind].policy != remakes && after[id] != made {
			t.Errorf("the next version made of %s, %v: %v", id, made, after[id])
		}
	}
	cli(t, aws.variables(), "diff", "--app", next.folder, "--fail", "--no-change-set") // the same version again changes nothing
	cli(t, aws.variables(), "destroy", "--app", next.folder, "--force")
	if status := aws.stackStatus(t, name); status != "DELETE_COMPLETE" {
		t.Errorf("after destroy the stack is %q", status)
	}
	aws.keptBuckets(t, after, first.config.Prod())
	t.Logf("%s: moto made %d resources, and after the next version %d; it does not know %s", name, len(before), len(after), strings.Join(aws.unknown(), ", "))
}

// checkOutputs looks for empty outputs: a reference to a resource that was never made.
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
