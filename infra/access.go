package main

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"recsys/shared/contract/lake"
)

// Permission allows actions on resources. Actions are spelled out, never with a wildcard.
type Permission struct {
	Actions   []string
	Resources []*string
}

func allow(role awsiam.IRole, p Permission) {
	role.AddToPrincipalPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings(p.Actions...), Resources: &p.Resources,
	}))
}

// S3 actions by the call that they allow. A read of a key that is not there is answered with 404, which the
// functions decide on, only to those who may list the bucket; to others with 403.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
const (
	getObject    = "s3:GetObject" // GetObject and HeadObject
	putObject    = "s3:PutObject"
	deleteObject = "s3:DeleteObject"
	listBucket   = "s3:ListBucket"
)

// Patterns of keys, in the words of package lake.
const (
	anyRun      = lake.RunsParent + "*"
	anyRange    = lake.RangesParent + "*"
	anySnapshot = lake.TrainingPrefix + "*"
	anyVersion  = lake.VersionsParent + "*"
	anyRejected = lake.RejectedParent + "*"
	anyTrained  = lake.TrainedParent + "*"
	anyReport   = lake.EvaluationReportsParent + "*"
)

// handedOver are the keys that a data scientist writes.
var handedOver = slices.Concat([]string{lake.SuccessKey}, lake.HandedOver)

// on is a permission for objects of a bucket.
func on(bucket awss3.IBucket, keys []string, actions ...string) Permission {
	p := Permission{Actions: actions}
	for _, key := range keys {
		p.Resources = append(p.Resources, bucket.ArnForObjects(jsii.String(key)))
	}
	return p
}

func list(bucket awss3.IBucket) Permission {
	return Permission{Actions: []string{listBucket}, Resources: []*string{bucket.BucketArn()}}
}

// Access is what each function may do in the buckets and in Glue, which is what it calls when the pipeline runs;
// rights on databases and streams stand beside those. Two tests compare this with
// what is recorded from a run on one machine (infra/testdata/recorded-calls.json).
func Access(l *DataLake) map[string][]Permission {
	return map[string][]Permission{
		"plan-extract": {
			on(l.Lake, []string{lake.PlanKey("*")}, getObject, putObject),
			on(l.Lake, []string{lake.ManifestKey("*")}, getObject), // is a snapshot of this name there already?
			on(l.Lake, []string{lake.LatestKey}, getObject),        // how large is the active snapshot?
			list(l.Lake),
		},
		"extract": {on(l.Lake, []string{anyRun}, putObject)},
		"transform": {
			on(l.Lake, []string{anyRun}, getObject, putObject),
			on(l.Lake, []string{anyRange}, putObject),
		},
		"partition-write": {
			on(l.Lake, []string{anyRange}, getObject),
			on(l.Lake, []string{anyRun, anySnapshot}, putObject),
		},
		"publish-training-data": {
			on(l.Lake, []string{anyRun}, getObject),
			on(l.Lake, []string{lake.PlanKey("*")}, deleteObject),
			on(l.Lake, []string{anyRange, anySnapshot}, getObject, putObject, deleteObject),
			list(l.Lake),
			{Actions: []string{"glue:CreateTable", "glue:UpdateTable"}, Resources: l.catalog(trainingTable)},
		},
		"train": {
			on(l.Lake, []string{lake.LatestKey, lake.ManifestKey("*"), anyRange}, getObject),
			on(l.Lake, []string{lake.TrainingPlanKey("*"), lake.TrainedKey("*")}, getObject, putObject),
			on(l.Lake, []string{lake.CheckpointsPrefix("*") + "*"}, getObject, putObject, deleteObject),
			list(l.Lake),
			on(l.Artifacts, []string{lake.SuccessKey}, getObject), // is something handed over?
			on(l.Artifacts, []string{anyTrained}, putObject),
			list(l.Artifacts),
		},
		"evaluate": {
			on(l.Lake, []string{lake.LatestKey, lake.ManifestKey("*"), anyRange}, getObject),
			on(l.Lake, []string{anyReport}, putObject),
			list(l.Lake),
			on(l.Artifacts, []string{anyVersion}, getObject, deleteObject),
			list(l.Artifacts),
		},
		"embedding-upload": {
			// S3 copies an object with its tags, if it has any.
			on(l.Artifacts, append(handedOver, anyTrained), getObject, "s3:GetObjectTagging"),
			on(l.Artifacts, []string{anyVersion}, getObject, putObject, deleteObject, "s3:PutObjectTagging"),
			list(l.Artifacts),
			on(l.Lake, []string{lake.LatestKey, lake.ManifestKey("*"), anyRange}, getObject),
			list(l.Lake),
		},
		"vector-index": {
			on(l.Artifacts, []string{anyVersion}, deleteObject),
			list(l.Artifacts),
		},
		"recommend": {
			on(l.Artifacts, []string{anyVersion}, getObject),
			list(l.Artifacts), // a model that is gone with its version: it asks again, or answers without
			on(l.Recommendations, []string{anyRejected}, putObject),
		},
	}
}
