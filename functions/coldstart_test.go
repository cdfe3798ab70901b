package functions

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
)

// nobody is an address of this machine where no server can be.
const nobody = "127.0.0.1:1"

// environ is a function's environment, as a deployment would give it, with servers that do not answer.
func environ(name string) []string {
	source := settings.Source{DSN: "user@tcp(" + nobody + ")/shop"}
	store := settings.VectorStore{URL: "postgres://reader@" + nobody + "/shop"}
	step := workflow.Named(name, workflow.Resources{
		Lake: settings.Lake{Bucket: bucket}, Artifacts: settings.Artifacts{Bucket: "artifacts"},
		RecommendationsBucket: "answers", GlueDatabase: glueDatabase, DeliveryStream: "answers",
		Source: source, Administrator: source, SourceReader: "reader", SourceDatabase: "shop",
		Loader: store, Reader: store, Owner: store,
	}, settings.Default[settings.Options]())
	variables := map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_ENDPOINT_URL": "http://" + nobody, "AWS_LAMBDA_LOG_FORMAT": "JSON", "PATH": os.Getenv("PATH"),
	}
	maps.Copy(variables, settings.Environ(step.Settings))
	environ := make([]string, 0, len(variables))
	for variable, value := range variables {
		environ = append(environ, variable+"="+value)
	}
	return environ
}

// runtimeAPI answers nothing: it tells when a process asks for its first invocation, and holds that request.
type runtimeAPI struct {
	*httptest.Server
	next chan struct{}
}

func newRuntimeAPI(tb testing.TB) runtimeAPI {
	tb.Helper()
	next := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/runtime/invocation/next") {
			next <- struct{}{}
		}
		<-r.Context().Done()
	}))
	tb.Cleanup(server.Close)
	return runtimeAPI{server, next}
}

// coldStart is the time from the start of a function's process to its first request for an invocation.
func (api runtimeAPI) coldStart(tb testing.TB, bootstrap string) time.Duration {
	tb.Helper()
	var output bytes.Buffer
	process := exec.Command(bootstrap)
	process.Env = append(environ(function(bootstrap)), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"))
	process.Stdout, process.Stderr = &output, &output
	exited := make(chan struct{})
	begin := time.Now()
	if err := process.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() { _ = process.Wait(); close(exited) }()
	defer func() { _ = process.Process.Kill(); <-exited }()
	select {
	case <-api.next:
		return time.Since(begin)
	case <-exited:
		tb.Fatalf("the function ended before it asked for an invocation:\n%s", &output)
	case <-tb.Context().Done():
	}
	tb.Fatal(tb.Context().Err())
	return 0
}

// bootstraps are the programs of all functions.
func bootstraps(tb testing.TB) []string {
	tb.Helper()
	programs, err := filepath.Glob(filepath.Join(build(tb), "*", "bootstrap"))
	if err != nil {
		tb.Fatal(err)
	}
	programs = slices.DeleteFunc(programs, func(program string) bool { // left behind by an older build
		_, err := os.Stat(filepath.Join(function(program), "main.go"))
		return err != nil
	})
	if len(programs) == 0 {
		tb.Fatal("found no functions")
	}
	return programs
}

// function is the name of the function that a program belongs to: its folder's.
func function(bootstrap string) string { return filepath.Base(filepath.Dir(bootstrap)) }

// A function that waited for its database while it starts would be a slow one on every cold start, and a dead one
// while the database restarts.
func TestEachFunctionStartsWithoutItsServers(t *testing.T) {
	api := newRuntimeAPI(t)
	for _, bootstrap := range bootstraps(t) {
		t.Run(function(bootstrap), func(t *testing.T) { api.coldStart(t, bootstrap) })
	}
}

// BenchmarkColdStart measures our part of a cold start: the time from the start of the process to its first request
// to the Runtime API. Beside it stands the size of the program, which AWS loads before.
//
//	go test ./functions -run '^$' -bench ColdStart
func BenchmarkColdStart(b *testing.B) {
	for _, bootstrap := range bootstraps(b) {
		b.Run(function(bootstrap), func(b *testing.B) {
			api := newRuntimeAPI(b)
			var total time.Duration
			for b.Loop() {
				total += api.coldStart(b, bootstrap)
			}
			b.ReportMetric(float64(total.Microseconds())/1000/float64(b.N), "ms/start")
			b.ReportMetric(megabytes(b, bootstrap), "MB")
		})
	}
}

func megabytes(tb testing.TB, path string) float64 {
	tb.Helper()
	file, err := os.Stat(path)
	if err != nil {
		tb.Fatal(err)
	}
	return float64(file.Size()) / 1e6
}
