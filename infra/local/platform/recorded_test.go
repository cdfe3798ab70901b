package platform

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/db/provision"
	"recsys/infra/local/sample"
	"recsys/shared/contract/lake"
)

var update = flag.Bool("update", false, "write infra/testdata/recorded-calls.json anew")

// recorded are the IAM actions and resources that each function used: function → action → resources, sorted.
// Resources are "<bucket>/<key>" with * for parts that differ from run to run, "<bucket>" alone for a listing, the
// stream's name, or "<database>/<table>". infra's tests compare the functions' policies with it.
type recorded map[string]map[string][]string

// bucketNames are the buckets as the stack calls them.
var bucketNames = map[string]string{LakeBucket: "lake", ArtifactsBucket: "artifacts", RecommendationsBucket: "recommendations"}

// differing are the parts of keys that differ between runs, ranges, versions, customers and records.
var differing = regexp.MustCompile(`^(runs|snapshots|versions|trained|evaluations)/[^/]+|range-\d+|snapshot=[^/]+|export=[^/]+|(customers|products)-\d+|part=\d+|customerNumber=\d+|shardId-\d+/\d+`)

func pattern(key string) string {
	return differing.ReplaceAllStringFunc(key, func(part string) string {
		return part[:strings.IndexAny(part, "/-=")+1] + "*"
	})
}

// recorder hears every call of the functions.
type recorder struct {
	mu    sync.Mutex
	calls map[string]map[string]map[string]bool
	fault error
}

func (r *recorder) hooks() awscall.Hooks { return awscall.Hooks{Answered: r.answered} }

func (r *recorder) add(function, action, resource string) {
	if r.calls[function] == nil {
		r.calls[function] = map[string]map[string]bool{}
	}
	if r.calls[function][action] == nil {
		r.calls[function][action] = map[string]bool{}
	}
	r.calls[function][action][resource] = true
}

// answered translates a call into the actions that IAM asks for:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
func (r *recorder) answered(c awscall.Call, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	function := c.Caller.AccessKeyID
	if function == "local" { // the platform itself
		return
	}
	if c.Service != "s3" {
		r.add(function, c.Service+":"+c.Operation, c.Resource)
		return
	}
	bucket, object := bucketNames[c.Bucket], bucketNames[c.Bucket]+"/"+pattern(c.Key)
	if status == http.StatusNotFound {
		// S3 says that an object is not there only to callers who may list the bucket. To others it says 403.
		r.add(function, "s3:ListBucket", bucket)
	}
	switch c.Operation {
	case "GetObject", "HeadObject":
		r.add(function, "s3:GetObject", object)
	case "PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload":
		r.add(function, "s3:PutObject", object)
	case "CopyObject", "UploadPartCopy":
		source, key, _ := strings.Cut(c.Source, "/")
		r.add(function, "s3:GetObject", bucketNames[source]+"/"+pattern(key))
		r.add(function, "s3:PutObject", object)
	case "DeleteObject":
		r.add(function, "s3:DeleteObject", object)
	case "DeleteObjects":
		for _, key := range c.Keys {
			r.add(function, "s3:DeleteObject", bucket+"/"+pattern(key))
		}
	case "ListObjectsV2", "HeadBucket":
		r.add(function, "s3:ListBucket", bucket)
	case "AbortMultipartUpload":
		r.add(function, "s3:AbortMultipartUpload", object)
	default:
		r.fault = fmt.Errorf("%s calls %s: say here which action that is", function, c.Operation)
	}
}

func (r *recorder) sorted(t *testing.T) recorded {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fault != nil {
		t.Fatal(r.fault)
	}
	all := recorded{}
	for function, actions := range r.calls {
		all[function] = map[string][]string{}
		for action, resources := range actions {
			all[function][action] = slices.Sorted(maps.Keys(resources))
		}
	}
	return all
}

// The whole pipeline runs, with its rare branches. The policies' file must have every call of the functions, and
// their logs every metric.
func TestRecordedCallsAndMetrics(t *testing.T) {
	t.Parallel()
	r := &recorder{calls: map[string]map[string]map[string]bool{}}
	p := startPlatform(t, func(c *Config) {
		c.Options.KeepSnapshots, c.Options.KeepVersions, c.Options.ItemNeighbours = 1, 2, "knn"
		c.Options.Export, c.Options.KeepExports = "all", 1
	})
	p.S3.SetHooks(r.hooks())
	p.Glue.SetHooks(r.hooks())
	p.Firehose.SetHooks(r.hooks())
	run := 0
	start := func(input string) {
		t.Helper()
		run++
		if _, failed := execute(t, p, fmt.Sprintf("run-%d", run), run, input); failed != nil {
			t.Fatal(failed)
		}
	}
	const embeddings = `{"stages":"embeddings"}`
	start(embeddings) // nothing has been handed over yet
	upload(t, p, sample.Artifacts())
	start(embeddings) // nothing has been published yet
	start(`{}`)
	answered(t, p, string(sample.Sessions())+"not JSON\n")
	if answer := asked(t, p, "/v1/customers/103/recommendations"); answer.ModelVersion == 0 || len(answer.Items) == 0 {
		t.Errorf("the API answers %+v", answer)
	}
	for seed := range uint64(2) { // the third version drops the first
		upload(t, p, vectorsOf(sampleItems(t), 8, seed).files)
		start(embeddings)
	}
	start(`{"rollback":true}`)
	start(`{}`)
	start(`{"train":true}`)
	p.config.Options.Margin, p.config.Options.Factors = 10, 16 // another model, and nothing passes
	if err := p.Register(); err != nil {
		t.Fatal(err)
	}
	start(`{"train":true}`)
	inSource(t, p, orderTables()...)
	deployShop(t, p, writeShop(t, "orders", orderFile))
	start(`{"train":true}`) // by ranges, with rows that are skipped, and versions of another shop
	answered(t, p, order(4)+"\n")
	deployShop(t, p, filesShop(t, p))
	start(`{"train":true}`)
	deployShop(t, p, NoShopFile)
	bad := newHandOver("C", 8, 3).files
	bad[lake.ItemEmbeddingsKey] = &fstest.MapFile{Data: []byte("id,embedding\n")}
	upload(t, p, bad)
	if _, failed := execute(t, p, "bad", run+1, embeddings); failed == nil || failed.Name != "InvalidEmbeddings" {
		t.Fatal(failed)
	}
	checkMetrics(t, p)

	text, err := json.MarshalIndent(r.sorted(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	root, err := provision.Root()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "infra", "testdata", "recorded-calls.json")
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != string(text) {
		t.Errorf("the functions call otherwise than recorded (%v): look at the difference, then\n"+
			"go test ./infra/local/platform -run RecordedCalls -update\n%s", err, text)
	}
}

// answered puts records on the stream and waits until each is answered or rejected.
func answered(t *testing.T, p *Platform, lines string) {
	t.Helper()
	since := time.Now()
	events, err := p.PutRecords(t.Context(), strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Answers(t.Context(), events, since, func(int) {}); err != nil {
		t.Fatal(err)
	}
}

// asked returns the API's answer to a question.
func asked(t *testing.T, p *Platform, path string) (answer struct {
	ModelVersion int64 `json:"model_version"`
	Strategy     string
	Items        []struct{ ID string }
}) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.Endpoints.API+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d", path, response.StatusCode)
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestShape(t *testing.T) {
	for key, want := range map[string]string{
		"runs/nightly-7/plan.json":                                            "runs/*/plan.json",
		"runs/r/raw/ratings/range-0007.parquet":                               "runs/*/raw/ratings/range-*.parquet",
		"snapshots/r/ranges/range-0000.parquet":                               "snapshots/*/ranges/range-*.parquet",
		"ratings_ml_training/snapshot=r/customerNumber=103/part-0000.parquet": "ratings_ml_training/snapshot=*/customerNumber=*/part-0000.parquet",
		"ratings_ml_training/snapshot=r/part=0007/part-0000.parquet":          "ratings_ml_training/snapshot=*/part=*/part-0000.parquet",
		"ratings_ml_training/_latest.json":                                    "ratings_ml_training/_latest.json",
		"trained/r/embeddings/item_embeddings.csv":                            "trained/*/embeddings/item_embeddings.csv",
		"evaluations/r/report.html":                                           "evaluations/*/report.html",
		"exports/export=r/customers/part-0003.parquet":                        "exports/export=*/customers/part-0003.parquet",
		"exports/export=r/_reports/products-0012.json":                        "exports/export=*/_reports/products-*.json",
		"versions/12/model/best_model.pth":                                    "versions/*/model/best_model.pth",
		"rejected/shardId-000000000000/49590338271490256608559692538361.json": "rejected/shardId-*.json",
	} {
		if got := pattern(key); got != want {
			t.Errorf("%s became %s, want %s", key, got, want)
		}
	}
}
