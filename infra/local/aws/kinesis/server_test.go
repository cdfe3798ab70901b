package kinesis_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/kinesis"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/provisiontest"
)

const (
	streamName = "user-activity"
	childOf    = "KINESIS_TEST_MODULES"
)

// TestMain is also the process that TestServerEndsWithItsParent kills.
func TestMain(m *testing.M) {
	if modules := os.Getenv(childOf); modules != "" {
		server, err := kinesis.Start(context.Background(), kinesis.Config{NodeModules: modules})
		if err != nil {
			panic(err)
		}
		fmt.Println(server.URL())
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	os.Exit(m.Run())
}

func setup(t testing.TB, path string) (*kinesis.Server, *awskinesis.Client) {
	t.Helper()
	return start(t, kinesis.Config{Path: path})
}

func start(t testing.TB, config kinesis.Config) (*kinesis.Server, *awskinesis.Client) {
	t.Helper()
	config.NodeModules = provisiontest.NodeModules(t)
	server, err := kinesis.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	client := awskinesis.New(awskinesis.Options{
		Region: awscall.Region, BaseEndpoint: aws.String(server.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	if err := kinesis.CreateStream(t.Context(), client, streamName, 2); err != nil {
		t.Fatal(err)
	}
	return server, client
}

// read gives all records of the stream, shard by shard.
func read(t testing.TB, client *awskinesis.Client) []types.Record {
	t.Helper()
	shards, err := client.ListShards(t.Context(), &awskinesis.ListShardsInput{StreamName: aws.String(streamName)})
	if err != nil {
		t.Fatal(err)
	}
	var records []types.Record
	for _, shard := range shards.Shards {
		iterator, err := client.GetShardIterator(t.Context(), &awskinesis.GetShardIteratorInput{
			StreamName: aws.String(streamName), ShardId: shard.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := client.GetRecords(t.Context(), &awskinesis.GetRecordsInput{ShardIterator: iterator.ShardIterator})
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, out.Records...)
	}
	return records
}

func TestRecords(t *testing.T) {
	_, client := setup(t, "")
	if err := kinesis.CreateStream(t.Context(), client, streamName, 2); err != nil {
		t.Errorf("creating the stream again: %v", err)
	}
	in := &awskinesis.PutRecordsInput{StreamName: aws.String(streamName)}
	for i := range 500 {
		in.Records = append(in.Records, types.PutRecordsRequestEntry{Data: fmt.Appendf(nil, "%d", i), PartitionKey: aws.String(fmt.Sprint(i))})
	}
	out, err := client.PutRecords(t.Context(), in)
	if err != nil || aws.ToInt32(out.FailedRecordCount) != 0 || len(out.Records) != 500 {
		t.Fatalf("%+v, %v", out, err)
	}
	big := bytes.Repeat([]byte("x"), 1<<20)
	if _, err := client.PutRecord(t.Context(), &awskinesis.PutRecordInput{StreamName: aws.String(streamName), Data: big, PartitionKey: aws.String("big")}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, record := range read(t, client) {
		seen[string(record.Data)] = true
		if age := time.Since(*record.ApproximateArrivalTimestamp); age < -time.Minute || age > time.Hour {
			t.Errorf("arrived %s ago", age)
		}
	}
	if len(seen) != 501 || !seen["0"] || !seen["499"] || !seen[string(big)] {
		t.Errorf("%d different records came back", len(seen))
	}
	_, err = client.PutRecord(t.Context(), &awskinesis.PutRecordInput{StreamName: aws.String("other"), Data: big, PartitionKey: aws.String("a")})
	if missing := (*types.ResourceNotFoundException)(nil); !errors.As(err, &missing) {
		t.Errorf("got %v, want ResourceNotFoundException", err)
	}
}

func TestRecordsSurviveRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kinesis")
	server, client := setup(t, path)
	if _, err := client.PutRecord(t.Context(), &awskinesis.PutRecordInput{StreamName: aws.String(streamName), Data: []byte("kept"), PartitionKey: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	_, client = setup(t, path)
	if records := read(t, client); len(records) != 1 || string(records[0].Data) != "kept" {
		t.Errorf("records %+v", records)
	}
}

// A process that ends by itself is told of, and comes back on the same port with the same records.
func TestACrashIsToldAndRestarted(t *testing.T) {
	died := make(chan error, 2)
	dir := t.TempDir()
	server, client := start(t, kinesis.Config{
		Path: filepath.Join(dir, "data"), Log: filepath.Join(dir, "log"), Died: func(err error) { died <- err },
	})
	if _, err := client.PutRecord(t.Context(), &awskinesis.PutRecordInput{StreamName: aws.String(streamName), Data: []byte("kept"), PartitionKey: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	url := server.URL()
	server.Kill()
	if err := <-died; !strings.Contains(err.Error(), "killed") {
		t.Errorf("it died: %v", err)
	}
	if err := server.Restart(t.Context()); err != nil || server.URL() != url {
		t.Fatalf("restarted on %s instead of %s: %v", server.URL(), url, err)
	}
	if records := read(t, client); len(records) != 1 || string(records[0].Data) != "kept" {
		t.Errorf("records %+v", records)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Errorf("restarted while it runs: %v", err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(t.Context()); err == nil {
		t.Error("restarted after its end")
	}
	if len(died) > 0 {
		t.Errorf("an end that was wanted is told as a death: %v", <-died)
	}
}

// A client that is killed in the middle of a request must not take the server with it.
func TestClientHangsUp(t *testing.T) {
	died := make(chan error, 1)
	server, client := start(t, kinesis.Config{Died: func(err error) { died <- err }})
	connection, err := net.Dial("tcp", strings.TrimPrefix(server.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(connection, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: Kinesis_20131202.PutRecord\r\nContent-Length: 1000\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	if err := connection.(*net.TCPConn).SetLinger(0); err != nil { // a reset, as from a process that dies
		t.Fatal(err)
	}
	connection.Close()
	for range 20 {
		read(t, client)
	}
	select {
	case err := <-died:
		t.Errorf("the server is gone: %v", err)
	default:
	}
}

func TestServerEndsWithItsParent(t *testing.T) {
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childOf+"="+provisiontest.NodeModules(t))
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
	_ = child.Process.Kill()
	_ = child.Wait()
	address := strings.TrimPrefix(strings.TrimSpace(url), "http://")
	deadline := time.After(testbed.Patience)
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		connection.Close()
		select {
		case <-deadline:
			t.Fatal("the server outlived its parent")
		default:
		}
	}
}

func TestStartNamesTheFault(t *testing.T) {
	_, err := kinesis.Start(t.Context(), kinesis.Config{NodeModules: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "kinesalite") {
		t.Errorf("without packages: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, err = kinesis.Start(t.Context(), kinesis.Config{NodeModules: provisiontest.NodeModules(t), Port: listener.Addr().(*net.TCPAddr).Port})
	if err == nil || !strings.Contains(err.Error(), "EADDRINUSE") {
		t.Errorf("with a taken port: %v", err)
	}
}

// The rules are package loopback's, of which its own test has every case.
func TestOtherOriginsAreRefused(t *testing.T) {
	server, _ := setup(t, "")
	for _, test := range []struct {
		host, origin, site string
		status             int
	}{
		{"", "", "", 200},
		{"localhost:1", "", "none", 200},
		{"", "", "cross-site", 403},
		{"", "http://evil.example", "", 403},
		{"", "null", "", 403},
		{"rebound.example", "", "", 403},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL(), strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Host = test.host
		request.Header = http.Header{
			"X-Amz-Target": {"Kinesis_20131202.ListStreams"}, "Content-Type": {"application/x-amz-json-1.1"},
			"Authorization": {"AWS4-HMAC-SHA256 Credential=local/20261128/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=00"},
			"X-Amz-Date":    {"20261128T000000Z"},
		}
		for name, value := range map[string]string{"Origin": test.origin, "Sec-Fetch-Site": test.site} {
			if value != "" {
				request.Header.Set(name, value)
			}
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != test.status || answer.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%+v: %d %v %s", test, answer.StatusCode, answer.Header, body)
		}
	}
}
