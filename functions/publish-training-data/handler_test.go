package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/glue"
	"recsys/infra/local/aws/s3"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/s3test"
	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// bundle is a publication around real servers. now is when its first run started.
type bundle struct {
	Handler
	server *s3.Server
	api    *awsglue.Client
	now    time.Time
}

func setup(t *testing.T) bundle {
	t.Helper()
	store, server := s3test.ForTest(t, "lake")
	catalog, err := glue.Start(t.Context(), glue.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = catalog.Close() })
	api := awsglue.New(awsglue.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(catalog.URL()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	_, err = api.CreateDatabase(t.Context(), &awsglue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("shop")}})
	if err != nil {
		t.Fatal(err)
	}
	h := Handler{Lake: store, Catalog: Catalog{api, "shop", "ratings_ml_training"}, MaxRejectedFraction: 0.01, KeepSnapshots: 3}
	return bundle{h, server, api, event(t).StartedAt}
}

func event(tb testing.TB) workflow.Run { return testbed.Event[workflow.Run](tb) }

func (b bundle) run(id string, minute int) workflow.Run {
	return workflow.Run{ID: id, StartedAt: b.now.Add(time.Duration(minute) * time.Minute)}
}

// prepare leaves the objects of the steps before, for two ranges with a partition each.
func (b bundle) prepare(t *testing.T, run workflow.Run, rejected map[string]int64) {
	t.Helper()
	b.put(t, lake.ShapeKey(run.ID), shape.Lab)
	b.put(t, lake.PlanKey(run.ID), workflow.Plan{Run: run, Ranges: []workflow.Range{{Index: 0}, {Index: 1}}})
	for i := range 2 {
		customer := int32(103 + 9*i)
		b.putRange(t, run.ID, i, customer)
		b.put(t, lake.PartitionKey(run.ID, customer), "a partition")
		b.put(t, lake.RangeReportKey(run.ID, i), lake.RangeReport{
			Range: i, Rows: 2, Rejected: rejected, Partitions: []lake.Partition{{CustomerNumber: customer, Rows: 2, Bytes: 11}},
		})
	}
}

func (b bundle) put(t *testing.T, key string, value any) {
	t.Helper()
	if _, err := b.Lake.PutJSON(t.Context(), key, value); err != nil {
		t.Fatal(err)
	}
}

func (b bundle) putRange(t *testing.T, run string, index int, customer int32) {
	t.Helper()
	file, err := objectstore.Scratch()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := training.NewWriter[trainingtest.Row](file)
	for _, product := range []string{"S10", "S18"} {
		if err := w.Append(trainingtest.Row{Country: "France", ProductCode: product, ProductRating: 3, CustomerNumber: customer}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Lake.PutFile(t.Context(), lake.RangeKey(run, index), file); err != nil {
		t.Fatal(err)
	}
}

// publish prepares and publishes a run, and wants this status.
func (b bundle) publish(t *testing.T, run workflow.Run, status string) {
	t.Helper()
	b.prepare(t, run, nil)
	out, err := b.Handle(t.Context(), run)
	if err != nil || out.Status != status {
		t.Fatalf("run %s: %+v, %v; want %s", run.ID, out, err, status)
	}
}

// visible checks that the pointer and the table show this run, whole.
func (b bundle) visible(t *testing.T, run string) {
	t.Helper()
	latest, _, err := b.latest(t.Context())
	if err != nil || latest.Snapshot != run {
		t.Errorf("the pointer names %q, %v; want %s", latest.Snapshot, err, run)
	}
	if got := b.table(t).Parameters["snapshot"]; got != run {
		t.Errorf("the table shows %q, want %s", got, run)
	}
	if _, err := b.Lake.Head(t.Context(), lake.ManifestKey(run)); err != nil {
		t.Errorf("the visible snapshot is not whole: %v", err)
	}
}

func (b bundle) table(t *testing.T) *types.Table {
	t.Helper()
	out, err := b.api.GetTable(t.Context(), &awsglue.GetTableInput{DatabaseName: aws.String("shop"), Name: aws.String("ratings_ml_training")})
	if err != nil {
		t.Fatal(err)
	}
	return out.Table
}

// runs lists the runs that have objects under both parents, sorted.
func (b bundle) runs(t *testing.T) (runs []string) {
	t.Helper()
	all, err := b.remains(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		runs = append(runs, r.run)
	}
	slices.Sort(runs)
	return runs
}

func TestPublish(t *testing.T) {
	b := setup(t)
	run := event(t)
	b.prepare(t, run, map[string]int64{})
	out, err := b.Handle(t.Context(), run)
	want := workflow.Published{Status: "published", Snapshot: run.ID, Partitions: 2, Rows: 4}
	if err != nil || out != want {
		t.Fatalf("got %+v, %v", out, err)
	}
	b.visible(t, run.ID)
	table := b.table(t)
	location := "s3://lake/ratings_ml_training/snapshot=" + run.ID + "/"
	for key, want := range map[string]string{
		"projection.enabled": "true", "projection.customernumber.type": "integer", "projection.customernumber.range": "103,112",
		"storage.location.template": location + "customerNumber=${customernumber}/",
	} {
		if got := table.Parameters[key]; got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	if got := aws.ToString(table.StorageDescriptor.Location); got != location || len(table.StorageDescriptor.Columns) != 12 {
		t.Errorf("location %s, %d columns", got, len(table.StorageDescriptor.Columns))
	}
	var popularity lake.Popularity
	if _, err := b.Lake.GetJSON(t.Context(), lake.PopularityKey(run.ID), 1<<20, &popularity); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(popularity.Items, []lake.ItemCount{{Item: "S10", Group: "France", Count: 2}, {Item: "S18", Group: "France", Count: 2}}) {
		t.Errorf("popularity %+v", popularity)
	}
	if again, err := b.Handle(t.Context(), run); err != nil || again != want {
		t.Errorf("again: %+v, %v", again, err)
	}
}

func TestTheNewerRunStaysVisible(t *testing.T) {
	b := setup(t)
	b.publish(t, b.run("b", 2), "published")
	b.publish(t, b.run("a", 1), "superseded")
	b.visible(t, "b")
	b.publish(t, b.run("c", 2), "published") // of one moment, the later name
	b.visible(t, "c")
}

// An older run that is about to move the pointer loses against a newer one that comes between.
func TestANewerRunComesBetween(t *testing.T) {
	for _, object := range []string{lake.LatestKey, "table"} {
		t.Run(object, func(t *testing.T) {
			b := setup(t)
			b.publish(t, b.run("first", 0), "published")
			older, newest := b.run("older", 1), b.run("newest", 2)
			b.prepare(t, older, nil)
			b.prepare(t, newest, nil)
			between := func() {
				if _, err := b.Handle(context.WithoutCancel(t.Context()), newest); err != nil {
					t.Error(err)
				}
			}
			slow := b.Handler
			if object == "table" {
				slow.Catalog.Glue = &intruder{GlueAPI: b.api, between: between}
			} else {
				b.server.SetHooks(awscall.Hooks{Before: func(call awscall.Call) error {
					if call.Key == lake.LatestKey && call.Operation == "PutObject" {
						b.server.SetHooks(awscall.Hooks{})
						between()
					}
					return nil
				}})
			}
			out, err := slow.Handle(t.Context(), older)
			if err != nil || out.Status != "superseded" {
				t.Errorf("got %+v, %v", out, err)
			}
			b.visible(t, "newest")
		})
	}
}

// intruder lets something happen before the first update of the table.
type intruder struct {
	GlueAPI
	between func()
}

func (i *intruder) UpdateTable(ctx context.Context, in *awsglue.UpdateTableInput, options ...func(*awsglue.Options)) (*awsglue.UpdateTableOutput, error) {
	if between := i.between; between != nil {
		i.between = nil
		between()
	}
	return i.GlueAPI.UpdateTable(ctx, in, options...)
}

// The function dies before and after every write in turn. The retried run ends like an undisturbed one.
func TestDeathAtEveryWrite(t *testing.T) {
	want := ""
	for point := 0; ; point++ {
		b := setup(t)
		b.KeepSnapshots = 1
		b.publish(t, b.run("old", 0), "published")
		run := b.run("new", 1)
		b.prepare(t, run, nil)
		ctx, die := context.WithCancel(t.Context())
		calls, died, tidying := 0, false, false
		at := func(call awscall.Call) error {
			calls++
			if calls <= point || died {
				return nil
			}
			died, tidying = true, call.Operation == "DeleteObjects"
			die()
			return errors.New("dead")
		}
		if point > 0 { // the first round is undisturbed
			b.server.SetHooks(awscall.Hooks{Before: at, After: at})
		}
		_, err := b.Handle(ctx, run)
		b.server.SetHooks(awscall.Hooks{})
		if !died && err != nil || died && err == nil && !tidying {
			t.Errorf("point %d: died %v, error %v", point, died, err)
		}
		if out, err := b.Handle(t.Context(), run); err != nil || out.Status != "published" {
			t.Fatalf("point %d: %+v, %v", point, out, err)
		}
		b.visible(t, "new")
		got := b.tree(t)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("point %d ends with\n%s, want\n%s", point, got, want)
		}
		die()
		if point > 0 && !died {
			t.Logf("%d points", point)
			return
		}
	}
}

func (b bundle) tree(t *testing.T) string {
	t.Helper()
	var lines strings.Builder
	err := b.Lake.List(t.Context(), "", func(o objectstore.Object) error {
		fmt.Fprintln(&lines, o.Key, o.ETag)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines.String()
}

func TestOldSnapshotsAndRemainsAreRemoved(t *testing.T) {
	const day = 24 * 60
	b := setup(t)
	b.KeepSnapshots = 2
	b.publish(t, b.run("a", 0), "published")
	b.prepare(t, b.run("failed", 1), nil) // left objects and never published
	b.prepare(t, b.run("expired", 1), nil)
	b.prepare(t, b.run("torn", 1), nil)
	if _, err := b.Lake.DeletePrefix(t.Context(), lake.PlanKey("expired")); err != nil {
		t.Fatal(err)
	}
	b.put(t, lake.PlanKey("torn"), "no plan")
	b.publish(t, b.run("b", 2), "published")
	b.prepare(t, b.run("slow", 3), nil)        // less than a day before the next publication
	b.prepare(t, b.run("working", 2*day), nil) // newer
	b.publish(t, b.run("c", day+2), "published")
	if got := b.runs(t); !slices.Equal(got, []string{"b", "c", "slow", "working"}) {
		t.Errorf("left: %v", got)
	}
	b.visible(t, "c")
	b.publish(t, b.run("slow", 3), "superseded")
}

// An older run that is still at work when a newer one publishes ends as superseded, and takes no file any more.
func TestAnOlderRunAtWorkIsSuperseded(t *testing.T) {
	b := setup(t)
	b.KeepSnapshots = 1
	b.publish(t, b.run("first", 0), "published")
	older := b.run("older", 1)
	b.prepare(t, older, nil)
	b.publish(t, b.run("newer", 2), "published")
	if _, err := b.Lake.Head(t.Context(), lake.RangeKey("older", 1)); err != nil {
		t.Errorf("a run at work lost a file: %v", err)
	}
	for _, prefix := range []string{lake.RangesPrefix("older"), lake.SnapshotPrefix("older")} {
		if _, err := b.Lake.DeletePrefix(t.Context(), prefix); err != nil {
			t.Fatal(err)
		}
	}
	out, err := b.Handle(t.Context(), older)
	reason := out.Reason
	out.Reason = ""
	if want := (workflow.Published{Status: "superseded", Snapshot: "older"}); err != nil || out != want || !strings.Contains(reason, "run newer is visible") {
		t.Errorf("got %+v, %q, %v", out, reason, err)
	}
	b.visible(t, "newer")
}

// A clean-up that fails waits, because the run has published.
func TestFailingToTidyIsNoFailure(t *testing.T) {
	b := setup(t)
	b.KeepSnapshots = 1
	b.publish(t, b.run("a", 0), "published")
	b.server.SetHooks(awscall.Hooks{Before: func(call awscall.Call) error {
		if call.Operation == "DeleteObjects" {
			return errors.New("no")
		}
		return nil
	}})
	b.publish(t, b.run("b", 1), "published")
	b.visible(t, "b")
	b.server.SetHooks(awscall.Hooks{})
	b.publish(t, b.run("c", 2), "published")
	if got := b.runs(t); !slices.Equal(got, []string{"c"}) {
		t.Errorf("left: %v", got)
	}
}

func TestTooManyRejected(t *testing.T) {
	b := setup(t)
	b.publish(t, b.run("good", 0), "published")
	run := b.run("bad", 1)
	b.prepare(t, run, map[string]int64{"no-rating": 1, "unknown-product": 3})
	_, err := b.Handle(t.Context(), run)
	if !errors.Is(err, failure.TooManyRejectedRows) || !strings.Contains(err.Error(), "no-rating 2, unknown-product 6") {
		t.Errorf("got %v", err)
	}
	b.visible(t, "good")
	b.MaxRejectedFraction = 8. / 12
	if _, err := b.Handle(t.Context(), run); err != nil {
		t.Errorf("exactly the fraction: %v", err)
	}
}

func TestARunsNameIsUsedOnce(t *testing.T) {
	b := setup(t)
	b.publish(t, b.run("nightly", 0), "published")
	again := b.run("nightly", 1)
	b.prepare(t, again, nil)
	if _, err := b.Handle(t.Context(), again); !errors.Is(err, failure.InvalidInput) {
		t.Errorf("got %v", err)
	}
}
