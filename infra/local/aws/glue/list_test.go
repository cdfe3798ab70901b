package glue_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

func TestListings(t *testing.T) {
	_, client := setup(t, t.TempDir())
	create(t, client)
	for _, name := range []string{"a", "b", "other"} {
		in := input("one")
		in.Name = &name
		if _, err := client.CreateTable(t.Context(), &awsglue.CreateTableInput{DatabaseName: aws.String(database), TableInput: in}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.CreateDatabase(t.Context(), &awsglue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("empty")}}); err != nil {
		t.Fatal(err)
	}
	var databases []string
	pages := awsglue.NewGetDatabasesPaginator(client, &awsglue.GetDatabasesInput{MaxResults: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil || len(page.DatabaseList) != 1 {
			t.Fatalf("%v, %v", page, err)
		}
		databases = append(databases, *page.DatabaseList[0].Name)
	}
	if !slices.Equal(databases, []string{"empty", database}) {
		t.Errorf("databases %q", databases)
	}
	for _, test := range []struct {
		database, expression string
		want                 string
	}{
		{database, "", "a b other ratings_ml_training"},
		{"RecSys", "[a-b]|o.*", "a b other"},
		{database, "ratings", ""},
		{"empty", "", ""},
	} {
		var names []string
		pages := awsglue.NewGetTablesPaginator(client, &awsglue.GetTablesInput{DatabaseName: &test.database, Expression: &test.expression, MaxResults: aws.Int32(2)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, table := range page.TableList {
				names = append(names, *table.Name)
			}
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
	partitions, err := client.GetPartitions(t.Context(), &awsglue.GetPartitionsInput{DatabaseName: aws.String(database), TableName: aws.String(table)})
	if err != nil || len(partitions.Partitions) != 0 {
		t.Errorf("%v, %v", partitions, err)
	}
	if _, err := client.GetTables(t.Context(), &awsglue.GetTablesInput{DatabaseName: aws.String("none")}); !errors.As(err, new(*types.EntityNotFoundException)) {
		t.Errorf("tables of no database: %v", err)
	}
	if _, err := client.GetTables(t.Context(), &awsglue.GetTablesInput{DatabaseName: aws.String(database), Expression: aws.String("(")}); !errors.As(err, new(*types.InvalidInputException)) {
		t.Errorf("a wrong expression: %v", err)
	}
}
