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
	"recsys/shared/contract/settings"
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

// Prefixes of the recommendations bucket that services write under, beside package lake's.
const (
	answersPrefix = "recommendations/"
	errorsPrefix  = "delivery-errors/"
	// failedPrefix is Lambda's own choice:
	// https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
	failedPrefix = "aws/lambda/"
)

func NewStreaming(scope constructs.Construct, id string, factory Factory, data *DataLake, vectors *VectorDatabase) *Streaming {
	config := factory.Config
	s := &Streaming{scope: constructs.NewConstruct(scope, jsii.String(id))}
	s.Stream = awskinesis.NewStream(s.scope, jsii.String("Activity"), &awskinesis.StreamProps{
		StreamMode: awskinesis.StreamMode_PROVISIONED, ShardCount: jsii.Number(config.Shards),
		RetentionPeriod: hours(float64(config.StreamRetentionHours)), Encryption: awskinesis.StreamEncryption_MANAGED,
		RemovalPolicy: keeping(config),
	})
	s.Delivery = s.deliverTo(data, config)
	data.recommendationsTable(answersPrefix)
	s.Recommend = s.recommend(factory, data, vectors)
	s.feed(config, data, vectors)
	return s
}

// recommend is the function, which reads as the database's reader.
func (s *Streaming) recommend(factory Factory, data *DataLake, vectors *VectorDatabase) lambda.Function {
	reader, asReader := vectors.As(readerRole)
	may := append(Access(data)["recommend"], asReader,
		Permission{Actions: []string{"firehose:PutRecordBatch"}, Resources: []*string{s.Delivery.AttrArn()}},
		Permission{Resources: []*string{s.Stream.StreamArn()}, Actions: []string{
			"kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator",
			"kinesis:ListShards"}},
		// The event source mapping writes what failed under the function's role.
		on(data.Recommendations, []string{failedPrefix + "*"}, putObject), list(data.Recommendations))
	return factory.New(s.scope, Function{
		Step: workflow.Recommend, InVPC: true, May: may,
		Settings: settings.Recommend{
			Artifacts: settings.Artifacts{Bucket: *data.Artifacts.BucketName()}, VectorStore: reader,
			RecommendationsBucket: *data.Recommendations.BucketName(), DeliveryStream: *s.Delivery.Ref(),
			Ranking: factory.Config.Options.Ranking,
		},
	})
}

// feed maps the stream to the function. A batch that fails is tried from its first record that is not done, then
// halved, until it is too old or was tried too often; then it goes to the bucket, whole.
func (s *Streaming) feed(config deployment.Config, data *DataLake, vectors *VectorDatabase) {
	feed := config.Options.Feed
	mapping := lambda.NewCfnEventSourceMapping(s.scope, jsii.String("Feed"), &lambda.CfnEventSourceMappingProps{
		FunctionName: s.Recommend.FunctionName(), EventSourceArn: s.Stream.StreamArn(),
		StartingPosition: jsii.String("TRIM_HORIZON"),
		BatchSize:        jsii.Number(feed.BatchSize), MaximumBatchingWindowInSeconds: jsii.Number(*feed.BatchWindowSeconds),
		ParallelizationFactor: jsii.Number(config.Parallelization),
		FunctionResponseTypes: jsii.Strings("ReportBatchItemFailures"), BisectBatchOnFunctionError: jsii.Bool(workflow.BisectBatchOnFunctionError),
		MaximumRecordAgeInSeconds: jsii.Number(feed.MaxRecordAgeSeconds), MaximumRetryAttempts: jsii.Number(*feed.MaxAttempts),
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
	allow(role, on(bucket, []string{answersPrefix + "*", errorsPrefix + "*"}, putObject, getObject, "s3:AbortMultipartUpload"))
	allow(role, Permission{Resources: []*string{bucket.BucketArn()},
		Actions: []string{listBucket, "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"}})
	allow(role, Permission{Actions: []string{"logs:PutLogEvents"}, Resources: []*string{logs.LogGroupArn()}})
	stream := firehose.NewCfnDeliveryStream(s.scope, jsii.String("Answers"), &firehose.CfnDeliveryStreamProps{
		DeliveryStreamType: jsii.String("DirectPut"),
		DeliveryStreamEncryptionConfigurationInput: &firehose.CfnDeliveryStream_DeliveryStreamEncryptionConfigurationInputProperty{
			KeyType: jsii.String("AWS_OWNED_CMK"),
		},
		ExtendedS3DestinationConfiguration: &firehose.CfnDeliveryStream_ExtendedS3DestinationConfigurationProperty{
			BucketArn: bucket.BucketArn(), RoleArn: role.RoleArn(), CompressionFormat: jsii.String("GZIP"),
			Prefix: jsii.String(answersPrefix + "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/"),
			ErrorOutputPrefix: jsii.String(errorsPrefix + "!{firehose:error-output-type}/" +
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
