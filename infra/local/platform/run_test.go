package platform

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/sample"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/shop/sampleshop"
)

// The sample shop goes from MySQL to answers, twice. The second run makes the necessary changes and no others. All
// options are the stack's.
func TestSampleShopEndToEnd(t *testing.T) {
	p := startPlatform(t, func(c *Config) { c.Options = settings.Options{} })
	if err := p.UploadArtifacts(t.Context(), sample.Artifacts()); err != nil {
		t.Fatal(err)
	}
	out, failed := execute(t, p, "first", 0, `{}`)
	if failed != nil {
		t.Fatal(failed)
	}
	if got := out.TrainingData; got.Status != "published" || got.Rows != int64(sample.Options().Ratings) || got.Rejected != 0 {
		t.Errorf("training data: %+v", got)
	}
	if got := out.Embeddings; got.Upload.Status != "uploaded" || got.Index.Status != "activated" || got.Index.Recall < 0.95 {
		t.Errorf("embeddings: %+v", got)
	}
	checkStream(t, p, sample.Sessions(), 100)
	checkExample(t, p)

	out, failed = execute(t, p, "second", 1, `{"Comment":"as the console offers"}`)
	if failed != nil {
		t.Fatal(failed)
	}
	if out.TrainingData.Status != "published" || out.Embeddings.Upload.Status != "unchanged" {
		t.Errorf("again: %+v", out)
	}
	if got := readSnapshot(t, p, "second"); len(got.Rows) != sample.Options().Ratings {
		t.Errorf("the second snapshot holds %d rows", len(got.Rows))
	}
	for _, name := range []string{"s3", "firehose", "glue", "kinesis", "lambda/logs"} {
		if open := openToOthers(t, p.path(filepath.FromSlash(name))); open != nil {
			t.Errorf("other users can open %v", open)
		}
	}
}

// checkExample wants a full answer to the record that a deployment prints.
func checkExample(t *testing.T, p *Platform) {
	t.Helper()
	record, err := sampleshop.Example(sampleshop.Default())
	if err != nil {
		t.Fatal(err)
	}
	since := time.Now()
	events := put(t, p, record)
	if _, _, err := p.Answers(t.Context(), events, since, func(int) {}); err != nil {
		t.Fatal(err)
	}
	answer := delivered(t, p, events)[0]
	if strategy := answer.Recommendation.Strategy; strategy != "model" && strategy != "stored-vector" {
		t.Errorf("answered by %s", strategy)
	}
	var similar struct {
		Of struct {
			Product string `json:"product_code"`
			Items   []any  `json:"similar_items"`
		} `json:"similar_items"`
	}
	if err := json.Unmarshal([]byte(answer.text), &similar); err != nil {
		t.Fatal(err)
	}
	if len(answer.Recommended) != 5 || similar.Of.Product == "" || len(similar.Of.Items) != 5 {
		t.Errorf("not a full answer: %s", answer.text)
	}
}

// The real shop with the real artifacts and sessions is answered as expected.
func TestClassicModelsEndToEnd(t *testing.T) {
	t.Parallel()
	dump := reference(t, "classicmodels/mysqlsampledatabase.sql")
	p := startPlatform(t, func(c *Config) {
		c.SourceSQL = []string{dump, reference(t, "classicmodels/ratings.sql")}
	})
	if err := p.UploadArtifacts(t.Context(), os.DirFS(reference(t, "ml-artifacts"))); err != nil {
		t.Fatal(err)
	}
	out, failed := execute(t, p, "first", 0, `{}`)
	if failed != nil {
		t.Fatal(failed)
	}
	if got := out.TrainingData; got.Partitions != 98 || got.Rows != 2532 {
		t.Errorf("training data: %+v", got)
	}
	if got := out.Embeddings.Upload; got.Items != 109 || got.Users != 98 {
		t.Errorf("embeddings: %+v", got)
	}
	snapshot := readSnapshot(t, p, "first")
	want := expectedRows(t)
	if got := snapshot.lines(); !slices.Equal(got, want) {
		t.Errorf("the snapshot differs from the reference: %d rows, want %d", len(got), len(want))
	}
	sessions, err := os.ReadFile(reference(t, "streaming/sessions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	checkStream(t, p, sessions, 100)
}

// checkStream puts the sessions on Kinesis and wants a full list for each.
func checkStream(t *testing.T, p *Platform, sessions []byte, want int) {
	t.Helper()
	since := time.Now()
	events, err := p.PutRecords(t.Context(), strings.NewReader(string(sessions)))
	if err != nil {
		t.Fatal(err)
	}
	answers, _, err := p.Answers(t.Context(), events, since, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) != want {
		t.Errorf("%d answers for %d sessions", len(answers), want)
	}
	for i, answer := range answers {
		if len(answer.Recommended) != 5 || answer.Recommendation.ModelVersion != 1 || answer.Rejected != "" {
			t.Errorf("session %d: %+v", i, answer)
		}
	}
}

// snapshot is DuckDB's view of one: Parquet types and rows.
type snapshot struct {
	Columns map[string]string
	Rows    []map[string]any
}

// contract are the types of a training row under DuckDB's names. snapshot and customerNumber come from the folders'
// names.
var contract = map[string]string{
	"snapshot":       "VARCHAR",
	"customerNumber": "BIGINT", "city": "VARCHAR", "state": "VARCHAR", "postalCode": "VARCHAR", "country": "VARCHAR",
	"creditLimit": "DECIMAL(10,2)", "productCode": "VARCHAR", "productLine": "VARCHAR", "productScale": "VARCHAR",
	"quantityInStock": "INTEGER", "buyPrice": "DECIMAL(10,2)", "MSRP": "DECIMAL(10,2)", "productRating": "INTEGER",
}

// readSnapshot reads a snapshot's folder with DuckDB, as an analyst would, and checks the columns' types.
func readSnapshot(t *testing.T, p *Platform, run string) snapshot {
	t.Helper()
	read := readDataSet(t, p, run, "customerNumber, productCode")
	if len(read.Columns) != len(contract) {
		t.Errorf("%d columns, want %d: %v", len(read.Columns), len(contract), read.Columns)
	}
	for column, kind := range contract {
		if read.Columns[column] != kind {
			t.Errorf("column %s is %q, want %s", column, read.Columns[column], kind)
		}
	}
	return read
}

// readDataSet reads a snapshot's folder with DuckDB in the order of some columns.
func readDataSet(t *testing.T, p *Platform, run, order string) snapshot {
	t.Helper()
	script, err := os.ReadFile(filepath.Join("testdata", "read_snapshot.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	// From the repository's root, where node finds node_modules.
	command := exec.CommandContext(t.Context(), "node", "--input-type=module", "-", p.S3.Path(LakeBucket, lake.SnapshotPrefix(run)), order)
	command.Dir, command.Stdin = p.config.Cache.Root(), strings.NewReader(string(script))
	output, err := command.Output()
	if err != nil {
		t.Fatalf("DuckDB: %v\n%s", err, stderrOf(err))
	}
	var read snapshot
	if err := json.Unmarshal(output, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func stderrOf(err error) string {
	if exited, ok := err.(*exec.ExitError); ok {
		return string(exited.Stderr)
	}
	return ""
}

// columns in the order of the reference, which spells them in lower case.
var columns = []string{"city", "state", "postalCode", "country", "creditLimit", "productCode", "productLine",
	"productScale", "quantityInStock", "buyPrice", "MSRP", "productRating", "customerNumber"}

// lines are the rows as text, sorted.
func (s snapshot) lines() []string {
	lines := make([]string, 0, len(s.Rows))
	for _, row := range s.Rows {
		fields := make([]string, 0, len(columns))
		for _, column := range columns {
			switch value := row[column].(type) {
			case nil:
				fields = append(fields, "")
			case float64:
				fields = append(fields, strconv.FormatFloat(value, 'f', -1, 64))
			case string:
				fields = append(fields, value)
			}
		}
		lines = append(lines, strings.Join(fields, "|"))
	}
	sort.Strings(lines)
	return lines
}

// expectedRows are those of the original ETL job, trimmed.
func expectedRows(t *testing.T) []string {
	t.Helper()
	file, err := os.Open(reference(t, "classicmodels/expected_ratings_ml_training.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, 0, len(records))
	for _, record := range records[1:] {
		for i := range record {
			record[i] = strings.TrimSpace(record[i])
		}
		lines = append(lines, strings.Join(record, "|"))
	}
	sort.Strings(lines)
	return lines
}
