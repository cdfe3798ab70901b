package awsconfig_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"recsys/shared/runtime/awsconfig"
)

func TestTheSDKSpeaksInTheFunctionsLog(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var out bytes.Buffer
	cfg, err := awsconfig.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(&out, nil))) // later than Load, as a function does
	cfg.Logger.Logf(logging.Debug, "not shown")
	cfg.Logger.Logf(logging.Warn, "%d tries", 2)
	var line struct{ Level, Message string }
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Level != "WARN" || line.Message != "2 tries" {
		t.Errorf("%s: %v", &out, err)
	}
}

// A body that the SDK has closed ends, whichever way net/http looks whether there is more of it.
func TestAClosedBodyEnds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err != nil || string(body) != "all of it" {
			t.Errorf("got %q, %v", body, err)
		}
	}))
	defer server.Close()
	unbuilt, err := smithyhttp.NewStackRequest().(*smithyhttp.Request), error(nil)
	if unbuilt, err = unbuilt.SetStream(bytes.NewReader([]byte("all of it"))); err != nil {
		t.Fatal(err)
	}
	unbuilt.ContentLength = int64(len("all of it"))
	request := unbuilt.Build(t.Context())
	if request.URL, err = request.URL.Parse(server.URL); err != nil {
		t.Fatal(err)
	}
	request.Method = http.MethodPost
	var seen recorder
	response, err := awsconfig.HTTPClient(&seen).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if err := seen.body.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, seen.body); n != 0 || err != nil {
		t.Errorf("a closed body: %d bytes, %v", n, err)
	}
}

// recorder keeps the body that net/http is given.
type recorder struct{ body io.ReadCloser }

func (s *recorder) Do(r *http.Request) (*http.Response, error) {
	s.body = r.Body
	return http.DefaultClient.Do(r)
}
