package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskinesis"
	firehose "github.com/aws/aws-cdk-go/awscdk/v2/awskinesisfirehose"
	lambda "github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
)

// Streaming is Kinesis to recommend to Firehose to the recommendations bucket, with the Glue table that Athena reads
// the answers by.
type Streaming struct {
	scope    constructs.Construct
	Stream   awskinesis.Stream
	Delivery firehose.CfnDeliveryStream
	// Recommend is the function.
	Recommend lambda.Function
}

func NewStreaming(scope constructs.Construct, id string, factory Factory, data *DataLake, vectors *VectorDatabase) *Streaming {
	config := factory.Config
	s := &Streaming{scope: constructs.NewConstruct(scope, jsii.String(id))}
	s.Stream = awskinesis.NewStream(s.scope, jsii.String("Activity"), &awskinesis.StreamProps{
		StreamMode: awskinesis.StreamMode_PROVISIONED, ShardCount: jsii.Number(config.Shards),
		RetentionPeriod: hours(float64(config.StreamRetentionHours)), Encryption: awskinesis.StreamEncryption_MANAGED,
		RemovalPolicy: keeping(config),
	})
	s.Delivery = s.deliverTo(data, config)
	data.recommendationsTable(lake.AnswersPrefix, config.Shop)
	s.Recommend = s.recommend(factory, data, vectors)
	if config.ReserveConcurrency {
		s.Recommend.Node().DefaultChild().(lambda.CfnFunction).SetReservedConcurrentExecutions(jsii.Number(config.StreamCalls()))
	}
	s.feed(config, data, vectors)
	return s
}

// recommend is the function, which reads as the database's reader.
func (s *Streaming) recommend(factory Factory, data *DataLake, vectors *VectorDatabase) lambda.Function {
	given, granted := data.resources(), data.grants()
	given.Reader, given.DeliveryStream, given.EventBus = vectors.settings(readerRole), *s.Delivery.Ref(), factory.Config.EventBus
	granted[workflow.VectorsAsReader] = vectors.login(readerRole)
	granted[workflow.DeliveryStream] = onARNs(s.Delivery.AttrArn())
	granted[workflow.EventBus] = onBus(s.scope, factory.Config.EventBus)
	granted[workflow.ActivityStream] = onARNs(s.Stream.StreamArn())
	return vectors.prepared(factory.New(s.scope, workflow.Named("recommend", given, factory.Config.Options), granted))
}

// onBus grants rights on a bus. Without one it grants nothing.
func onBus(scope constructs.Construct, name string) func(workflow.Right) []Permission {
	if name == "" {
		return func(workflow.Right) []Permission { return nil }
	}
	bus := busARN(name)
	return onARNs(awscdk.Stack_Of(scope).FormatArn(&bus))
}

// busARN is a bus of the deployment's account and region.
func busARN(name string) awscdk.ArnComponents {
	return awscdk.ArnComponents{Service: jsii.String("events"), Resource: jsii.String("event-bus"), ResourceName: jsii.String(name)}
}

// feed maps the stream to the function. A batch that fails is tried from its first record that is not done, then
// halved, until it is too old or was tried too often. Then it goes to the bucket, whole.
func (s *Streaming) feed(config deployment.Config, data *DataLake, vectors *VectorDatabase) {
	feed := config.Options.Feed
	mapping := lambda.NewCfnEventSourceMapping(s.scope, jsii.String("Feed"), &lambda.CfnEventSourceMappingProps{
		FunctionName: s.Recommend.FunctionName(), EventSourceArn: s.Stream.StreamArn(),
		StartingPosition: jsii.String("TRIM_HORIZON"),
		BatchSize:        jsii.Number(feed.BatchSize), MaximumBatchingWindowInSeconds: jsii.Number(feed.BatchWindowSeconds),
		ParallelizationFactor: jsii.Number(config.Parallelization),
		FunctionResponseTypes: jsii.Strings("ReportBatchItemFailures"), BisectBatchOnFunctionError: jsii.Bool(workflow.BisectBatchOnFunctionError),
		MaximumRecordAgeInSeconds: jsii.Number(feed.MaxRecordAgeSeconds), MaximumRetryAttempts: jsii.Number(feed.MaxAttempts),
		DestinationConfig: &lambda.CfnEventSourceMapping_DestinationConfigProperty{
			OnFailure: &lambda.CfnEventSourceMapping_OnFailureProperty{Destination: data.Recommendations.BucketArn()},
		},
	})
	mapping.Node().AddDependency(vectors.Ready, s.Recommend)
}

// deliverTo makes the Firehose stream: gzip objects of lines, which the function ends itself, in a folder an hour.
func (s *Streaming) deliverTo(data *DataLake, config deployment.Config) firehose.CfnDeliveryStream {
	bucket := data.Recommendations
	logs := newLogGroup(s.scope, "DeliveryLogs", config)
	logStream := awslogs.NewCfnLogStream(s.scope, jsii.String("DeliveryErrors"), &awslogs.CfnLogStreamProps{LogGroupName: logs.LogGroupName()})
	role := awsiam.NewRole(s.scope, jsii.String("DeliveryRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("firehose.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": map[string]any{"sts:ExternalId": awscdk.Aws_ACCOUNT_ID()}},
		}),
	})
	// https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3
	allow(role, onObjects(bucket, []string{lake.AnswersPrefix + "*", lake.DeliveryErrorsPrefix + "*"}, workflow.PutObject, workflow.GetObject, "s3:AbortMultipartUpload"))
	allow(role, Permission{Resources: []*string{bucket.BucketArn()},
		Actions: []string{workflow.ListBucket, "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"}})
	allow(role, Permission{Actions: []string{"logs:PutLogEvents"}, Resources: []*string{logs.LogGroupArn()}})
	stream := firehose.NewCfnDeliveryStream(s.scope, jsii.String("Answers"), &firehose.CfnDeliveryStreamProps{
		DeliveryStreamType: jsii.String("DirectPut"),
		DeliveryStreamEncryptionConfigurationInput: &firehose.CfnDeliveryStream_DeliveryStreamEncryptionConfigurationInputProperty{
			KeyType: jsii.String("AWS_OWNED_CMK"),
		},
		ExtendedS3DestinationConfiguration: &firehose.CfnDeliveryStream_ExtendedS3DestinationConfigurationProperty{
			BucketArn: bucket.BucketArn(), RoleArn: role.RoleArn(), CompressionFormat: jsii.String("GZIP"),
			Prefix: jsii.String(lake.AnswersPrefix + "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/"),
			ErrorOutputPrefix: jsii.String(lake.DeliveryErrorsPrefix + "!{firehose:error-output-type}/" +
				"year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/"),
			BufferingHints: &firehose.CfnDeliveryStream_BufferingHintsProperty{
				IntervalInSeconds: jsii.Number(config.DeliverySeconds), SizeInMBs: jsii.Number(64),
			},
			CloudWatchLoggingOptions: &firehose.CfnDeliveryStream_CloudWatchLoggingOptionsProperty{
				Enabled: jsii.Bool(true), LogGroupName: logs.LogGroupName(), LogStreamName: logStream.Ref(),
			},
		},
	})
	stream.Node().AddDependency(role)
	explainDelivery(role)
	return stream
}
