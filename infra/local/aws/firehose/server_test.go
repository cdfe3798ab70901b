package firehose_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsfirehose "github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/firehose"
	"recsys/infra/local/aws/s3"
	"recsys/shared/runtime/awsconfig"
)

const (
	streamName = "recommendations-stream"
	bucket     = "recommendations"
	childDir   = "FIREHOSE_TEST_DIR"
)

var (
	start = time.Date(2026, 11, 23, 0, 59, 1, 0, time.UTC)
	creds = credentials.NewStaticCredentialsProvider("recommend", "local", "recommend/1")
)

// TestMain is also the server that TestAcceptedRecordsSurviveKill kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		server, err := firehose.Start(context.Background(), config(dir, nil))
		if err != nil {
			panic(err)
		}
		fmt.Println(server.URL())
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	os.Exit(m.Run())
}

func config(dir string, objects firehose.Objects) firehose.Config {
	return firehose.Config{
		Dir: dir, Objects: objects, Now: func() time.Time { return start },
		Streams: []firehose.Stream{{Name: streamName, Bucket: bucket, Prefix: "recommendations/"}},
	}
}

// lake is the S3 that deliveries go to.
type lake struct {
	*s3.Server
	*awss3.Client
}

func newLake(t testing.TB) lake {
	t.Helper()
	server, err := s3.Start(t.Context(), s3.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	return lake{server, awss3.New(awss3.Options{Region: "eu-central-1", HTTPClient: awsconfig.HTTPClient(nil), BaseEndpoint: aws.String(server.URL()), Credentials: creds, RetryMaxAttempts: 1})}
}

// delivered gives the keys of the objects and all they hold.
func (l lake) delivered(t testing.TB) (keys []string, content string) {
	t.Helper()
	root := l.Path(bucket, "")
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		key, _ := filepath.Rel(root, path)
		keys = append(keys, filepath.ToSlash(key))
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			return err
		}
		all, err := io.ReadAll(unzipped)
		content += string(all)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys, content
}

func setup(t testing.TB, lake lake, config firehose.Config) (*firehose.Server, *awsfirehose.Client) {
	t.Helper()
	server, err := firehose.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, client(server.URL())
}

func client(url string) *awsfirehose.Client {
	return awsfirehose.New(awsfirehose.Options{Region: "eu-central-1", HTTPClient: awsconfig.HTTPClient(nil), BaseEndpoint: &url, Credentials: creds, RetryMaxAttempts: 1})
}

func put(t testing.TB, client *awsfirehose.Client, stream string, records ...string) (*awsfirehose.PutRecordBatchOutput, error) {
	t.Helper()
	in := &awsfirehose.PutRecordBatchInput{DeliveryStreamName: &stream}
	for _, record := range records {
		in.Records = append(in.Records, types.Record{Data: []byte(record)})
	}
	return client.PutRecordBatch(t.Context(), in)
}

func mustPut(t testing.TB, client *awsfirehose.Client, records ...string) {
	t.Helper()
	out, err := put(t, client, streamName, records...)
	if err != nil || *out.FailedPutCount != 0 || len(out.RequestResponses) != len(records) {
		t.Fatalf("%+v, %v", out, err)
	}
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Fatalf("got %v, want %s", err, code)
	}
}

func TestDelivery(t *testing.T) {
	lake := newLake(t)
	server, client := setup(t, lake, config(t.TempDir(), lake))
	mustPut(t, client, "{\"a\":1}\n", "{\"b\":2}\n")
	if _, err := client.PutRecord(t.Context(), &awsfirehose.PutRecordInput{
		DeliveryStreamName: aws.String(streamName), Record: &types.Record{Data: []byte("{\"c\":3}\n")},
	}); err != nil {
		t.Fatal(err)
	}
	if keys, _ := lake.delivered(t); len(keys) != 0 {
		t.Errorf("delivered %q before the buffer was full or old", keys)
	}
	if err := server.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys, content := lake.delivered(t)
	if content != "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n" {
		t.Errorf("content %q", content)
	}
	pattern := regexp.MustCompile(`^recommendations/year=2026/month=11/day=23/hour=00/recommendations-stream-1-2026-11-23-00-59-01-[0-9a-f-]{36}\.gz$`)
	if len(keys) != 1 || !pattern.MatchString(keys[0]) {
		t.Errorf("keys %q", keys)
	}
	mustPut(t, client, "{\"d\":4}\n")
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if keys, content := lake.delivered(t); len(keys) != 2 || len(content) != 4*8 {
		t.Errorf("after Close: %q %q", keys, content)
	}
}

func TestDeliveryBySizeAndAge(t *testing.T) {
	for name, change := range map[string]func(*firehose.Config){
		"size": func(c *firehose.Config) { c.Streams[0].BufferBytes = 10 },
		"age": func(c *firehose.Config) {
			var mu sync.Mutex
			now := start
			c.Now = func() time.Time { // each look at the clock is two minutes later
				mu.Lock()
				defer mu.Unlock()
				now = now.Add(2 * time.Minute)
				return now
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			lake := newLake(t)
			stored := make(chan string, 1)
			lake.SetHooks(awscall.Hooks{After: func(call awscall.Call) error { stored <- call.Key; return nil }})
			config := config(t.TempDir(), lake)
			change(&config)
			_, client := setup(t, lake, config)
			mustPut(t, client, "0123456789")
			<-stored
			if _, content := lake.delivered(t); content != "0123456789" {
				t.Errorf("content %q", content)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	lake := newLake(t)
	_, client := setup(t, lake, config(t.TempDir(), lake))
	_, err := put(t, client, "other", "a")
	wantCode(t, err, "ResourceNotFoundException")
	_, err = put(t, client, streamName, slices.Repeat([]string{"a"}, 501)...)
	wantCode(t, err, "ValidationException")
	_, err = put(t, client, streamName, strings.Repeat("a", 1_024_001))
	wantCode(t, err, "ValidationException")
	_, err = put(t, client, streamName, slices.Repeat([]string{strings.Repeat("a", 1_024_000)}, 5)...)
	wantCode(t, err, "InvalidArgumentException")
	mustPut(t, client, slices.Repeat([]string{"a"}, 500)...)
	mustPut(t, client, slices.Repeat([]string{strings.Repeat("a", 1_024_000)}, 4)...)
}

func TestInjectedFaults(t *testing.T) {
	lake := newLake(t)
	server, client := setup(t, lake, config(t.TempDir(), lake))
	server.SetFaults(firehose.Faults{Fail: func(_ string, batch [][]byte) []int { return []int{1, len(batch) - 1} }})
	out, err := put(t, client, streamName, "0", "1", "2", "3")
	if err != nil || *out.FailedPutCount != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	for i, response := range out.RequestResponses {
		failed := i == 1 || i == 3
		if failed != (aws.ToString(response.ErrorCode) == "ServiceUnavailableException") || failed == (response.RecordId != nil) {
			t.Errorf("record %d: %+v", i, response)
		}
	}
	server.SetFaults(firehose.Faults{Throttle: func(string) bool { return true }})
	_, err = put(t, client, streamName, "4")
	wantCode(t, err, "ServiceUnavailableException")
	server.SetFaults(firehose.Faults{})
	mustPut(t, client, "5")
	if err := server.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, content := lake.delivered(t); content != "025" {
		t.Errorf("content %q", content)
	}
}

// An S3 that answers with nothing is not believed: the same object is put again, and only once in effect.
func TestDeliveryIsRetriedToTheSameKey(t *testing.T) {
	lake := newLake(t)
	server, client := setup(t, lake, config(t.TempDir(), lake))
	mustPut(t, client, "a")
	lake.SetHooks(awscall.Hooks{After: func(awscall.Call) error { return errors.New("no answer") }})
	if err := server.Flush(t.Context()); err == nil {
		t.Fatal("the lost answer was not noticed")
	}
	lake.SetHooks(awscall.Hooks{})
	if err := server.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if keys, content := lake.delivered(t); len(keys) != 1 || content != "a" {
		t.Errorf("%q %q", keys, content)
	}
}

func TestAcceptedRecordsSurviveKill(t *testing.T) {
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = os.Stderr
	if _, err := child.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	killed := client(strings.TrimSpace(url))
	mustPut(t, killed, "1\n", "2\n")
	mustPut(t, killed, "3\n")
	_ = child.Process.Kill()
	_ = child.Wait()
	cutOffRecord(t, dir)

	lake := newLake(t)
	server, _ := setup(t, lake, config(dir, lake))
	if err := server.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, content := lake.delivered(t); content != "1\n2\n3\n" {
		t.Errorf("content %q", content)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, streamName, "*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// cutOffRecord adds the remains of a kill in the middle of a write.
func cutOffRecord(t *testing.T, dir string) {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, streamName, "*"))
	if len(found) != 1 {
		t.Fatalf("buffers %q", found)
	}
	file, err := os.OpenFile(found[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write([]byte{0, 0, 0, 9, 'h', 'a', 'l', 'f'}); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkPutRecordBatch(b *testing.B) {
	lake := newLake(b)
	_, client := setup(b, lake, config(b.TempDir(), lake))
	batch := slices.Repeat([]string{string(bytes.Repeat([]byte("x"), 2<<10))}, 500)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		mustPut(b, client, batch...)
		n += len(batch)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}
