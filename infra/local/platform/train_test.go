package platform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/sample"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/evaluation/report"
	"recsys/shared/shop/sampleshop"
)

// The real shop without anybody who hands over a model: it trains, measures and answers. Then its ratings are
// shuffled, so that they mean nothing any more. The model of that is refused, and the one before keeps answering.
func TestClassicModelsTrained(t *testing.T) {
	t.Parallel()
	dump := reference(t, "classicmodels/mysqlsampledatabase.sql")
	p := startPlatform(t, func(c *Config) {
		c.SourceSQL = []string{dump, reference(t, "classicmodels/ratings.sql")}
	})
	structured := mustExecute(t, p, "structured", 0, `{}`)
	if got := structured.Training; got.Status != "trained" || got.Customers != 98 || got.Items != 110 || got.Ratings != 2532 {
		t.Errorf("training: %+v", got)
	}
	got := structured.Embeddings.Evaluation
	if !got.Promote || got.NDCG10 < 0.6 || got.NDCG10 < 4*got.Popularity10 || structured.Embeddings.Index.Status != "activated" {
		t.Errorf("evaluation: %+v", got)
	}
	sessions, err := os.ReadFile(reference(t, "streaming/sessions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	checkStream(t, p, sessions, 100)

	shuffle(t, p)
	out := mustExecute(t, p, "shuffled", 1, `{}`)
	got = out.Embeddings.Evaluation
	if out.TrainingData.Status != "published" || got.Status != "not-promoted" || got.Promote || out.Embeddings.Index.Status != "" {
		t.Errorf("shuffled: %+v", out)
	}
	if found := readReport(t, p, "shuffled"); found.Decision.Promote || found.Active == nil || found.Active.Version != 1 {
		t.Errorf("report: %+v", found.Decision)
	}
	checkStream(t, p, sessions, 100) // by version 1
	t.Logf("structured: %+v\nshuffled: %+v", structured.Embeddings.Evaluation, got)
}

func mustExecute(t *testing.T, p *Platform, run string, n int, input string) outcome {
	t.Helper()
	out, failed := execute(t, p, run, n, input)
	if failed != nil {
		t.Fatal(failed)
	}
	return out
}

func readReport(t *testing.T, p *Platform, run string) (found report.Report) {
	t.Helper()
	content, err := os.ReadFile(p.path("s3", LakeBucket, lake.EvaluationReportKey(run)))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// pair is a rating without its value.
type pair struct {
	customer, product string
}

// shuffle exchanges the products of two ratings at a time, where neither customer has rated the other's product: every
// customer and every product keeps the number of its ratings.
func shuffle(t *testing.T, p *Platform) {
	t.Helper()
	pairs := ratedPairs(t, p)
	has := map[pair]bool{}
	for _, one := range pairs {
		has[one] = true
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 20 * len(pairs) {
		a, b := &pairs[random.IntN(len(pairs))], &pairs[random.IntN(len(pairs))]
		x, y := pair{a.customer, b.product}, pair{b.customer, a.product}
		if has[x] || has[y] {
			continue
		}
		delete(has, *a)
		delete(has, *b)
		*a, *b = x, y
		has[x], has[y] = true, true
	}
	values := make([]string, len(pairs))
	for i, one := range pairs {
		values[i] = fmt.Sprintf("(%s, '%s', %d)", one.customer, one.product, 1+random.IntN(5))
	}
	inSource(t, p, "delete from ratings", "insert into ratings (customerNumber, productCode, productRating) values "+strings.Join(values, ", "))
}

// ratedPairs are those of the newest snapshot, in their order.
func ratedPairs(t *testing.T, p *Platform) (pairs []pair) {
	t.Helper()
	for _, row := range readSnapshot(t, p, "structured").Rows {
		pairs = append(pairs, pair{row["customerNumber"].(string), row["productCode"].(string)})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return strings.Compare(a.customer+" "+a.product, b.customer+" "+b.product)
	})
	return pairs
}

// The sample shop without its tastes has purchases of noise and popularity only, and no model of that is promoted.
func TestAShopWithoutTasteIsRefused(t *testing.T) {
	t.Parallel()
	options := sample.Options()
	options.TasteStrength, options.OmitOrders = 0, true
	p := startPlatform(t, func(c *Config) { c.SourceSQL = []string{sampleShop(t, options)} })
	out := mustExecute(t, p, "noise", 0, `{}`)
	if got := out.Embeddings.Evaluation; got.Status != "not-promoted" || out.Training.Status != "trained" || out.Embeddings.Index.Status != "" {
		t.Errorf("got %+v", out)
	}
	var versions, active int
	inVectorStore(t, p, `select count(*), count(*) filter (where status = 'active') from recsys.embedding_version`, &versions, &active)
	if versions != 1 || active != 0 {
		t.Errorf("%d versions, %d active", versions, active)
	}
	for strategy, n := range strategiesOf(t, p, sample.Sessions()) { // nobody goes without
		if strategy != "popular" && strategy != "popular-in-country" {
			t.Errorf("%d answers by %s", n, strategy)
		}
	}
	if page, err := os.ReadFile(p.path("s3", LakeBucket, lake.EvaluationPageKey("noise"))); err != nil || !bytes.Contains(page, []byte("ot promoted")) {
		t.Errorf("the page does not say so: %v", err)
	}
}

// SIGKILL in the middle of iterations: right after a checkpoint is stored the next iteration is being computed.
func TestTrainingKilledInTheMiddleOfIterations(t *testing.T) {
	t.Parallel()
	options := sample.Options()
	options.Customers, options.Products, options.Ratings, options.OmitOrders = 600, 200, 20_000, true
	trainingKilled(t, options, 2, func(o *settings.Options) { o.Factors, o.Iterations, o.Search.Search = 128, 4, "off" })
}

// SIGKILL in the middle of the search: right after trials are noted the next one is being fitted.
func TestTrainingKilledInTheMiddleOfTheSearch(t *testing.T) {
	t.Parallel()
	options := sample.Options()
	options.OmitOrders = true
	trainingKilled(t, options, 3, func(o *settings.Options) { o.Factors, o.Iterations = 16, 3 })
}

// trainingKilled kills a training behind the first checkpoint of each kind, of which there are so many, and compares its
// artifacts with those of an undisturbed one.
func trainingKilled(t *testing.T, options sampleshop.Options, kinds int, change func(*settings.Options)) {
	t.Helper()
	p := startPlatform(t, func(c *Config) {
		c.SourceSQL = []string{sampleShop(t, options)}
		change(&c.Options)
	})
	undisturbed := mustExecute(t, p, "undisturbed", 0, `{"train":true}`)
	var mu sync.Mutex
	kills := map[string]bool{}
	p.S3.SetHooks(awscall.Hooks{Answered: func(call awscall.Call, _ int) {
		fit, isCheckpoint := strings.CutPrefix(call.Key, lake.CheckpointsPrefix("killed"))
		mu.Lock()
		defer mu.Unlock()
		if call.Operation == "PutObject" && isCheckpoint && !strings.HasSuffix(fit, ".json") && !kills[fit] {
			kills[fit] = true
			go p.Lambda.Kill(call.Caller.SessionToken)
		}
	}})
	killed := mustExecute(t, p, "killed", 1, `{"stages":"embeddings","train":true}`)
	if len(kills) != kinds {
		t.Errorf("killed in %v, want %d places", kills, kinds)
	}
	if undisturbed.Training.Loss != killed.Training.Loss || killed.Embeddings.Upload.Status != "unchanged" {
		t.Errorf("killed: %+v\nundisturbed: %+v", killed, undisturbed)
	}
	for _, key := range lake.TrainedArtifacts {
		read := func(run string) []byte {
			content, err := os.ReadFile(p.path("s3", ArtifactsBucket, lake.TrainedPrefix(run)+key))
			if err != nil {
				t.Fatal(err)
			}
			return content
		}
		if !bytes.Equal(read("killed"), read("undisturbed")) {
			t.Errorf("%s differs", key)
		}
	}
}

// strategiesOf counts the strategies of the sessions' answers, and wants full lists of no version.
func strategiesOf(t *testing.T, p *Platform, sessions []byte) map[string]int {
	t.Helper()
	since := time.Now()
	events, err := p.PutRecords(t.Context(), bytes.NewReader(sessions))
	if err != nil {
		t.Fatal(err)
	}
	answers, _, err := p.Answers(t.Context(), events, since, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, answer := range answers {
		if len(answer.Recommended) != 5 || answer.Recommendation.ModelVersion != 0 {
			t.Errorf("answer %+v", answer)
		}
	}
	return ByStrategy(answers)
}

// sampleShop is a dump of a shop.
func sampleShop(t *testing.T, options sampleshop.Options) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "shop.sql")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := sampleshop.WriteSQL(file, options); err != nil {
		t.Fatal(err)
	}
	return path
}
