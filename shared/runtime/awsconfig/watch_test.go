package awsconfig

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
)

// pipes is a listener in memory, so that a test's time is synctest's.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, open := <-p
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p <- server
	return client, nil
}

// inMemory is a client of a server that answers with handle. Without handle the server takes connections and does
// nothing with them.
func inMemory(t *testing.T, handle http.HandlerFunc) (client aws.HTTPClient, stop func()) {
	listener := make(pipes, 1)
	ctx, release := context.WithCancel(t.Context())
	server := http.Server{Handler: handle, BaseContext: func(net.Listener) context.Context { return ctx }}
	if handle != nil {
		go func() { _ = server.Serve(listener) }()
	}
	transport := &http.Transport{DialContext: listener.dial}
	return HTTPClient(&http.Client{Transport: transport}), func() {
		release()
		transport.CloseIdleConnections()
		_ = server.Close()
		time.Sleep(time.Second) // of the bubble: the server waits half of it before it lets go
	}
}

// call makes one request. It returns all of the answer or the error, and the time that it took.
func call(t *testing.T, url, operation string, body io.Reader, handle http.HandlerFunc) (answer string, took time.Duration, err error) {
	t.Helper()
	client, stop := inMemory(t, handle)
	defer stop()
	request, err := http.NewRequestWithContext(middleware.WithOperationName(t.Context(), operation), http.MethodPut, url, body)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return "", time.Since(began), err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return string(content), time.Since(began), err
}

const megabyte = 1 << 20

// hang waits until the test has its result.
func hang(r *http.Request) { <-r.Context().Done() }

func noAnswer(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	hang(r)
}

func halfUpload(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.CopyN(io.Discard, r.Body, megabyte/2)
	hang(r)
}

func halfAnswer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = w.Write(make([]byte, megabyte/2))
	w.(http.Flusher).Flush()
	hang(r)
}

func TestSilenceEndsAnAttempt(t *testing.T) {
	for name, test := range map[string]struct {
		url, operation string
		handle         http.HandlerFunc
		want           time.Duration
	}{
		"nothing is read":               {"http://s3", "PutObject", nil, 10 * time.Second},
		"TLS is not answered":           {"https://s3", "PutObject", nil, 10 * time.Second},
		"half of the upload is read":    {"http://s3", "PutObject", halfUpload, 10 * time.Second},
		"no answer begins":              {"http://s3", "GetObject", noAnswer, 10 * time.Second},
		"half of the answer is written": {"http://s3", "GetObject", halfAnswer, 10 * time.Second},
		"a long operation":              {"http://s3", "CopyObject", noAnswer, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, took, err := call(t, test.url, test.operation, bytes.NewReader(make([]byte, megabyte)), test.handle)
				if want := test.operation + " made no progress for "; err == nil || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
				if took != test.want {
					t.Errorf("it took %v, want %v", took, test.want)
				}
			})
		})
	}
}

// slowly takes a body, or gives one, with a pause that is just borne.
type slowly struct{ io.Reader }

func (s slowly) Read(p []byte) (int, error) {
	time.Sleep(9 * time.Second)
	return s.Reader.Read(p[:min(len(p), megabyte/10)])
}

// A big object on a slow line takes minutes. So does a reader that works between two reads.
func TestProgressTakesAsLongAsItLikes(t *testing.T) {
	content := strings.Repeat("x", megabyte)
	echo := func(w http.ResponseWriter, body, answer io.Reader) {
		if _, err := io.ReadFull(body, make([]byte, megabyte)); err == nil {
			_, _ = io.Copy(flushed{w}, answer)
		}
	}
	for name, test := range map[string]struct {
		body   io.Reader
		handle http.HandlerFunc
	}{
		"the upload is taken slowly": {strings.NewReader(content), func(w http.ResponseWriter, r *http.Request) {
			echo(w, slowly{r.Body}, strings.NewReader(content))
		}},
		"the upload is made slowly": {slowly{strings.NewReader(content)}, func(w http.ResponseWriter, r *http.Request) {
			echo(w, r.Body, strings.NewReader(content))
		}},
		"the answer comes slowly": {strings.NewReader(content), func(w http.ResponseWriter, r *http.Request) {
			echo(w, r.Body, slowly{strings.NewReader(content)})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer, took, err := call(t, "http://s3", "PutObject", test.body, test.handle)
				if err != nil || answer != content || took < time.Minute {
					t.Errorf("%d bytes after %v, %v", len(answer), took, err)
				}
			})
		})
	}
}

// flushed sends each part at once.
type flushed struct{ http.ResponseWriter }

func (f flushed) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	f.ResponseWriter.(http.Flusher).Flush()
	return n, err
}
