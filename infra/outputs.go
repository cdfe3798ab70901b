package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/sampleshop"
	"recsys/shared/stream/activity"
)

// activityOf returns a record of a shop, and how to use it. With a shop file it is a form to fill in, because nobody knows
// a customer yet. The sample shop has customers that are known. Of another shop with its tables it is "".
func activityOf(config deployment.Config) (record, description string) {
	switch {
	case !config.Shop.IsLab():
		return formOf(config.Shop), "One visitor's activity. Put in ids and features of your own"
	case config.OwnsSource():
		return sampleActivity(), "One visitor's activity"
	default:
		return "", ""
	}
}

// formOf returns a record whose values are to be filled in.
func formOf(shop shape.Shop) string {
	form := activity.FormOf(shop)
	members := `"session_id":"a1"`
	for name := range form.Members {
		members += fmt.Sprintf(`,%q:"…"`, name)
	}
	return fmt.Sprintf(`{%s,"browse_history":[{%q:"…","quantity":1,"in_shopping_cart":true}]}`, members, form.Product())
}

// sampleActivity returns a record of the shop that the deployment loads into a MySQL of its own.
func sampleActivity() string {
	record, err := sampleshop.Example(sampleshop.Default())
	if err != nil {
		panic(err) // the default shop is valid
	}
	return record
}

// newOutputs names the next steps: commands to paste and pages to open.
func newOutputs(stack awscdk.Stack, config deployment.Config, data *DataLake, batch *BatchWorkflow, streaming *Streaming, api *API, topic awssns.Topic, dashboard awscloudwatch.Dashboard) {
	region := *awscdk.Aws_REGION()
	machine := *batch.StateMachine.StateMachineArn()
	say := func(id, description, format string, args ...any) {
		awscdk.NewCfnOutput(stack, jsii.String(id), &awscdk.CfnOutputProps{
			Description: jsii.String(description), Value: jsii.String(fmt.Sprintf(format, args...)),
		})
	}
	query := func(sql string) string {
		return fmt.Sprintf("aws athena start-query-execution --region %s --work-group %s --query-string \"%s\"", region, data.Workgroup, sql)
	}
	console := "https://" + region + ".console.aws.amazon.com/"

	say("Step1StartExecution", "Extracts, trains, measures and activates, now", "aws stepfunctions start-execution --region %s --state-machine-arn %s --input '{}'", region, machine)
	say("Step2QueryTrainingData", "The training data, when an execution has published it", "%s",
		query("select * from "+data.Database+"."+lake.TrainingTable+" limit 10"))
	if config.ShopFile != "" {
		say("Shop", "The shop file's name and SHA-256", "%s %s", config.Shop.Name, config.Shop.Hash)
	}
	if record, description := activityOf(config); record != "" {
		say("Step3PutRecord", description,
			"aws kinesis put-record --region %s --cli-binary-format raw-in-base64-out --stream-name %s --partition-key a1 --data '%s'",
			region, *streaming.Stream.StreamName(), record)
	}
	say("Step4QueryRecommendations", "Today's answers, some minutes later", "%s",
		query("select "+activity.FormOf(config.Shop).Customer()+", recommendation.strategy, recommended_items from "+data.Database+"."+recommendationsTable+
			" where year = year(current_date) and month = month(current_date) and day = day(current_date) limit 10"))
	if api != nil {
		say("APIEndpoint", "Recommendations over HTTP, for callers with IAM credentials", "%s", *api.Address)
	}
	say("Step5UploadArtifacts", "Hands over embeddings, model and scalers of your own; _SUCCESS starts the embeddings stage",
		"aws s3 cp --region %[1]s --recursive --exclude embeddings/_SUCCESS . s3://%[2]s/ && aws s3 cp --region %[1]s embeddings/_SUCCESS s3://%[2]s/embeddings/_SUCCESS",
		region, *data.Artifacts.BucketName())
	say("Dashboard", "Is it working?", "%scloudwatch/home?region=%s#dashboards/dashboard/%s", console, region, *dashboard.DashboardName())
	say("Executions", "The batch workflow's executions", "%sstates/home?region=%s#/statemachines/view/%s", console, region, machine)
	say("QueryEditor", "Athena's query editor: choose the workgroup "+data.Workgroup, "%sathena/home?region=%s#/query-editor", console, region)
	say("LakeBucket", "Runs, snapshots and training data", "s3://%s", *data.Lake.BucketName())
	say("ArtifactsBucket", "Hand-over and versions", "s3://%s", *data.Artifacts.BucketName())
	say("RecommendationsBucket", "Answers, and what could not be answered", "s3://%s", *data.Recommendations.BucketName())
	say("TopicArn", "Alarms and executions' ends", "%s", *topic.TopicArn())
}
