package main

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/jsii-runtime-go"

	"recsys/shared/contract/shape"
	"recsys/shared/stream/activity"
)

// answerColumns are the names and types of activity.Answer, in turn. A test compares them.
var answerColumns = []string{
	"recommended_items", "array<struct<id:string,score:double>>",
	"similar_items", "struct<product_code:string,similar_items:array<struct<id:string,distance:double>>>",
	"trending_items", "array<struct<id:string,score:double>>",
	"recommendation", "struct<event_id:string,model_version:bigint,strategy:string,generated_at:string>",
}

// deliveryTime is the partition's columns: the hour in which Firehose delivered.
var deliveryTime = []string{"year", "int", "month", "int", "day", "int", "hour", "int"}

// recommendationsColumns returns the names and types of the answers' members, in turn: those of the shop's records, then the
// answer's. A customer's column that is named as a column of the partition is left out, because Athena takes no name twice.
func recommendationsColumns(shop shape.Shop) []string {
	form := activity.FormOf(shop)
	all := []string{"session_id", "string"}
	for member, column := range form.Members {
		if !slices.Contains(deliveryTime, member) {
			all = append(all, member, memberType(column))
		}
	}
	all = append(all, "browse_history", "array<struct<"+form.Product()+":"+memberType(shape.Column{Type: shop.Product.Type})+",quantity:int,in_shopping_cart:boolean>>")
	return append(all, answerColumns...)
}

// memberType returns the type of a member by its column. A type that only a run finds is text, which takes numbers as well.
func memberType(column shape.Column) string {
	switch {
	case column.Role == shape.Number, column.Role == shape.Price:
		return "double"
	case column.Type.Whole():
		return "bigint"
	}
	return "string"
}

// recommendationsTable describes Firehose's objects under prefix. Athena computes the folders from the columns'
// ranges (partition projection), so nothing is ever registered. A query should name a day, because listing the
// folders of all years takes a while.
func (l *DataLake) recommendationsTable(prefix string, shop shape.Shop) {
	location := "s3://" + *l.Recommendations.BucketName() + "/" + prefix
	parameters := map[string]string{
		"classification": "json", "compressionType": "gzip", "projection.enabled": "true",
		"storage.location.template": location + "year=${year}/month=${month}/day=${day}/hour=${hour}/",
	}
	for column, span := range map[string]string{"year": "2025,2040", "month": "1,12", "day": "1,31", "hour": "0,23"} {
		parameters["projection."+column+".type"] = "integer"
		parameters["projection."+column+".range"] = span
		if column != "year" {
			parameters["projection."+column+".digits"] = "2"
		}
	}
	table := awsglue.NewCfnTable(l.scope, jsii.String("Recommended"), &awsglue.CfnTableProps{
		CatalogId: awscdk.Aws_ACCOUNT_ID(), DatabaseName: jsii.String(l.Database),
		TableInput: &awsglue.CfnTable_TableInputProperty{
			Name: jsii.String(recommendationsTable), TableType: jsii.String("EXTERNAL_TABLE"),
			Description: jsii.String("One row an answer; drop a recommendation.event_id that was seen before."),
			Parameters:  &parameters, PartitionKeys: columns(deliveryTime...),
			StorageDescriptor: &awsglue.CfnTable_StorageDescriptorProperty{
				Location:     jsii.String(location),
				InputFormat:  jsii.String("org.apache.hadoop.mapred.TextInputFormat"),
				OutputFormat: jsii.String("org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"),
				SerdeInfo: &awsglue.CfnTable_SerdeInfoProperty{
					SerializationLibrary: jsii.String("org.openx.data.jsonserde.JsonSerDe"),
					Parameters:           &map[string]string{"ignore.malformed.json": "true"},
				},
				Columns: columns(recommendationsColumns(shop)...),
			},
		},
	})
	table.AddResourceDependency(l.database, nil)
}
