package main

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsathena"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
)

// DataLake is the three buckets, with a Glue database and a workgroup, so that Athena can read them. The buckets take
// TLS only, are encrypted with S3's own keys and closed to the public.
type DataLake struct {
	scope constructs.Construct
	// Lake holds the runs, snapshots and training data. Artifacts holds the data scientist's hand-over and the copies
	// of the versions. Recommendations holds the stream's answers, and the records without one. Package lake has
	// their layout.
	Lake, Artifacts, Recommendations awss3.Bucket
	// Database is the Glue database's name, Workgroup that of the Athena workgroup.
	Database, Workgroup string

	database awsglue.CfnDatabase
}

const (
	// recommendationsTable is made by the deployment, lake.TrainingTable by publish-training-data.
	recommendationsTable = "recommendations"

	resultsPrefix = "athena-results/"

	// overwrittenDays is how long a hand-over that was overwritten or deleted can be brought back.
	overwrittenDays = 30
	// failedDays is how long records are kept that could not be answered or delivered.
	failedDays = 30
	// scannedBytes bounds a query. A day of answers is far below, all years of them may be above.
	scannedBytes = 100 << 30
)

func NewDataLake(scope constructs.Construct, id string, config deployment.Config) *DataLake {
	l := &DataLake{
		scope:    constructs.NewConstruct(scope, jsii.String(id)),
		Database: config.GlueDatabase(), Workgroup: config.Name,
	}
	l.Lake = l.bucket("Lake", config, false,
		expire(lake.RunsParent, config.RunRetentionDays), expire(resultsPrefix, 7))
	l.Artifacts = l.bucket("Artifacts", config, true, &awss3.LifecycleRule{
		Prefix: jsii.String(lake.TrainedParent), Expiration: days(config.RunRetentionDays), NoncurrentVersionExpiration: days(1),
	}, &awss3.LifecycleRule{
		NoncurrentVersionExpiration: days(overwrittenDays), ExpiredObjectDeleteMarker: jsii.Bool(true),
	})
	sayWhenHandedOver(l.Artifacts)
	// All of it is about customers, so all of it expires.
	l.Recommendations = l.bucket("Recommendations", config, false,
		expire(lake.AnswersPrefix, config.AnswerRetentionDays),
		expire(lake.RejectedParent, failedDays), expire(lake.FailedPrefix, failedDays), expire(lake.DeliveryErrorsPrefix, failedDays))
	l.database = awsglue.NewCfnDatabase(l.scope, jsii.String("Database"), &awsglue.CfnDatabaseProps{
		CatalogId: awscdk.Aws_ACCOUNT_ID(),
		DatabaseInput: &awsglue.CfnDatabase_DatabaseInputProperty{
			Name: jsii.String(l.Database), Description: jsii.String("Training data and recommendations of " + config.Name),
		},
	})
	l.workgroup(config)
	return l
}

// resources are given to functions by the data lake.
func (l *DataLake) resources() workflow.Resources {
	return workflow.Resources{
		Lake: settings.Lake{Bucket: *l.Lake.BucketName()}, Artifacts: settings.Artifacts{Bucket: *l.Artifacts.BucketName()},
		RecommendationsBucket: *l.Recommendations.BucketName(), GlueDatabase: l.Database,
	}
}

// grants are of the buckets and of Glue.
func (l *DataLake) grants() grants {
	return grants{
		workflow.LakeBucket: onBucket(l.Lake), workflow.ArtifactsBucket: onBucket(l.Artifacts),
		workflow.RecommendationsBucket: onBucket(l.Recommendations),
		workflow.TrainingTable:         onARNs(l.catalog(lake.TrainingTable)...),
		workflow.ExportTables:          onARNs(l.catalog(slices.Sorted(maps.Values(lake.ExportTables))...)...),
	}
}

// Buckets are all three.
func (l *DataLake) Buckets() []awss3.Bucket {
	return []awss3.Bucket{l.Lake, l.Artifacts, l.Recommendations}
}

// bucket makes one. Versions are worth their price if people overwrite files. The functions overwrite no file that is
// read later, except checkpoints.
func (l *DataLake) bucket(id string, config deployment.Config, versioned bool, rules ...*awss3.LifecycleRule) awss3.Bucket {
	rules = append(rules, &awss3.LifecycleRule{AbortIncompleteMultipartUploadAfter: days(1)})
	bucket := awss3.NewBucket(l.scope, jsii.String(id), &awss3.BucketProps{
		Encryption: awss3.BucketEncryption_S3_MANAGED, EnforceSSL: jsii.Bool(true), MinimumTLSVersion: jsii.Number(1.2),
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(), ObjectOwnership: awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		Versioned: jsii.Bool(versioned), LifecycleRules: &rules,
		RemovalPolicy: keeping(config), AutoDeleteObjects: jsii.Bool(!config.Prod()),
	})
	bucket.Policy().ApplyRemovalPolicy(keeping(config)) // a bucket that stays keeps its rules
	if config.AccessLogsBucket == "" {
		explainBucket(bucket)
	} else {
		bucket.Node().DefaultChild().(awss3.CfnBucket).SetLoggingConfiguration(&awss3.CfnBucket_LoggingConfigurationProperty{
			DestinationBucketName: jsii.String(config.AccessLogsBucket), LogFilePrefix: jsii.String(config.Name + "/" + id + "/"),
		})
	}
	return bucket
}

// sayWhenHandedOver has S3 tell EventBridge of new objects. The bucket construct's own option would do it with a
// function more.
func sayWhenHandedOver(bucket awss3.Bucket) {
	bucket.Node().DefaultChild().(awss3.CfnBucket).SetNotificationConfiguration(&awss3.CfnBucket_NotificationConfigurationProperty{
		EventBridgeConfiguration: &awss3.CfnBucket_EventBridgeConfigurationProperty{EventBridgeEnabled: jsii.Bool(true)},
	})
}

func (l *DataLake) workgroup(config deployment.Config) {
	awsathena.NewCfnWorkGroup(l.scope, jsii.String("Workgroup"), &awsathena.CfnWorkGroupProps{
		Name: jsii.String(l.Workgroup),
		// It holds the history of queries. With that, Athena would not delete it. The results are in the lake bucket.
		RecursiveDeleteOption: jsii.Bool(true),
		Description:           jsii.String("Queries on " + config.Name + ": results are kept for a week."),
		WorkGroupConfiguration: &awsathena.CfnWorkGroup_WorkGroupConfigurationProperty{
			EnforceWorkGroupConfiguration: jsii.Bool(true), BytesScannedCutoffPerQuery: jsii.Number(scannedBytes),
			ResultConfiguration: &awsathena.CfnWorkGroup_ResultConfigurationProperty{
				OutputLocation:          jsii.String("s3://" + *l.Lake.BucketName() + "/" + resultsPrefix),
				EncryptionConfiguration: &awsathena.CfnWorkGroup_EncryptionConfigurationProperty{EncryptionOption: jsii.String("SSE_S3")},
			},
		},
	})
}

// columns are of names and types in turn.
func columns(namesAndTypes ...string) *[]any {
	var columns []any
	for i := 0; i < len(namesAndTypes); i += 2 {
		columns = append(columns, &awsglue.CfnTable_ColumnProperty{
			Name: jsii.String(namesAndTypes[i]), Type: jsii.String(namesAndTypes[i+1]),
		})
	}
	return &columns
}

// catalog returns the resources that Glue checks for a table: the table and the catalog and database around it.
func (l *DataLake) catalog(tables ...string) []*string {
	arn := func(resource, name string) *string {
		return awscdk.Stack_Of(l.scope).FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("glue"), Resource: jsii.String(resource), ResourceName: jsii.String(name),
		})
	}
	catalog := awscdk.Stack_Of(l.scope).FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("glue"), Resource: jsii.String("catalog"),
	})
	arns := []*string{catalog, arn("database", l.Database)}
	for _, table := range tables {
		arns = append(arns, arn("table", l.Database+"/"+table))
	}
	return arns
}

func expire(prefix string, after int) *awss3.LifecycleRule {
	return &awss3.LifecycleRule{Prefix: jsii.String(prefix), Expiration: days(after)}
}

func days(n int) awscdk.Duration { return awscdk.Duration_Days(jsii.Number(n)) }
