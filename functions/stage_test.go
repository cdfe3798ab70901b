// Package functions tests the training-data stage as a whole. It runs the five functions as processes, as on AWS, on
// real servers, in the order of the state machine.
package functions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"recsys/infra/local/aws/glue"
	"recsys/infra/local/aws/lambda"
	"recsys/infra/local/aws/s3"
	"recsys/infra/local/db/provision"
	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
	"recsys/shared/store/objectstore"
)

const (
	bucket       = "lake"
	glueDatabase = "shop"
)

// stageOf are the functions of the stage.
var stageOf = []string{"plan-extract", "extract", "transform", "partition-write", "publish-training-data"}

// stage is the training-data stage around a source.
type stage struct {
	*lambda.Emulator
	lake   *objectstore.Store
	server *s3.Server
	glue   *awsglue.Client
}

// setup builds the functions and starts their servers. The settings that tests vary are arguments. Without a shop file the
// source is the lab's.
func setup(tb testing.TB, dsn string, rowsPerRange int64, shopFile ...string) stage {
	tb.Helper()
	store, server := s3test.ForTest(tb, bucket)
	catalog, err := glue.Start(tb.Context(), glue.Config{Dir: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = catalog.Close() })
	emulator, err := lambda.Start(tb.Context(), lambda.Config{Dir: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = emulator.Close() })
	s := stage{emulator, store, server, awsglue.New(awsglue.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(catalog.URL()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})}
	_, err = s.glue.CreateDatabase(tb.Context(), &awsglue.CreateDatabaseInput{
		DatabaseInput: &types.DatabaseInput{Name: aws.String(glueDatabase)}})
	if err != nil {
		tb.Fatal(err)
	}
	binaries := build(tb)
	options := settings.Default[settings.Options]()
	options.RowsPerRange = rowsPerRange
	file := settings.ShopFile{Path: strings.Join(shopFile, "")}
	given := workflow.Resources{ShopFile: file, Lake: settings.Lake{Bucket: bucket}, Source: settings.Source{DSN: dsn}, GlueDatabase: glueDatabase}
	for _, step := range workflow.Steps(given, options) {
		if !slices.Contains(stageOf, step.Name) {
			continue
		}
		env := settings.Environ(step.Settings)
		env["AWS_ENDPOINT_URL_S3"], env["AWS_ENDPOINT_URL_GLUE"] = server.URL(), catalog.URL()
		err := emulator.Register(lambda.Function{
			Name: step.Name, Bootstrap: filepath.Join(binaries, step.Name, "bootstrap"), Env: env,
			Timeout: step.Timeout, MemoryMB: step.MemoryMiB,
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// build compiles the functions as for AWS, where the local mode keeps them too, and returns their folder.
func build(tb testing.TB) string {
	tb.Helper()
	root, err := provision.Root()
	if err != nil {
		tb.Fatal(err)
	}
	dir := filepath.Join(root, ".local", "cache", "functions")
	if _, err := lambda.Build(tb.Context(), root, dir); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// invoke runs one step. Its own error is a *lambda.InvocationError.
func invoke[Out any](ctx context.Context, s stage, name string, in any) (out Out, err error) {
	payload, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	answer, failed, err := s.Invoke(ctx, name, payload)
	if failed != nil {
		return out, failed
	}
	if err != nil {
		return out, fmt.Errorf("invoking %s: %w", name, err)
	}
	return out, json.Unmarshal(answer, &out)
}

// run takes a run through the whole stage, range after range.
func (s stage) run(ctx context.Context, run workflow.Run) (workflow.Published, error) {
	plan, err := invoke[workflow.Plan](ctx, s, "plan-extract", run)
	if err != nil {
		return workflow.Published{}, err
	}
	for _, span := range plan.Ranges {
		in := workflow.RangeInput{Run: run, Range: span}
		if _, err := invoke[workflow.Extracted](ctx, s, "extract", in); err != nil {
			return workflow.Published{}, err
		}
		if _, err := invoke[workflow.Transformed](ctx, s, "transform", in); err != nil {
			return workflow.Published{}, err
		}
		if _, err := invoke[workflow.Partitioned](ctx, s, "partition-write", in); err != nil {
			return workflow.Published{}, err
		}
	}
	return invoke[workflow.Published](ctx, s, "publish-training-data", run)
}

func mustRun(tb testing.TB, s stage, run workflow.Run) workflow.Published {
	tb.Helper()
	out, err := s.run(tb.Context(), run)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// wantError runs a run that has to fail under this name, and returns the text.
func wantError(tb testing.TB, s stage, run workflow.Run, name string) string {
	tb.Helper()
	_, err := s.run(tb.Context(), run)
	var failed *lambda.InvocationError
	if !errors.As(err, &failed) || failed.Type != name {
		tb.Fatalf("got %v, want %s", err, name)
	}
	return failed.Message
}

// start is the time of a test's first run. Later ones add minutes.
var start = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)

func runAt(id string, minute int) workflow.Run {
	return workflow.Run{ID: id, StartedAt: start.Add(time.Duration(minute) * time.Minute)}
}
