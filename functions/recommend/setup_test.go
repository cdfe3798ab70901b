package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsfirehose "github.com/aws/aws-sdk-go-v2/service/firehose"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/infra/local/aws/firehose"
	"recsys/infra/local/testbed/postgrestest"
	"recsys/infra/local/testbed/versiontest"
	servers "recsys/infra/local/testbed/world"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/runtime/awsconfig"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
)

const (
	artifactsBucket       = "ml-artifacts"
	recommendationsBucket = "recommendations"
	deliveryStream        = "recommendations-stream"
	shard                 = "shardId-000000000000"
)

// lab is the form of the lab's records.
var lab = activity.FormOf(shape.Lab)

// world is the real servers around one handler: PostgreSQL with pgvector, S3 and Firehose.
type world struct {
	*servers.World
	readerURL string
	loader    *pgxpool.Pool
	objects   *awss3.Client
	artifacts *objectstore.Store
	firehose  *firehose.Server
	client    *awsfirehose.Client
	handler   *Handler
	pool      *pgxpool.Pool // of the newest handler
}

// byIndex is the option of a handler whose database searches.
func byIndex(s *settings.Ranking) { s.InMemoryUpTo = 0 }

// setup has a handler with the default options, unless they are changed.
func setup(tb testing.TB, change ...func(*settings.Ranking)) *world {
	tb.Helper()
	ctx := tb.Context()
	w := &world{World: servers.New(tb, postgrestest.ForTest(tb))}
	w.readerURL, w.loader = w.URL(vectorstore.ReaderRole), w.Pool(vectorstore.LoaderRole)
	w.Must(w.S3.CreateBucket(artifactsBucket))
	w.Must(w.S3.CreateBucket(recommendationsBucket))
	identity := credentials.NewStaticCredentialsProvider("recommend", "local", "recommend/1")
	w.objects = awss3.New(awss3.Options{BaseEndpoint: aws.String(w.S3.URL()), Region: "eu-central-1", HTTPClient: awsconfig.HTTPClient(nil), UsePathStyle: true, Credentials: identity, RetryMaxAttempts: 1})
	w.artifacts = objectstore.New(w.objects, artifactsBucket)

	var err error
	w.firehose, err = firehose.Start(ctx, firehose.Config{Dir: tb.TempDir(), Objects: w.objects,
		Streams: []firehose.Stream{{Name: deliveryStream, Bucket: recommendationsBucket, Prefix: "recommendations/"}}})
	w.Must(err)
	tb.Cleanup(func() { w.firehose.Close() })
	w.client = awsfirehose.New(awsfirehose.Options{
		BaseEndpoint: aws.String(w.firehose.URL()), Region: "eu-central-1", HTTPClient: awsconfig.HTTPClient(nil), Credentials: identity, RetryMaxAttempts: 1})
	w.handler = w.newHandler(w.readerURL, w.client, change...)
	return w
}

// newHandler has the default options, unless they are changed.
func (w *world) newHandler(url string, client putter, change ...func(*settings.Ranking)) *Handler {
	w.Helper()
	s := settings.Default[settings.Recommend]()
	s.RecommendationsBucket, s.DeliveryStream = recommendationsBucket, deliveryStream
	for _, change := range change {
		change(&s.Ranking)
	}
	s.Artifacts.Bucket, s.URL = artifactsBucket, url
	pool, err := vectorstore.Connect(w.Context(), connection(s))
	w.Must(err)
	w.Cleanup(pool.Close)
	w.pool = pool
	handler := New(s, pool, w.artifacts, objectstore.New(w.objects, recommendationsBucket), toFirehose(client, deliveryStream))
	handler.now = func() time.Time { return time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC) }
	handler.deliveries[0].pause = time.Millisecond
	handler.answers.CountEvery = 0
	return handler
}

type version = versiontest.Version

// load loads, indexes and activates a version.
func (w *world) load(v version) int64 {
	w.Helper()
	return versiontest.Load(w, w.loader, w.artifacts, v)
}

func (w *world) activate(number int64) {
	w.Helper()
	versiontest.Activate(w, w.loader, number)
}

// drop gives way to readers, as vector-index does.
func (w *world) drop(number int64) {
	w.Helper()
	drop := `begin; set local lock_timeout = '100ms'; drop table if exists ` + strings.Join(vectorstore.Tables(number), ", ") + `; commit`
	for {
		_, err := w.loader.Exec(context.WithoutCancel(w.Context()), drop, pgx.QueryExecModeSimpleProtocol)
		if !vectorstore.HasCode(err, vectorstore.LockNotAvailable) {
			w.Must(err)
			return
		}
	}
}

func (w *world) exec(sql string) {
	w.Helper()
	_, err := w.loader.Exec(context.WithoutCancel(w.Context()), sql, pgx.QueryExecModeSimpleProtocol)
	w.Must(err)
}

// batch makes a Kinesis event of payloads with sequence numbers from 1000 on.
func batch(payloads ...string) events.KinesisEvent {
	var event events.KinesisEvent
	for i, payload := range payloads {
		sequence := fmt.Sprint(1000 + i)
		event.Records = append(event.Records, events.KinesisEventRecord{
			EventID: shard + ":" + sequence, EventSource: "aws:kinesis",
			Kinesis: events.KinesisRecord{SequenceNumber: sequence, PartitionKey: "p", Data: []byte(payload)},
		})
	}
	return event
}

// handle runs one batch and returns the first sequence number that is not done, "" when all is.
func (w *world) handle(payloads ...string) (notDone string) {
	w.Helper()
	response, err := w.handler.Handle(w.Context(), batch(payloads...))
	w.Must(err)
	switch len(response.BatchItemFailures) {
	case 0:
		return ""
	case 1:
		return response.BatchItemFailures[0].ItemIdentifier
	}
	w.Fatalf("%d failures reported, want the first only", len(response.BatchItemFailures))
	return ""
}

// output is one delivered line.
type output struct {
	CustomerNumber int64    `json:"customer_number"`
	SessionID      string   `json:"session_id"`
	Recommended    []scored `json:"recommended_items"`
	Trending       []scored `json:"trending_items"`
	Similar        struct {
		ProductCode *string `json:"product_code"`
		Items       []struct {
			ID       string
			Distance float64
		} `json:"similar_items"`
	} `json:"similar_items"`
	Recommendation struct {
		EventID      string `json:"event_id"`
		ModelVersion int64  `json:"model_version"`
		Strategy     string
		GeneratedAt  time.Time `json:"generated_at"`
	}
}

type scored struct {
	ID    string
	Score float64
}

func (o output) ids() (ids []string) {
	for _, item := range o.Recommended {
		ids = append(ids, item.ID)
	}
	return ids
}

func (o output) similarIDs() (ids []string) {
	for _, item := range o.Similar.Items {
		ids = append(ids, item.ID)
	}
	return ids
}

// delivered is everything that Firehose has put into the bucket, and forgets it.
func (w *world) delivered() []output {
	w.Helper()
	w.Must(w.firehose.Flush(context.WithoutCancel(w.Context())))
	var outputs []output
	for _, path := range w.files("recommendations") {
		file, err := os.Open(path)
		w.Must(err)
		lines, err := gzip.NewReader(file)
		w.Must(err)
		content, err := io.ReadAll(lines)
		w.Must(err)
		file.Close()
		w.Must(os.Remove(path))
		for line := range strings.Lines(string(content)) {
			var o output
			w.Must(json.Unmarshal([]byte(line), &o))
			outputs = append(outputs, o)
		}
	}
	return outputs
}

// rejectedReasons returns the reason of each rejected record by its place.
func (w *world) rejectedReasons() map[string]string {
	w.Helper()
	reasons := map[string]string{}
	for _, path := range w.files("rejected/" + shard) {
		place := strings.TrimSuffix(filepath.Base(path), ".json")
		reasons[place] = w.rejection(place).Reason
	}
	return reasons
}

func (w *world) rejection(place string) (r rejection) {
	w.Helper()
	content, err := os.ReadFile(w.S3.Path(recommendationsBucket, lake.RejectedKey(shard, place)))
	w.Must(err)
	w.Must(json.Unmarshal(content, &r))
	return r
}

func (w *world) files(prefix string) (paths []string) {
	_ = filepath.WalkDir(w.S3.Path(recommendationsBucket, prefix), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			paths = append(paths, path)
		}
		return nil
	})
	slices.Sort(paths)
	return paths
}
