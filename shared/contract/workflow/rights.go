package workflow

import "recsys/shared/contract/lake"

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
	ExportTables          Resource = "export tables"
	ActivityStream        Resource = "activity stream"
	DeliveryStream        Resource = "delivery stream"
	EventBus              Resource = "event bus"
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

// PutEvents is the call of EventBridge that recommend makes, if a deployment names a bus.
const PutEvents = "events:PutEvents"

// Patterns of keys.
const (
	anyRun      = lake.RunsParent + "*"
	anyRange    = lake.RangesParent + "*"
	anySnapshot = lake.TrainingPrefix + "*"
	anyVersion  = lake.VersionsParent + "*"
	anyRejected = lake.RejectedParent + "*"
	anyTrained  = lake.TrainedParent + "*"
	anyExport   = lake.ExportsPrefix + "*"
	anyReport   = lake.EvaluationReportsParent + "*"
)
