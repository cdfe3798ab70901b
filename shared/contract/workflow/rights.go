package workflow

import (
	"slices"

	"recsys/shared/contract/lake"
)

// Right allows actions of IAM on one resource. Actions are spelled out, never with a wildcard.
type Right struct {
	On Resource
	// Keys are of objects in a bucket, as package lake spells them, with * for anything. Without keys the right is on the
	// bucket itself.
	Keys []string
	// Actions are empty for a database: how a function logs in is the deployment's choice.
	Actions []string
}

// Resource names a thing that functions have rights on.
type Resource string

const (
	LakeBucket            Resource = "lake bucket"
	ArtifactsBucket       Resource = "artifacts bucket"
	RecommendationsBucket Resource = "recommendations bucket"
	TrainingTable         Resource = "training table"
	ActivityStream        Resource = "activity stream"
	DeliveryStream        Resource = "delivery stream"
	SourceAsReader        Resource = "source, as reader"
	SourceAsAdministrator Resource = "source, as administrator"
	VectorsAsLoader       Resource = "vector database, as loader"
	VectorsAsReader       Resource = "vector database, as reader"
	VectorsAsOwner        Resource = "vector database, as owner"
)

var databases = []Resource{SourceAsReader, SourceAsAdministrator, VectorsAsLoader, VectorsAsReader, VectorsAsOwner}

// Actions of S3, by the call that they allow. A read of a key that is not there is answered with 404, which the
// functions decide on, only to those who may list the bucket. The others get 403.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
const (
	GetObject    = "s3:GetObject" // GetObject and HeadObject
	PutObject    = "s3:PutObject"
	DeleteObject = "s3:DeleteObject"
	ListBucket   = "s3:ListBucket"
)

// Patterns of keys.
const (
	anyRun      = lake.RunsParent + "*"
	anyRange    = lake.RangesParent + "*"
	anySnapshot = lake.TrainingPrefix + "*"
	anyVersion  = lake.VersionsParent + "*"
	anyRejected = lake.RejectedParent + "*"
	anyTrained  = lake.TrainedParent + "*"
	anyReport   = lake.EvaluationReportsParent + "*"
)

func keys(keys ...string) []string { return keys }

func on(bucket Resource, keys []string, actions ...string) Right { return Right{bucket, keys, actions} }

func list(bucket Resource) Right { return Right{On: bucket, Actions: []string{ListBucket}} }

// The rights of each function are the calls that it makes when the pipeline runs. Two tests compare them with a
// recording of a run on one machine (infra/testdata/recorded-calls.json).
var (
	planRights = []Right{
		on(LakeBucket, keys(lake.PlanKey("*")), GetObject, PutObject),
		on(LakeBucket, keys(lake.ManifestKey("*")), GetObject), // is a snapshot of this name there already?
		on(LakeBucket, keys(lake.LatestKey), GetObject),        // how large is the active snapshot?
		list(LakeBucket),
		{On: SourceAsReader},
	}
	extractRights   = []Right{on(LakeBucket, keys(anyRun), PutObject), {On: SourceAsReader}}
	transformRights = []Right{
		on(LakeBucket, keys(anyRun), GetObject, PutObject),
		on(LakeBucket, keys(anyRange), PutObject),
	}
	partitionRights = []Right{
		on(LakeBucket, keys(anyRange), GetObject),
		on(LakeBucket, keys(anyRun, anySnapshot), PutObject),
	}
	publishRights = []Right{
		on(LakeBucket, keys(anyRun), GetObject),
		on(LakeBucket, keys(lake.PlanKey("*")), DeleteObject),
		on(LakeBucket, keys(anyRange, anySnapshot), GetObject, PutObject, DeleteObject),
		list(LakeBucket),
		{On: TrainingTable, Actions: []string{"glue:CreateTable", "glue:UpdateTable"}},
	}
	trainRights = []Right{
		on(LakeBucket, keys(lake.LatestKey, lake.ManifestKey("*"), anyRange), GetObject),
		on(LakeBucket, keys(lake.TrainingPlanKey("*"), lake.TrainedKey("*")), GetObject, PutObject),
		on(LakeBucket, keys(lake.CheckpointsPrefix("*")+"*"), GetObject, PutObject, DeleteObject),
		list(LakeBucket),
		on(ArtifactsBucket, keys(lake.SuccessKey), GetObject), // is something handed over?
		on(ArtifactsBucket, keys(anyTrained), PutObject),
		list(ArtifactsBucket),
	}
	uploadRights = []Right{
		// S3 copies an object with its tags, if it has any.
		on(ArtifactsBucket, slices.Concat(keys(lake.SuccessKey), lake.HandedOver, keys(anyTrained)), GetObject, "s3:GetObjectTagging"),
		on(ArtifactsBucket, keys(anyVersion), GetObject, PutObject, DeleteObject, "s3:PutObjectTagging"),
		list(ArtifactsBucket),
		on(LakeBucket, keys(lake.LatestKey, lake.ManifestKey("*"), anyRange), GetObject),
		list(LakeBucket),
		{On: VectorsAsLoader},
	}
	evaluateRights = []Right{
		on(LakeBucket, keys(lake.LatestKey, lake.ManifestKey("*"), anyRange), GetObject),
		on(LakeBucket, keys(anyReport), PutObject),
		list(LakeBucket),
		on(ArtifactsBucket, keys(anyVersion), GetObject, DeleteObject),
		list(ArtifactsBucket),
		{On: VectorsAsLoader},
	}
	indexRights = []Right{
		on(ArtifactsBucket, keys(anyVersion), DeleteObject),
		list(ArtifactsBucket),
		{On: VectorsAsLoader},
	}
	recommendRights = []Right{
		on(ArtifactsBucket, keys(anyVersion), GetObject),
		list(ArtifactsBucket), // a model that is gone with its version: it asks again, or answers without
		on(RecommendationsBucket, keys(anyRejected), PutObject),
		{On: VectorsAsReader},
		{On: DeliveryStream, Actions: []string{"firehose:PutRecordBatch"}},
		{On: ActivityStream, Actions: []string{
			"kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"}},
		// The event source mapping writes failed batches under the function's role.
		on(RecommendationsBucket, keys(lake.FailedPrefix+"*"), PutObject),
		list(RecommendationsBucket),
	}
)
