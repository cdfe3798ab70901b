package platform

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/stepfunctions"
	"recsys/shared/contract/lake"
	"recsys/shared/store/objectstore"
)

const trainingData = `{"stages":"training-data"}`

// visible is the part of the lake that readers follow, byte for byte: the pointer and the Glue table.
func visible(tb testing.TB, p *Platform) string {
	tb.Helper()
	pointer, err := os.ReadFile(p.S3.Path(LakeBucket, lake.LatestKey))
	if err != nil {
		tb.Fatal(err)
	}
	table, err := json.Marshal(glueTable(tb, p).Table)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pointer) + string(table)
}

func glueTable(tb testing.TB, p *Platform) *awsglue.GetTableOutput {
	tb.Helper()
	config, err := clientConfig(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	client := awsglue.NewFromConfig(config, func(o *awsglue.Options) { o.BaseEndpoint = &p.Endpoints.Glue })
	table, err := client.GetTable(tb.Context(), &awsglue.GetTableInput{
		DatabaseName: aws.String(GlueDatabase), Name: aws.String("ratings_ml_training"),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return table
}

// wantFailure wants an execution that failed with this name and these words, and with the function's own payload as
// the cause.
func wantFailure(tb testing.TB, failed *stepfunctions.ExecutionError, name string, words ...string) {
	tb.Helper()
	if failed == nil {
		tb.Fatalf("the execution succeeded, want %s", name)
	}
	if failed.Name != name {
		tb.Errorf("failed with %v, want %s", failed, name)
	}
	for _, word := range words {
		if !strings.Contains(failed.Message(), word) {
			tb.Errorf("the message lacks %q:\n%s", word, failed.Message())
		}
	}
	var cause struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal([]byte(failed.Cause), &cause); err != nil || cause.ErrorType != name || cause.ErrorMessage == "" {
		tb.Errorf("the cause is not the function's error: %v, %q", err, failed.Cause)
	}
}

// wantNothingOf wants no snapshot of the run: a snapshot has a manifest.
func wantNothingOf(tb testing.TB, p *Platform, run string) {
	tb.Helper()
	err := p.Store(LakeBucket).List(tb.Context(), lake.ManifestKey(run), func(object objectstore.Object) error {
		return fmt.Errorf("%s exists", object.Key)
	})
	if err != nil {
		tb.Error(err)
	}
}

// The source changes during the workflow: each time nothing is published, and the old snapshot stays readable.
func TestBadSource(t *testing.T) {
	t.Parallel()
	p := startPlatform(t, func(c *Config) {
		c.SourceSQL = []string{looseShop(t)}
		c.Options.RowsPerRange = 250
	})
	out, failed := execute(t, p, "good", 0, trainingData)
	if failed != nil {
		t.Fatal(failed)
	}
	if got := out.TrainingData; got.Rows != looseRatings || got.Rejected != 0 || got.Partitions != looseCustomers {
		t.Fatalf("the good run: %+v", got)
	}
	good := visible(t, p)
	t.Run("schema", func(t *testing.T) { badSchemas(t, p, good) })
	t.Run("schema changed after the plan", func(t *testing.T) { schemaChangedAfterThePlan(t, p, good) })
	t.Run("ratings", func(t *testing.T) { badRatings(t, p) })
	t.Run("emptied", func(t *testing.T) { emptied(t, p) })
	t.Run("half stars", func(t *testing.T) { halfStars(t, p) })
}

func badSchemas(t *testing.T, p *Platform, good string) {
	for i, c := range []struct{ name, change, undo, want string }{
		{"missing table", "rename table ratings to gone", "rename table gone to ratings", "table ratings is missing"},
		{"missing column", "alter table customers change country land varchar(50)",
			"alter table customers change land country varchar(50)", "column customers.country is missing"},
		{"column of another type", "alter table ratings modify productRating varchar(10)",
			"alter table ratings modify productRating int", "column ratings.productRating is varchar(10)"},
		{"price in words", "alter table products modify buyPrice varchar(20)",
			"alter table products modify buyPrice decimal(14,2)", "column products.buyPrice is varchar(20)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inSource(t, p, c.change)
			run := fmt.Sprintf("schema-%d", i)
			_, failed := execute(t, p, run, 1+i, trainingData)
			inSource(t, p, c.undo)
			wantFailure(t, failed, "SchemaMismatch", c.want)
			wantNothingOf(t, p, run)
			if got := visible(t, p); got != good {
				t.Errorf("readers see something else:\n%s\nbefore:\n%s", got, good)
			}
		})
	}
}

// The column goes when the plan is written: the branches of the Map find out.
func schemaChangedAfterThePlan(t *testing.T, p *Platform, good string) {
	p.S3.SetHooks(awscall.Hooks{After: func(call awscall.Call) error {
		if call.Key == lake.PlanKey("moved") {
			return changeSource(t.Context(), p, "alter table products change MSRP price decimal(14,2)")
		}
		return nil
	}})
	_, failed := execute(t, p, "moved", 10, trainingData)
	p.S3.SetHooks(awscall.Hooks{})
	inSource(t, p, "alter table products change price MSRP decimal(14,2)")
	wantFailure(t, failed, "SchemaMismatch", "column products.MSRP is missing")
	wantNothingOf(t, p, "moved")
	if got := visible(t, p); got != good {
		t.Errorf("readers see something else:\n%s\nbefore:\n%s", got, good)
	}
}

func badRatings(t *testing.T, p *Platform) {
	inSource(t, p,
		"insert into products values ('DEAR', 'Ships', '1:72', 10, 123456789.00, 1.00)",
		`insert into ratings values (101, 'P01', 0), (111, 'P02', 6), (121, 'P03', null), (131, 'NONE', 3), (999, 'P01', 3),
			(102, 'DEAR', 4), (null, 'P01', 3), (140, 'P25', 1)`)
	want := map[string]int64{"rating-out-of-range": 2, "no-rating": 1, "unknown-product": 1, "unknown-customer": 1,
		"price-out-of-range": 1, "no-customer-number": 1, "duplicate-rating": 1}
	out, failed := execute(t, p, "few", 20, trainingData)
	if failed != nil {
		t.Fatal(failed)
	}
	if got := out.TrainingData; got.Status != "published" || got.Rows != looseRatings || got.Rejected != 8 {
		t.Errorf("below one in a hundred: %+v", got)
	}
	if got := manifestOf(t, p, "few"); !maps.Equal(got.Rejected, want) {
		t.Errorf("the manifest counts %v, want %v", got.Rejected, want)
	}
	if got := quarantined(t, p, "few"); !maps.Equal(got, want) {
		t.Errorf("in quarantine are %v, want %v", got, want)
	}
	before := visible(t, p)

	inSource(t, p, "insert into ratings select customerNumber, 'P04', 9 from customers where customerNumber < 104")
	_, failed = execute(t, p, "many", 21, trainingData)
	wantFailure(t, failed, "TooManyRejectedRows", "11 of 1011 rows were rejected", "rating-out-of-range 5",
		"duplicate-rating 1, no-customer-number 1, no-rating 1, price-out-of-range 1", "runs/many/quarantine/")
	if got := quarantined(t, p, "many"); got["rating-out-of-range"] != 5 {
		t.Errorf("in quarantine are %v", got)
	}
	wantNothingOf(t, p, "many")
	if got := visible(t, p); got != before {
		t.Errorf("readers see something else:\n%s\nbefore:\n%s", got, before)
	}
	if got := readSnapshot(t, p, "few"); len(got.Rows) != looseRatings {
		t.Errorf("the snapshot before holds %d rows now", len(got.Rows))
	}

	inSource(t, p, "delete from ratings where productRating = 9")
	if out, failed = execute(t, p, "mended", 22, trainingData); failed != nil || out.TrainingData.Rejected != 8 {
		t.Errorf("mended: %+v, %v", out, failed)
	}
}

func manifestOf(tb testing.TB, p *Platform, run string) (manifest lake.Manifest) {
	tb.Helper()
	if _, err := p.Store(LakeBucket).GetJSON(tb.Context(), lake.ManifestKey(run), 1<<20, &manifest); err != nil {
		tb.Fatal(err)
	}
	return manifest
}

// quarantined counts a run's rejected rows by reason.
func quarantined(tb testing.TB, p *Platform, run string) map[string]int64 {
	tb.Helper()
	counts, store := map[string]int64{}, p.Store(LakeBucket)
	err := store.List(tb.Context(), lake.QuarantinePrefix(run), func(object objectstore.Object) error {
		content, _, err := store.Get(tb.Context(), object.Key, 1<<20)
		if err != nil {
			return err
		}
		for lines := bufio.NewScanner(bytes.NewReader(content)); lines.Scan(); {
			var row struct{ Reason string }
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
				return fmt.Errorf("%s: %w", object.Key, err)
			}
			counts[row.Reason]++
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return counts
}
