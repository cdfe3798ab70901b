package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
)

// GlueAPI holds the operations of Glue that the step calls.
type GlueAPI interface {
	CreateTable(context.Context, *glue.CreateTableInput, ...func(*glue.Options)) (*glue.CreateTableOutput, error)
	UpdateTable(context.Context, *glue.UpdateTableInput, ...func(*glue.Options)) (*glue.UpdateTableOutput, error)
}

// Catalog is the Glue table that Athena reads.
type Catalog struct {
	Glue            GlueAPI
	Database, Table string
}

// Describe makes the table show a snapshot, in one call: Athena sees the one before or this one. The table is
// created when it is not there.
func (c Catalog) Describe(ctx context.Context, latest lake.Latest, manifest lake.Manifest) error {
	table := c.table(latest, manifest)
	_, err := c.Glue.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: &c.Database, TableInput: table})
	if missing := new(types.EntityNotFoundException); errors.As(err, &missing) {
		_, err = c.Glue.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &c.Database, TableInput: table})
		if lost := new(types.AlreadyExistsException); errors.As(err, &lost) {
			_, err = c.Glue.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: &c.Database, TableInput: table})
		}
	}
	if err != nil {
		return failure.CatalogUnavailable.Errorf("describing the snapshot in the Glue table %s.%s: %w", c.Database, c.Table, err)
	}
	return nil
}

func description(shop shape.Shop) string {
	if shop.IsLab() {
		return "One row a rating: features of customer and product, and the rating to learn."
	}
	return "One row an interaction: features of customer and product, and the interaction to learn from."
}

// parameters are the table's partition projection.
func parameters(latest lake.Latest, manifest lake.Manifest, partition string) map[string]string {
	out := map[string]string{
		"EXTERNAL":                           "TRUE",
		"classification":                     "parquet",
		"snapshot":                           latest.Snapshot,
		"projection.enabled":                 "true",
		"projection." + partition + ".type":  "integer",
		"projection." + partition + ".range": customers(manifest),
		"storage.location.template":          latest.Location + lake.PartitionFolder("${"+partition+"}"),
	}
	if manifest.Shape().Layout == shape.ByRange {
		out["projection."+partition+".range"] = fmt.Sprintf("0,%d", max(0, manifest.Ranges-1))
		out["projection."+partition+".digits"] = strconv.Itoa(lake.PartDigits)
		out["storage.location.template"] = latest.Location + lake.PartFolder("${"+partition+"}")
	}
	return out
}

// table uses partition projection: Athena computes the folders from the column's range, and no partition is
// ever registered. The template is needed because the folder's name has capitals and the column's has not.
// Source: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
func (c Catalog) table(latest lake.Latest, manifest lake.Manifest) *types.TableInput {
	shop := manifest.Shape()
	partition := training.PartitionColumn(shop)
	return &types.TableInput{
		Name:          &c.Table,
		TableType:     aws.String("EXTERNAL_TABLE"),
		Description:   aws.String(description(shop)),
		Parameters:    parameters(latest, manifest, partition.Name),
		PartitionKeys: []types.Column{column(partition)},
		StorageDescriptor: &types.StorageDescriptor{
			Columns:      columns(shop),
			Location:     &latest.Location,
			InputFormat:  aws.String("org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"),
			OutputFormat: aws.String("org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"),
			SerdeInfo: &types.SerDeInfo{
				SerializationLibrary: aws.String("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"),
				Parameters:           map[string]string{"serialization.format": "1"},
			},
		},
	}
}

// customers is the span of the partition column, both ends inclusive. Without customers it is one that is empty on
// S3.
func customers(manifest lake.Manifest) string {
	if len(manifest.Partitions) == 0 {
		return "0,0"
	}
	last := manifest.Partitions[len(manifest.Partitions)-1]
	return fmt.Sprintf("%d,%d", manifest.Partitions[0].CustomerNumber, last.CustomerNumber)
}

func columns(shop shape.Shop) []types.Column {
	var out []types.Column
	for _, c := range training.Catalog(shop) {
		out = append(out, column(c))
	}
	return out
}

func column(c training.CatalogColumn) types.Column { return types.Column{Name: &c.Name, Type: &c.Type} }
