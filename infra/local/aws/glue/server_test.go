package glue_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/glue"
)

const (
	database = "recsys"
	table    = "ratings_ml_training"
)

func setup(t *testing.T, dir string) (*glue.Server, *awsglue.Client) {
	t.Helper()
	server, err := glue.Start(t.Context(), glue.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, awsglue.New(awsglue.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(server.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("publish-training-data", "local", "publish-training-data/1"),
	})
}

func create(t *testing.T, client *awsglue.Client) {
	t.Helper()
	if _, err := client.CreateDatabase(t.Context(), &awsglue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("RecSys")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateTable(t.Context(), &awsglue.CreateTableInput{DatabaseName: aws.String(database), TableInput: input("one")}); err != nil {
		t.Fatal(err)
	}
}

func input(snapshot string) *types.TableInput {
	return &types.TableInput{
		Name: aws.String(table), TableType: aws.String("EXTERNAL_TABLE"),
		Parameters: map[string]string{"projection.customernumber.range": "103,496", "projection.enabled": "true"},
		StorageDescriptor: &types.StorageDescriptor{
			Location: aws.String("s3://lake/ratings_ml_training/snapshot=" + snapshot + "/"),
			Columns:  []types.Column{{Name: aws.String("city"), Type: aws.String("string")}},
		},
		PartitionKeys: []types.Column{{Name: aws.String("customernumber"), Type: aws.String("int")}},
	}
}

func get(t *testing.T, client *awsglue.Client) *types.Table {
	t.Helper()
	out, err := client.GetTable(t.Context(), &awsglue.GetTableInput{DatabaseName: aws.String(database), Name: aws.String(table)})
	if err != nil {
		t.Fatal(err)
	}
	return out.Table
}

// wantType is an error of the type that the real Glue gives.
func wantType[E error](t *testing.T, err error) {
	t.Helper()
	var wanted E
	if !errors.As(err, &wanted) {
		t.Errorf("got %v, want %T", err, wanted)
	}
}

func TestTable(t *testing.T) {
	dir := t.TempDir()
	server, client := setup(t, dir)
	_, err := client.GetDatabase(t.Context(), &awsglue.GetDatabaseInput{Name: aws.String(database)})
	wantType[*types.EntityNotFoundException](t, err)
	_, err = client.CreateTable(t.Context(), &awsglue.CreateTableInput{DatabaseName: aws.String(database), TableInput: input("one")})
	wantType[*types.EntityNotFoundException](t, err)

	create(t, client)
	_, err = client.CreateDatabase(t.Context(), &awsglue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String(database)}})
	wantType[*types.AlreadyExistsException](t, err)
	_, err = client.CreateTable(t.Context(), &awsglue.CreateTableInput{DatabaseName: aws.String(database), TableInput: input("one")})
	wantType[*types.AlreadyExistsException](t, err)

	if _, err := client.UpdateTable(t.Context(), &awsglue.UpdateTableInput{DatabaseName: aws.String(database), TableInput: input("two")}); err != nil {
		t.Fatal(err)
	}
	got := get(t, client)
	if *got.VersionId != "1" || !strings.HasSuffix(*got.StorageDescriptor.Location, "snapshot=two/") || *got.Name != table ||
		*got.DatabaseName != database || len(got.PartitionKeys) != 1 || got.Parameters["projection.enabled"] != "true" || got.CreateTime == nil {
		t.Errorf("table %+v", got)
	}

	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	_, client = setup(t, dir)
	if again := get(t, client); *again.VersionId != "1" {
		t.Errorf("after a restart: version %s", *again.VersionId)
	}
	file, err := os.ReadFile(filepath.Join(dir, database, table+".json"))
	if err != nil || !strings.Contains(string(file), "snapshot=two/") {
		t.Errorf("file %s, %v", file, err)
	}

	for range 2 {
		_, err = client.DeleteTable(t.Context(), &awsglue.DeleteTableInput{DatabaseName: aws.String(database), Name: aws.String(table)})
	}
	wantType[*types.EntityNotFoundException](t, err)
}

func TestUpdateOfAVersionIsAtomic(t *testing.T) {
	_, client := setup(t, t.TempDir())
	create(t, client)
	const writers, rounds = 4, 10
	var all sync.WaitGroup
	for writer := range writers {
		all.Go(func() {
			for done := 0; done < rounds; {
				seen := get(t, client)
				_, err := client.UpdateTable(t.Context(), &awsglue.UpdateTableInput{
					DatabaseName: aws.String(database), TableInput: input(fmt.Sprint(writer)), VersionId: seen.VersionId,
				})
				var lost *types.ConcurrentModificationException
				if err == nil {
					done++
				} else if !errors.As(err, &lost) {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if got := *get(t, client).VersionId; got != fmt.Sprint(writers*rounds) {
		t.Errorf("version %s after %d updates", got, writers*rounds)
	}
}

func TestBadNames(t *testing.T) {
	dir := t.TempDir()
	_, client := setup(t, dir)
	create(t, client)
	for _, name := range []string{"../escape", "a/b", "", "a b"} {
		_, err := client.CreateDatabase(t.Context(), &awsglue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: &name}})
		wantType[*types.InvalidInputException](t, err)
		_, err = client.CreateTable(t.Context(), &awsglue.CreateTableInput{DatabaseName: aws.String(database), TableInput: &types.TableInput{Name: &name}})
		wantType[*types.InvalidInputException](t, err)
		_, err = client.GetTable(t.Context(), &awsglue.GetTableInput{DatabaseName: aws.String(database), Name: &name})
		wantType[*types.EntityNotFoundException](t, err)
	}
}

func TestRecord(t *testing.T) {
	server, client := setup(t, t.TempDir())
	create(t, client)
	var recorded []awscall.Call
	server.SetHooks(awscall.Hooks{Record: func(call awscall.Call) { recorded = append(recorded, call) }})
	get(t, client)
	want := awscall.Call{
		Service: "glue", Operation: "GetTable", Resource: database + "/" + table,
		Caller: awscall.Caller{AccessKeyID: "publish-training-data", SessionToken: "publish-training-data/1"},
	}
	if len(recorded) != 1 || fmt.Sprint(recorded[0]) != fmt.Sprint(want) {
		t.Errorf("recorded %+v", recorded)
	}
}
