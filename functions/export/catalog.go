package main

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
)

// GlueAPI holds the operations of Glue that the step calls.
type GlueAPI interface {
	CreateTable(context.Context, *glue.CreateTableInput, ...func(*glue.Options)) (*glue.CreateTableOutput, error)
	UpdateTable(context.Context, *glue.UpdateTableInput, ...func(*glue.Options)) (*glue.UpdateTableOutput, error)
}

// Catalog holds the Glue tables that Athena reads, one for each list.
type Catalog struct {
	Glue     GlueAPI
	Database string
}

// Describe makes the tables show an export. A list that it does not have keeps its table as it is, with no files behind it after a
// while.
func (c Catalog) Describe(ctx context.Context, latest lake.LatestExport, manifest lake.ExportManifest) error {
	for _, list := range []string{lake.ExportedCustomers, lake.ExportedProducts} {
		if !slices.ContainsFunc(manifest.Files, func(f lake.ExportedFile) bool { return f.List == list }) {
			continue
		}
		if err := c.put(ctx, table(latest, manifest, list)); err != nil {
			return failure.CatalogUnavailable.Errorf("describing the export in the Glue table %s.%s: %w", c.Database, lake.ExportTables[list], err)
		}
	}
	return nil
}

// put updates a table, and creates it if it is not there.
func (c Catalog) put(ctx context.Context, table *types.TableInput) error {
	_, err := c.Glue.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: &c.Database, TableInput: table})
	if missing := new(types.EntityNotFoundException); errors.As(err, &missing) {
		_, err = c.Glue.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &c.Database, TableInput: table})
		if lost := new(types.AlreadyExistsException); errors.As(err, &lost) {
			_, err = c.Glue.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: &c.Database, TableInput: table})
		}
	}
	return err
}

// formats are Glue's words for those of files.
var formats = map[string]struct{ name, input, output, serde string }{
	"parquet": {"parquet", "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
		"org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat", "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
	"ndjson": {"json", "org.apache.hadoop.mapred.TextInputFormat",
		"org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat", "org.openx.data.jsonserde.JsonSerDe"},
}

var descriptions = map[string]string{
	lake.ExportedCustomers: "One row a recommended product: the best for each customer, rank 1 first.",
	lake.ExportedProducts:  "One row a similar product: the nearest to each product, rank 1 first.",
}

// table has no partitions. Its location is the export's own folder, so one call changes it from the export before to this one.
func table(latest lake.LatestExport, manifest lake.ExportManifest, list string) *types.TableInput {
	format := formats[manifest.Format]
	return &types.TableInput{
		Name: aws.String(lake.ExportTables[list]), TableType: aws.String("EXTERNAL_TABLE"), Description: aws.String(descriptions[list]),
		Parameters: map[string]string{"EXTERNAL": "TRUE", "classification": format.name, "export": latest.Export},
		StorageDescriptor: &types.StorageDescriptor{
			Columns: columns(list, manifest.CustomerType), Location: aws.String(latest.Location + list + "/"),
			InputFormat: &format.input, OutputFormat: &format.output,
			SerdeInfo: &types.SerDeInfo{SerializationLibrary: &format.serde, Parameters: map[string]string{"serialization.format": "1"}},
		},
	}
}

// columns are those of recommended or similar.
func columns(list string, customer shape.Type) (columns []types.Column) {
	named := [][2]string{{"customer", glueType(customer)}, {"rank", "int"}, {"product", "string"}}
	if list == lake.ExportedProducts {
		named = [][2]string{{"product", "string"}, {"rank", "int"}, {"similar", "string"}}
	}
	for _, column := range append(named, [2]string{"score", "double"}, [2]string{"strategy", "string"}, [2]string{"version", "bigint"}) {
		columns = append(columns, types.Column{Name: &column[0], Type: &column[1]})
	}
	return columns
}

func glueType(of shape.Type) string {
	switch of {
	case shape.Int:
		return "int"
	case shape.BigInt:
		return "bigint"
	}
	return "string"
}
