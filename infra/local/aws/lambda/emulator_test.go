package lambda_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"recsys/infra/local/aws/lambda"
	"recsys/infra/local/testbed"
)

// binaries are built once per test process: the function that the emulator runs, and a parent of an emulator.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "lambda-test-")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-tags=lambda.norpc", "-o", dir+"/", "./testdata/function", "./testdata/parent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, output)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := binaries(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

type bundle struct {
	*lambda.Emulator
	dir string
}

// setup starts an emulator with one function named f.
func setup(tb testing.TB, f lambda.Function) bundle {
	tb.Helper()
	bin, err := binaries()
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	emulator, err := lambda.Start(tb.Context(), lambda.Config{Dir: dir})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := emulator.Close(); err != nil {
			tb.Error(err)
		}
	})
	f.Name = "f"
	f.Bootstrap = filepath.Join(bin, "function")
	if f.Timeout == 0 {
		f.Timeout = time.Minute
	}
	if err := emulator.Register(f); err != nil {
		tb.Fatal(err)
	}
	return bundle{emulator, dir}
}

type report struct {
	Pid, Invocations             int
	Environ                      []string
	Tmp, Directory, Request, Arn string
	Deadline                     time.Time
}

func (b bundle) report(tb testing.TB) report {
	tb.Helper()
	payload, failed, err := b.Invoke(context.Background(), "f", nil)
	if failed != nil || err != nil {
		tb.Fatal(failed, err)
	}
	var r report
	if err := json.Unmarshal(payload, &r); err != nil {
		tb.Fatal(err)
	}
	return r
}

func (b bundle) fail(tb testing.TB, event string) *lambda.InvocationError {
	tb.Helper()
	payload, failed, err := b.Invoke(context.Background(), "f", []byte(event))
	if err != nil {
		tb.Fatal(err)
	}
	if failed == nil {
		tb.Fatalf("%s succeeded with %.100s", event, payload)
	}
	var body struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(failed.Payload, &body); err != nil {
		tb.Fatalf("payload %s: %v", failed.Payload, err)
	}
	if body.ErrorType != failed.Type || body.ErrorMessage != failed.Message {
		tb.Errorf("payload %s does not match %v", failed.Payload, failed)
	}
	return failed
}

func TestAWorkerSeesAWSVariablesAndIsReused(t *testing.T) {
	t.Setenv("SECRET_OF_THE_HOST", "x")
	b := setup(t, lambda.Function{Env: map[string]string{"OWN": "1"}, MemoryMB: 512})
	first := b.report(t)
	for _, want := range []string{
		"OWN=1", "AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
		"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=f", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_SESSION_TOKEN=f/1", "_HANDLER=bootstrap", "LAMBDA_TASK_ROOT=" + first.Directory, "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/f",
	} {
		if !slices.Contains(first.Environ, want) {
			t.Errorf("%s is missing in %q", want, first.Environ)
		}
	}
	if strings.Contains(strings.Join(first.Environ, " "), "SECRET_OF_THE_HOST") {
		t.Error("the host's environment shows through")
	}
	if first.Request == "" || first.Arn != "arn:aws:lambda:us-east-1:000000000000:function:f" || first.Deadline.IsZero() {
		t.Errorf("invocation's metadata: %+v", first)
	}
	second := b.report(t)
	if second.Pid != first.Pid || second.Invocations != 2 {
		t.Errorf("process %d was not reused: then %d, invocation %d", first.Pid, second.Pid, second.Invocations)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(first.Tmp); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left behind: %v", first.Tmp, err)
	}
	if err := syscall.Kill(first.Pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is left behind: %v", first.Pid, err)
	}
}

func TestFailuresHaveAWSsNames(t *testing.T) {
	b := setup(t, lambda.Function{})
	for event, want := range map[string][2]string{
		`{"Do":"fail"}`:                  {"Named", "on purpose"},
		`{"Do":"panic"}`:                 {"string", "on purpose"},
		`{"Do":"exit"}`:                  {"Runtime.ExitError", "Runtime exited with error: exit status 7"},
		`{"Do":"kill"}`:                  {"Runtime.ExitError", "Runtime exited with error: signal: killed"},
		`{"Do":"large","Bytes":6291555}`: {"Function.ResponseSizeTooLarge", "(6291556 bytes)"},
		`{"Do":1}`:                       {"UnmarshalTypeError", "cannot unmarshal"},
	} {
		failed := b.fail(t, event)
		if failed.Type != want[0] || !strings.Contains(failed.Message, want[1]) {
			t.Errorf("%s: %v, want %v", event, failed, want)
		}
		b.report(t) // and the function answers again
	}
	if payload, failed, err := b.Invoke(t.Context(), "f", []byte(`{"Do":"large","Bytes":6291554}`)); failed != nil || err != nil || len(payload) != 6291556 {
		t.Errorf("the largest answer: %d bytes, %v, %v", len(payload), failed, err)
	}
}

func TestInvokeOverHTTPReturnsTheSame(t *testing.T) {
	b := setup(t, lambda.Function{})
	if answer, err := lambda.Invoke(t.Context(), b.URL(), "f", []byte(`{"Do":"large","Bytes":6291554}`)); err != nil || len(answer) != 6291556 {
		t.Errorf("the largest answer: %d bytes, %v", len(answer), err)
	}
	var failed *lambda.InvocationError
	if _, err := lambda.Invoke(t.Context(), b.URL(), "f", []byte(`{"Do":"fail"}`)); !errors.As(err, &failed) || failed.Type != "Named" || failed.Message != "on purpose" {
		t.Errorf("a function that fails: %v", err)
	}
	var refused *lambda.ServiceError
	if _, err := lambda.Invoke(t.Context(), b.URL(), "unknown", nil); !errors.As(err, &refused) || refused.Code != "ResourceNotFoundException" || !strings.Contains(refused.Message, "unknown") {
		t.Errorf("an unknown function: %v", err)
	}
}

func TestAnInvokerReturnsBothKindsOfFailure(t *testing.T) {
	b := setup(t, lambda.Function{})
	if answer, err := b.Invoker("f")(t.Context(), []byte(`{}`)); err != nil || len(answer) == 0 {
		t.Errorf("answer %s, %v", answer, err)
	}
	if _, err := b.Invoker("f")(t.Context(), []byte(`{"Do":"fail"}`)); !errors.As(err, new(*lambda.InvocationError)) {
		t.Errorf("a function that fails: %v", err)
	}
	if _, err := b.Invoker("unknown")(t.Context(), nil); !errors.As(err, new(*lambda.ServiceError)) {
		t.Errorf("an unknown function: %v", err)
	}
}

func TestATimeoutKillsTheProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	b := setup(t, lambda.Function{Timeout: 250 * time.Millisecond, Env: map[string]string{"PID_FILE": file}})
	failed := b.fail(t, `{"Do":"hang"}`)
	if failed.Type != "Sandbox.Timedout" || !strings.HasSuffix(failed.Message, "Error: Task timed out after 0.25 seconds") {
		t.Errorf("timeout: %v", failed)
	}
	written, err := os.ReadFile(file) // while it started, which the timeout does not count
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(written))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d still runs: %v", pid, err)
	}
}

func TestAFailedStartSaysWhy(t *testing.T) {
	b := setup(t, lambda.Function{Env: map[string]string{"INIT": "exit"}})
	if failed := b.fail(t, `{}`); failed.Type != "Runtime.ExitError" || !strings.Contains(failed.Message, "exit status 3") {
		t.Errorf("exit while starting: %v", failed)
	}
	broken := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(broken, []byte("not a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := b.Register(lambda.Function{Name: "f", Bootstrap: broken}); err != nil {
		t.Fatal(err)
	}
	if failed := b.fail(t, `{}`); failed.Type != "Runtime.InvalidEntrypoint" {
		t.Errorf("not a program: %v", failed)
	}
}

func TestConcurrentInvocationsHaveTheirOwnProcesses(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	b := setup(t, lambda.Function{Env: map[string]string{"GATE": gate}, MaxConcurrency: 3})
	pids := make(chan int, 3)
	for range 3 {
		go func() {
			var r report
			payload, failed, err := b.Invoke(context.Background(), "f", []byte(`{"Do":"wait"}`))
			if failed != nil || err != nil || json.Unmarshal(payload, &r) != nil {
				t.Errorf("waiting: %s, %v, %v", payload, failed, err)
			}
			pids <- r.Pid
		}()
	}
	testbed.Eventually(t, "3 workers wait at the gate", func() bool { waiting, _ := filepath.Glob(gate + ".waiting-*"); return len(waiting) == 3 })
	_, _, err := b.Invoke(t.Context(), "f", nil)
	if service := (*lambda.ServiceError)(nil); !errors.As(err, &service) || service.Code != "TooManyRequestsException" {
		t.Errorf("a fourth invocation: %v", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{<-pids: true, <-pids: true, <-pids: true}
	if len(seen) != 3 {
		t.Errorf("processes %v, want 3 of them", seen)
	}
}

func TestKillEndsTheVeryWorkerAndTheNextInvocationStartsAnother(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	b := setup(t, lambda.Function{Env: map[string]string{"GATE": gate}})
	done := make(chan *lambda.InvocationError)
	go func() {
		_, failed, err := b.Invoke(context.Background(), "f", []byte(`{"Do":"wait"}`))
		if err != nil {
			t.Error(err)
		}
		done <- failed
	}()
	testbed.Eventually(t, "1 workers wait at the gate", func() bool { waiting, _ := filepath.Glob(gate + ".waiting-*"); return len(waiting) == 1 })
	if workers := b.Workers("f"); !slices.Equal(workers, []string{"f/1"}) || b.Workers("g") != nil {
		t.Errorf("living workers: %v", workers)
	}
	if !b.Kill("f/1") {
		t.Fatal("worker f/1 was not found")
	}
	if failed := <-done; failed == nil || failed.Type != "Runtime.ExitError" {
		t.Errorf("killed invocation: %v", failed)
	}
	if b.Kill("f/1") {
		t.Error("worker f/1 was found again")
	}
	idle := b.report(t)
	// Dead, and maybe not reaped yet: the next invocation must not be given to it.
	if err := syscall.Kill(idle.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	testbed.Eventually(t, "the idle worker dies", func() bool { return !running(idle.Pid) })
	if next := b.report(t); next.Pid == idle.Pid {
		t.Error("a dead worker answered")
	}
}

func TestPeakMemoryOutlivesTheWorker(t *testing.T) {
	b := setup(t, lambda.Function{})
	b.report(t)
	small := b.PeakMemory("f")
	if _, failed, err := b.Invoke(t.Context(), "f", []byte(`{"Do":"allocate","Bytes":104857600}`)); failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	b.fail(t, `{"Do":"exit"}`)
	if large := b.PeakMemory("f"); small <= 0 || large < 100<<20 || large < small {
		t.Errorf("peak memory: %d, then %d bytes", small, large)
	}
}

func TestLogsAreWholeBoundedLines(t *testing.T) {
	b := setup(t, lambda.Function{})
	if _, failed, err := b.Invoke(t.Context(), "f", []byte(`{"Do":"log","Bytes":1000000}`)); failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(b.dir, "logs", "f.log"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n"))
	if len(lines) != 3 || len(lines[1]) != 256<<10 || string(lines[2]) != "no end of line" {
		t.Fatalf("%d lines: %.300s", len(lines), content)
	}
	var line struct{ Msg, Message, RequestID string }
	if err := json.Unmarshal(lines[0], &line); err != nil || line.RequestID == "" {
		t.Errorf("line %s: %v", lines[0], err)
	}
}

func TestRegisterRefusesLikeAWS(t *testing.T) {
	b := setup(t, lambda.Function{})
	err := b.Register(lambda.Function{
		Name: "a b", Bootstrap: "does-not-exist", Timeout: time.Hour,
		Env: map[string]string{"AWS_REGION": "x", "LONG": strings.Repeat("x", 4096)},
	})
	for _, want := range []string{`name "a b"`, "timeout", "does-not-exist", "AWS_REGION", "4096"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named: %v", want, err)
		}
	}
}

func TestTheSDKInvokes(t *testing.T) {
	b := setup(t, lambda.Function{})
	client := awslambda.New(awslambda.Options{
		BaseEndpoint: aws.String(b.URL()), Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("x", "y", ""),
	})
	invoke := func(name string, payload []byte) (*awslambda.InvokeOutput, error) {
		return client.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: &name, Payload: payload})
	}
	for _, name := range []string{"f", "f:$LATEST", "arn:aws:lambda:us-east-1:000000000000:function:f"} {
		if out, err := invoke(name, []byte(`{"Do":""}`)); err != nil || out.FunctionError != nil || !json.Valid(out.Payload) {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	if out, err := invoke("f", []byte(`{"Do":"fail"}`)); err != nil || aws.ToString(out.FunctionError) != "Unhandled" || !bytes.Contains(out.Payload, []byte(`"errorType":"Named"`)) {
		t.Errorf("failing: %+v, %v", out, err)
	}
	if _, err := invoke("unknown", nil); !errors.As(err, new(*types.ResourceNotFoundException)) {
		t.Errorf("unknown function: %v", err)
	}
	if _, err := invoke("f", []byte("no json")); !errors.As(err, new(*types.InvalidRequestContentException)) {
		t.Errorf("no JSON: %v", err)
	}
	large := []byte(`"` + strings.Repeat("x", 7<<20) + `"`)
	if _, err := invoke("f", large); !errors.As(err, new(*types.RequestTooLargeException)) {
		t.Errorf("payload of 7 MiB: %v", err)
	}
}

func TestWorkersDieWithAKilledParent(t *testing.T) {
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(filepath.Join(bin, "parent"), t.TempDir(), filepath.Join(bin, "function"))
	parent.Stderr = os.Stderr
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var worker int
	if _, err := fmt.Sscan(line, &worker); err != nil {
		t.Fatal(err)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	testbed.Eventually(t, "the worker dies with its parent", func() bool { return !running(worker) })
}

// running looks past a zombie, which a container without an init process may never reap.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

func TestBuildLaysOutEveryFunction(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":                 "module m\n\ngo 1.26\n",
		"functions/one/main.go":  "package main\n\nfunc main() {}\n",
		"functions/two/main.go":  "package main\n\nfunc main() { println(2) }\n",
		"functions/part/part.go": "// Package part is no function.\npackage part\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(root, "out")
	for range 2 {
		names, err := lambda.Build(t.Context(), root, out)
		if err != nil || !slices.Equal(names, []string{"one", "two"}) {
			t.Fatalf("built %v: %v", names, err)
		}
		for _, name := range names {
			if err := exec.Command(filepath.Join(out, name, "bootstrap")).Run(); err != nil {
				t.Errorf("running %s: %v", name, err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(root, "functions/one/main.go"), []byte("package main\n\nfunc main() { nonsense }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := lambda.Build(t.Context(), root, out); err == nil || !strings.Contains(err.Error(), "undefined: nonsense") {
		t.Errorf("a function that does not compile: %v", err)
	}
}

func BenchmarkInvoke(b *testing.B) {
	e := setup(b, lambda.Function{})
	b.Run("warm", func(b *testing.B) {
		e.report(b)
		b.ReportAllocs()
		for b.Loop() {
			e.report(b)
		}
	})
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			e.fail(b, `{"Do":"exit"}`)
		}
	})
}
