package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
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
	command := exec.CommandContext(t.Context(), cdkCLI(t), append(arguments, "--ci", "--no-notices", "--no-color")...)
	command.Dir = ".."
	home := t.TempDir()
	command.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") }),
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+filepath.Join(home, "config"),
		"AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "credentials"), "CDK_DISABLE_CLI_TELEMETRY=1")
	command.Env = append(command.Env, variables...)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("cdk %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
}

// assembly synthesizes the app once for all tests here, with no credentials and no network, and returns its folder and template.
func assembly(t *testing.T) (folder, template string) {
	t.Helper()
	folder = t.TempDir()
	cli(t, []string{"AWS_ENDPOINT_URL=http://127.0.0.1:1"}, "synth", "--quiet", "--output", folder)
	templates, err := filepath.Glob(filepath.Join(folder, "*.template.json"))
	if err != nil || len(templates) != 1 {
		t.Fatalf("synth made the templates %v (%v), want one", templates, err)
	}
	return folder, templates[0]
}

func TestCfnLintFindsNothing(t *testing.T) {
	lint := program(t, "cfn-lint", "the template was not linted")
	_, template := assembly(t)
	// W3005: CDK writes dependencies that a reference implies. W7001: a mapping that a region does not use.
	command := exec.CommandContext(t.Context(), lint, "--ignore-checks", "W3005", "W7001", "--template", template)
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("cfn-lint: %v\n%s", err, output)
	}
}

func TestDeployAndDestroyAreRehearsed(t *testing.T) {
	program(t, "moto_server", "deploying was not rehearsed")
	folder, template := assembly(t)
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

// motoAccount is the account that moto plays.
const motoAccount = "123456789012"

type motoServer struct {
	url string
	log *syncBuffer
}

func startMoto(t *testing.T) motoServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	server := motoServer{fmt.Sprintf("http://127.0.0.1:%d", address.Port), &syncBuffer{}}
	command := exec.Command("moto_server", "--host", "127.0.0.1", "--port", fmt.Sprint(address.Port))
	command.Stdout, command.Stderr = server.log, server.log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = command.Wait(); close(exited) }()
	t.Cleanup(func() { _ = command.Process.Kill(); <-exited })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		if response, err := http.Get(server.url + "/moto-api/data.json"); err == nil {
			_ = response.Body.Close()
			return server
		}
		select {
		case <-tick.C:
		case <-exited:
			t.Fatalf("moto_server ended: %s", server.log)
		case <-ctx.Done():
			t.Fatalf("moto_server does not answer: %s", server.log)
		}
	}
}

func (m motoServer) variables() []string {
	return []string{"AWS_ENDPOINT_URL=" + m.url, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test"}
}

// cloudFormation asks moto directly; it takes any signature.
func (m motoServer) cloudFormation(t *testing.T, action, stack string) string {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-05-15"}, "StackName": {stack}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.url, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/cloudformation/aws4_request, SignedHeaders=host, Signature=test")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 10<<20))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

var (
	resourceType = regexp.MustCompile(`<ResourceType>([^<]+)</ResourceType>`)
	stackStatus  = regexp.MustCompile(`<StackStatus>([^<]+)</StackStatus>`)
	unknownType  = regexp.MustCompile(`No Moto CloudFormation support for (\S+)`)
)

func (m motoServer) resources(t *testing.T, stack string) []string {
	t.Helper()
	return submatches(resourceType, m.cloudFormation(t, "DescribeStackResources", stack))
}

// stackStatus is of the newest stack of that name, a deleted one too.
func (m motoServer) stackStatus(t *testing.T, stack string) string {
	t.Helper()
	list := m.cloudFormation(t, "ListStacks", stack)
	at := strings.Index(list, "<StackName>"+stack+"</StackName>")
	if at < 0 {
		return "never made"
	}
	if found := submatches(stackStatus, list[at:]); len(found) > 0 {
		return found[0]
	}
	return ""
}

// unknown are the resource types that moto passed over.
func (m motoServer) unknown() []string {
	types := submatches(unknownType, m.log.String())
	slices.Sort(types)
	return slices.Compact(types)
}

func submatches(expression *regexp.Regexp, text string) []string {
	var found []string
	for _, match := range expression.FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}

// syncBuffer takes a process's output while a test reads it.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
