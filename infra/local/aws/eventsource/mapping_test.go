package eventsource_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/eventsource"
	local "recsys/infra/local/aws/kinesis"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/provisiontest"
)

var server struct {
	sync.Once
	*local.Server
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if server.Server != nil {
		_ = server.Close()
	}
	os.Exit(code)
}

// start returns a client of the Kinesis server that all tests share.
func start(tb testing.TB) *kinesis.Client {
	tb.Helper()
	modules := provisiontest.NodeModules(tb)
	server.Do(func() {
		server.Server, server.err = local.Start(tb.Context(), local.Config{NodeModules: modules})
	})
	if server.err != nil {
		tb.Fatal(server.err)
	}
	return kinesis.New(kinesis.Options{
		BaseEndpoint: aws.String(server.URL()), Region: awscall.Region,
		Credentials: credentials.NewStaticCredentialsProvider("x", "y", ""),
	})
}

var streams atomic.Int64

// create makes a stream of the test's own and returns its name.
func create(tb testing.TB, shards int32) string {
	tb.Helper()
	name := fmt.Sprint("activity-", streams.Add(1))
	if err := local.CreateStream(tb.Context(), start(tb), name, shards); err != nil {
		tb.Fatal(err)
	}
	return name
}

// put writes records "<from>" to "<to-1>" with their own numbers as partition keys.
func put(tb testing.TB, client *kinesis.Client, stream string, from, to int) {
	tb.Helper()
	for chunk := range slices.Chunk(span(from, to), 500) {
		input := &kinesis.PutRecordsInput{StreamName: &stream}
		for _, n := range chunk {
			input.Records = append(input.Records, types.PutRecordsRequestEntry{Data: fmt.Append(nil, n), PartitionKey: aws.String(fmt.Sprint(n))})
		}
		output, err := client.PutRecords(tb.Context(), input)
		if err != nil || *output.FailedRecordCount != 0 {
			tb.Fatalf("putting records: %v", err)
		}
	}
}

func span(from, to int) []int {
	var numbers []int
	for n := from; n < to; n++ {
		numbers = append(numbers, n)
	}
	return numbers
}

// function is the test's Lambda function. It decides by batch, and remembers its batches.
type function struct {
	answer func(call int, batch []events.KinesisEventRecord) (events.KinesisEventResponse, error)

	mu      sync.Mutex
	batches [][]string // the data of each invocation's records
	last    []byte     // payload
}

func (f *function) invoke(_ context.Context, payload []byte) ([]byte, error) {
	var event events.KinesisEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	var data []string
	for _, record := range event.Records {
		data = append(data, string(record.Kinesis.Data))
	}
	f.mu.Lock()
	f.batches, f.last = append(f.batches, data), payload
	call := len(f.batches)
	f.mu.Unlock()
	if f.answer == nil {
		return []byte("null"), nil
	}
	response, err := f.answer(call, event.Records)
	if err != nil {
		return nil, err
	}
	return json.Marshal(response)
}

func (f *function) seen() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprint(f.batches)
}

// open starts a mapping that polls at once and retries at once.
func open(tb testing.TB, config eventsource.Config) *eventsource.Mapping {
	tb.Helper()
	config.PollInterval = time.Millisecond
	if config.Backoff == nil {
		config.Backoff = func(int) time.Duration { return 0 }
	}
	mapping, err := eventsource.Start(tb.Context(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = mapping.Close() })
	return mapping
}

// finish waits until so many records are done, and stops the mapping.
func finish(tb testing.TB, mapping *eventsource.Mapping, records int) eventsource.Stats {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), testbed.Patience)
	defer cancel()
	if err := mapping.Wait(ctx, func(s eventsource.Stats) bool { return s.Succeeded+s.Discarded >= records }); err != nil {
		tb.Fatal(err)
	}
	if err := mapping.Close(); err != nil {
		tb.Fatal(err)
	}
	return mapping.Stats()
}

func TestRecordsComeInOrderInBatchesAndAsAWSWritesThem(t *testing.T) {
	client := start(t)
	stream := create(t, 1)
	put(t, client, stream, 0, 5)
	f := &function{}
	stats := finish(t, open(t, eventsource.Config{Client: client, Stream: stream, Invoke: f.invoke, BatchSize: 2}), 5)
	if f.seen() != "[[0 1] [2 3] [4]]" || stats != (eventsource.Stats{Invocations: 3, Succeeded: 5, LastProcessingResult: "OK"}) {
		t.Errorf("batches %s, %+v", f.seen(), stats)
	}
	var raw struct{ Records []map[string]any }
	if err := json.Unmarshal(f.last, &raw); err != nil {
		t.Fatal(err)
	}
	record := raw.Records[0]["kinesis"].(map[string]any)
	sequence := record["sequenceNumber"].(string)
	for field, want := range map[string]any{
		"eventID": "shardId-000000000000:" + sequence, "eventSource": "aws:kinesis", "eventName": "aws:kinesis:record", "eventVersion": "1.0",
		"awsRegion": "us-east-1", "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/" + stream,
		"invokeIdentityArn": "arn:aws:iam::000000000000:role/local",
	} {
		if raw.Records[0][field] != want {
			t.Errorf("%s is %v, want %v", field, raw.Records[0][field], want)
		}
	}
	arrival, isNumber := record["approximateArrivalTimestamp"].(float64)
	if record["data"] != "NA==" || record["partitionKey"] != "4" || record["kinesisSchemaVersion"] != "1.0" || !isNumber || arrival <= 0 {
		t.Errorf("record %v", record)
	}
}

func TestEveryShardIsReadInItsOwnOrder(t *testing.T) {
	client := start(t)
	stream := create(t, 3)
	put(t, client, stream, 0, 1000)
	last := map[string]string{}
	var mu sync.Mutex
	f := &function{answer: func(_ int, batch []events.KinesisEventRecord) (events.KinesisEventResponse, error) {
		mu.Lock()
		defer mu.Unlock()
		for _, record := range batch {
			shard, sequence, _ := strings.Cut(record.EventID, ":")
			if len(last[shard]) == len(sequence) && last[shard] >= sequence {
				t.Errorf("%s: %s after %s", shard, sequence, last[shard])
			}
			last[shard] = sequence
		}
		return events.KinesisEventResponse{}, nil
	}}
	finish(t, open(t, eventsource.Config{Client: client, Stream: stream, Invoke: f.invoke}), 1000)
	if len(last) != 3 {
		t.Errorf("shards seen: %v", last)
	}
}

func TestAReportedFailureIsWhereTheNextBatchBegins(t *testing.T) {
	client := start(t)
	stream := create(t, 1)
	put(t, client, stream, 0, 6)
	f := &function{answer: func(call int, batch []events.KinesisEventRecord) (response events.KinesisEventResponse, _ error) {
		if call == 1 { // the lowest of the reported counts
			for _, i := range []int{4, 2} {
				response.BatchItemFailures = append(response.BatchItemFailures, events.KinesisBatchItemFailure{ItemIdentifier: batch[i].Kinesis.SequenceNumber})
			}
		}
		return response, nil
	}}
	stats := finish(t, open(t, eventsource.Config{Client: client, Stream: stream, Invoke: f.invoke, ReportBatchItemFailures: true}), 6)
	if f.seen() != "[[0 1 2 3 4 5] [2 3 4 5]]" || stats.FunctionErrors != 0 || stats.Succeeded != 6 {
		t.Errorf("batches %s, %+v", f.seen(), stats)
	}
}

func TestAnUnknownItemFailsTheWholeBatch(t *testing.T) {
	client := start(t)
	stream := create(t, 1)
	put(t, client, stream, 0, 2)
	f := &function{answer: func(call int, _ []events.KinesisEventRecord) (response events.KinesisEventResponse, _ error) {
		if call == 1 {
			response.BatchItemFailures = []events.KinesisBatchItemFailure{{ItemIdentifier: ""}}
		}
		return response, nil
	}}
	stats := finish(t, open(t, eventsource.Config{Client: client, Stream: stream, Invoke: f.invoke, ReportBatchItemFailures: true}), 2)
	if f.seen() != "[[0 1] [0 1]]" || stats.FunctionErrors != 1 || stats.LastProcessingResult != "OK" {
		t.Errorf("batches %s, %+v", f.seen(), stats)
	}
}

func TestARecordThatNeverSucceedsIsFoundAndHandedOver(t *testing.T) {
	client := start(t)
	stream := create(t, 1)
	put(t, client, stream, 0, 8)
	f := &function{answer: func(_ int, batch []events.KinesisEventRecord) (response events.KinesisEventResponse, _ error) {
		for _, record := range batch {
			if string(record.Kinesis.Data) == "5" {
				return response, errors.New("record 5 is too much")
			}
		}
		return response, nil
	}}
	var retries []int
	var handed []eventsource.Discarded
	stats := finish(t, open(t, eventsource.Config{
		Client: client, Stream: stream, Invoke: f.invoke, BisectBatchOnFunctionError: true, MaximumRetryAttempts: new(2),
		Backoff: func(retry int) time.Duration { retries = append(retries, retry); return 0 },
		OnFailure: func(_ context.Context, discarded eventsource.Discarded) error {
			handed = append(handed, discarded)
			if len(handed) == 1 {
				return errors.New("the destination is away")
			}
			return nil
		},
	}), 8)
	if want := "[[0 1 2 3 4 5 6 7] [0 1 2 3] [4 5 6 7] [4 5] [4] [5] [5] [5] [6 7]]"; f.seen() != want {
		t.Errorf("batches %s\nwant    %s", f.seen(), want)
	}
	if stats.Succeeded != 7 || stats.Discarded != 1 || stats.FunctionErrors != 6 || !slices.Equal(retries, []int{1, 2, 1}) {
		t.Errorf("%+v, retries %v", stats, retries)
	}
	if len(handed) != 2 || handed[0].Key() != handed[1].Key() || handed[1].Records() != 1 || handed[1].Invocations != 3 {
		t.Fatalf("handed over: %+v", handed)
	}
	document, err := json.Marshal(handed[1])
	if err != nil {
		t.Fatal(err)
	}
	var record struct {
		RequestContext struct{ Condition string }
		Payload        string
	}
	var event events.KinesisEvent
	if err := errors.Join(json.Unmarshal(document, &record), json.Unmarshal([]byte(record.Payload), &event)); err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	if record.RequestContext.Condition != "RetryAttemptsExhausted" || string(event.Records[0].Kinesis.Data) != "5" {
		t.Errorf("invocation record %s", document)
	}
}

func TestOldRecordsAreDiscardedBeforeTheyAreTried(t *testing.T) {
	client := start(t)
	stream := create(t, 1)
	put(t, client, stream, 0, 3)
	f := &function{}
	stats := finish(t, open(t, eventsource.Config{
		Client: client, Stream: stream, Invoke: f.invoke, MaximumRecordAge: time.Minute,
		Now: func() time.Time { return time.Now().Add(time.Hour) },
	}), 3)
	if stats.Discarded != 3 || stats.Invocations != 0 || !strings.Contains(stats.LastProcessingResult, "RecordAgeExceeded") {
		t.Errorf("%+v", stats)
	}
}

func TestTheCheckpointOutlivesTheProcess(t *testing.T) {
	client := start(t)
	stream := create(t, 1)
	path := filepath.Join(t.TempDir(), "checkpoints.json")
	for start := 0; start < 30; start += 10 {
		put(t, client, stream, start, start+10)
		checkpoints, err := eventsource.OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f := &function{}
		finish(t, open(t, eventsource.Config{Client: client, Stream: stream, Invoke: f.invoke, Checkpoints: checkpoints}), 10)
		if want := fmt.Sprint([][]int{span(start, start+10)}); f.seen() != want {
			t.Errorf("batches %s, want %s", f.seen(), want)
		}
	}
}

func TestLatestSeesRecordsAfterTheStart(t *testing.T) {
	client := start(t)
	stream := create(t, 1)
	put(t, client, stream, 0, 3)
	f := &function{}
	mapping := open(t, eventsource.Config{Client: client, Stream: stream, Invoke: f.invoke, StartingPosition: types.ShardIteratorTypeLatest})
	put(t, client, stream, 3, 4)
	finish(t, mapping, 1)
	if f.seen() != "[[3]]" {
		t.Errorf("batches %s", f.seen())
	}
}

func TestTheWindowGathersAndAFullBatchDoesNotWait(t *testing.T) {
	client := start(t)
	stream := create(t, 1)
	f := &function{}
	mapping := open(t, eventsource.Config{
		Client: client, Stream: stream, Invoke: f.invoke, BatchSize: 4, MaximumBatchingWindow: 300 * time.Second,
	})
	put(t, client, stream, 0, 2)
	put(t, client, stream, 2, 9)
	finish(t, mapping, 8) // the ninth waits for the window
	if f.seen() != "[[0 1 2 3] [4 5 6 7]]" {
		t.Errorf("batches %s", f.seen())
	}
}

func TestAnEventStaysUnderLambdasLimit(t *testing.T) {
	client := start(t)
	stream := create(t, 1)
	large := make([]byte, 1_000_000)
	for i := range 10 {
		if _, err := client.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: &stream, Data: large, PartitionKey: aws.String(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	var sizes []int
	mapping := open(t, eventsource.Config{Client: client, Stream: stream, MaximumBatchingWindow: 300 * time.Second,
		Invoke: func(_ context.Context, payload []byte) ([]byte, error) {
			sizes = append(sizes, len(payload))
			return nil, nil
		}})
	finish(t, mapping, 8)
	if len(sizes) != 2 || slices.Max(sizes) > 6<<20 {
		t.Errorf("payloads of %v bytes, want 2 of at most 6 MiB", sizes)
	}
}

// faulty makes chosen GetRecords calls fail.
type faulty struct {
	*kinesis.Client
	fail func(call int) error
	call int
}

func (f *faulty) GetRecords(ctx context.Context, in *kinesis.GetRecordsInput, options ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	f.call++
	if err := f.fail(f.call); err != nil {
		return nil, err
	}
	return f.Client.GetRecords(ctx, in, options...)
}

func TestPollingGoesOnAfterErrorsAndExpiredIterators(t *testing.T) {
	client := start(t)
	stream := create(t, 1)
	put(t, client, stream, 0, 250) // three reads
	f := &function{}
	stats := finish(t, open(t, eventsource.Config{Stream: stream, Invoke: f.invoke, Client: &faulty{Client: client, fail: func(call int) error {
		switch call {
		case 2:
			return &types.ProvisionedThroughputExceededException{}
		case 3:
			return &types.ExpiredIteratorException{}
		}
		return nil
	}}}), 250)
	if want := fmt.Sprint([][]int{span(0, 100), span(100, 200), span(200, 250)}); f.seen() != want || stats.LastProcessingResult != "OK" {
		t.Errorf("batches %s, %+v", f.seen(), stats)
	}
}

// A shard that is quiet for five minutes has its iterator expire before the first record.
func TestAnExpiredLatestMissesNothing(t *testing.T) {
	client := start(t)
	stream := create(t, 1)
	put(t, client, stream, 0, 3) // before the start
	for put := time.Now().UnixMilli(); time.Now().UnixMilli() == put; runtime.Gosched() {
		// Kinesis tells no shorter times apart, so records of the millisecond of the start would be read, too.
	}
	f := &function{}
	finish(t, open(t, eventsource.Config{
		Stream: stream, Invoke: f.invoke, StartingPosition: types.ShardIteratorTypeLatest,
		Client: &faulty{Client: client, fail: func(call int) error {
			if call > 1 {
				return nil
			}
			put(t, client, stream, 3, 6)
			return &types.ExpiredIteratorException{}
		}},
	}), 3)
	if want := fmt.Sprint([][]int{span(3, 6)}); f.seen() != want {
		t.Errorf("batches %s, want %s", f.seen(), want)
	}
}

func TestTheChildrenOfAShardWaitForIt(t *testing.T) {
	client := start(t)
	stream := create(t, 1)
	put(t, client, stream, 0, 50)
	if _, err := client.SplitShard(t.Context(), &kinesis.SplitShardInput{
		StreamName: &stream, ShardToSplit: aws.String("shardId-000000000000"), NewStartingHashKey: aws.String("170141183460469231731687303715884105728"),
	}); err != nil {
		t.Fatal(err)
	}
	if err := local.CreateStream(t.Context(), client, stream, 1); err != nil { // is there, and waits until it is active again
		t.Fatal(err)
	}
	put(t, client, stream, 50, 100)
	var mu sync.Mutex
	var parent, children int
	f := &function{answer: func(_ int, batch []events.KinesisEventRecord) (events.KinesisEventResponse, error) {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasPrefix(batch[0].EventID, "shardId-000000000000") {
			parent += len(batch)
		} else if children += len(batch); parent != 50 {
			t.Errorf("a child was read after %d records of its parent", parent)
		}
		return events.KinesisEventResponse{}, nil
	}}
	finish(t, open(t, eventsource.Config{Client: client, Stream: stream, Invoke: f.invoke, BatchSize: 10}), 100)
	if parent != 50 || children != 50 {
		t.Errorf("%d records of the parent, %d of its children", parent, children)
	}
}

func TestCloseAbandonsAnInvocationAndTheNextStartMakesItAgain(t *testing.T) {
	client := start(t)
	stream := create(t, 1)
	put(t, client, stream, 0, 3)
	checkpoints, err := eventsource.OpenFile(filepath.Join(t.TempDir(), "checkpoints.json"))
	if err != nil {
		t.Fatal(err)
	}
	began := make(chan struct{})
	mapping := open(t, eventsource.Config{Client: client, Stream: stream, Checkpoints: checkpoints,
		Invoke: func(ctx context.Context, _ []byte) ([]byte, error) {
			close(began)
			<-ctx.Done()
			return nil, ctx.Err()
		}})
	<-began
	_ = mapping.Close()
	if stats := mapping.Stats(); stats.FunctionErrors != 0 || stats.LastProcessingResult != "OK" {
		t.Errorf("%+v", stats)
	}
	f := &function{}
	finish(t, open(t, eventsource.Config{Client: client, Stream: stream, Invoke: f.invoke, Checkpoints: checkpoints}), 3)
	if f.seen() != "[[0 1 2]]" {
		t.Errorf("batches %s", f.seen())
	}
}

func TestStartNamesTheFault(t *testing.T) {
	_, err := eventsource.Start(t.Context(), eventsource.Config{BatchSize: -1, MaximumBatchingWindow: time.Hour, StartingPosition: "MIDDLE"})
	for _, want := range []string{"required", "BatchSize", "MaximumBatchingWindow", "MIDDLE"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named: %v", want, err)
		}
	}
	f := &function{}
	if _, err := eventsource.Start(t.Context(), eventsource.Config{Client: start(t), Stream: "missing", Invoke: f.invoke}); !errors.As(err, new(*types.ResourceNotFoundException)) {
		t.Errorf("a missing stream: %v", err)
	}
}

func BenchmarkMapping(b *testing.B) {
	const records = 10_000
	client := start(b)
	stream := create(b, 1)
	put(b, client, stream, 0, records)
	b.ReportAllocs()
	for b.Loop() {
		finish(b, open(b, eventsource.Config{
			Client: client, Stream: stream, BatchSize: 1000,
			Invoke: func(context.Context, []byte) ([]byte, error) { return nil, nil },
		}), records)
	}
	b.ReportMetric(records*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
