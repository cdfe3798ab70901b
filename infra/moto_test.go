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
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"recsys/infra/local/testbed"
)

// motoAccount is the account that moto plays.
const motoAccount = "123456789012"

// motoLacks are attributes that a template may ask for and moto does not know. "" is every attribute of a type that
// it does not make.
var motoLacks = map[string][]string{
	"AWS::RDS::DBInstance":                 {"MasterUserSecret.SecretArn", "DbiResourceId"},
	"AWS::CloudWatch::Alarm":               {""},
	"AWS::KinesisFirehose::DeliveryStream": {""},
}

// amendForMoto changes a template where moto, and not the template, is at fault.
func amendForMoto(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var template map[string]any
	if err := json.Unmarshal(content, &template); err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for name, resource := range template["Resources"].(map[string]any) {
		resource := resource.(map[string]any)
		types[name] = resource["Type"].(string)
		if resource["DeletionPolicy"] == keeps {
			resource["DeletionPolicy"] = "Retain" // the one policy that it knows
		}
		switch {
		case strings.HasPrefix(types[name], "Custom::"):
			// It runs functions in Docker and waits for their answer. By this name it passes them over.
			resource["Type"] = "AWS::CloudFormation::CustomResource"
		case types[name] == "AWS::RDS::DBInstance":
			// It takes the object for the name, and fails.
			delete(resource["Properties"].(map[string]any), "DBParameterGroupName")
		case types[name] == "AWS::EC2::VPC":
			// It does not delete route tables, and so no network that has some.
			resource["DeletionPolicy"] = "Retain"
		}
	}
	if content, err = json.Marshal(answerForMoto(template, types)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// answerForMoto puts a text in the place of each attribute of motoLacks.
func answerForMoto(value any, types map[string]string) any {
	switch value := value.(type) {
	case map[string]any:
		if asked, ok := value["Fn::GetAtt"].([]any); ok {
			of, attribute := asked[0].(string), asked[1].(string)
			if lacks := motoLacks[types[of]]; slices.Contains(lacks, "") || slices.Contains(lacks, attribute) {
				return "arn:aws:moto:us-east-1:" + motoAccount + ":" + of
			}
		}
		for key := range value {
			value[key] = answerForMoto(value[key], types)
		}
	case []any:
		for i := range value {
			value[i] = answerForMoto(value[i], types)
		}
	}
	return value
}

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
	// moto finds a template by its address only where that says localhost.
	server := motoServer{fmt.Sprintf("http://localhost:%d", address.Port), &syncBuffer{}}
	command := exec.Command("moto_server", "--host", "127.0.0.1", "--port", fmt.Sprint(address.Port))
	command.Stdout, command.Stderr = server.log, server.log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = command.Wait(); close(exited) }()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-exited
		if _, fault, failed := strings.Cut(server.log.String(), "Traceback"); failed && t.Failed() {
			t.Logf("moto: %s", fault)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), testbed.Patience)
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

// cloudFormation asks moto directly, because it takes any signature.
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

// keptBuckets compares the buckets that are there with the stage's promise.
func (m motoServer) keptBuckets(t *testing.T, resources map[string]made, want bool) {
	t.Helper()
	for id, made := range resources {
		if made.kind != "AWS::S3::Bucket" {
			continue
		}
		response, err := http.Head(m.url + "/" + made.id)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if kept := response.StatusCode == http.StatusOK; kept != want {
			t.Errorf("after destroy %s is there: %v, want %v", id, kept, want)
		}
	}
}

var (
	stackResource = regexp.MustCompile(`(?s)<LogicalResourceId>([^<]+)</LogicalResourceId>\s*<PhysicalResourceId>([^<]*)</PhysicalResourceId>\s*<ResourceType>([^<]+)</ResourceType>`)
	stackStatus   = regexp.MustCompile(`<StackStatus>([^<]+)</StackStatus>`)
	unknownType   = regexp.MustCompile(`No Moto CloudFormation support for (\S+)`)
)

// made is a resource that moto made: its kind and its physical id.
type made struct{ kind, id string }

// resources are the stack's, by logical id.
func (m motoServer) resources(t *testing.T, stack string) map[string]made {
	t.Helper()
	found := map[string]made{}
	for _, match := range stackResource.FindAllStringSubmatch(m.cloudFormation(t, "DescribeStackResources", stack), -1) {
		found[match[1]] = made{kind: match[3], id: match[2]}
	}
	if len(found) == 0 {
		t.Fatalf("moto made nothing of %s", stack)
	}
	return found
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
