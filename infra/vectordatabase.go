package main

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	lambda "github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
)

// VectorDatabase is the PostgreSQL with pgvector. Functions connect as its loader or as its reader, with tokens of
// IAM. Its owner's password is in Secrets Manager, rotated by RDS, and only the bootstrap function reads it.
type VectorDatabase struct {
	scope   constructs.Construct
	Watched WatchedDatabase
	// Ready is there when extension, schema and roles are.
	Ready awscdk.CustomResource

	instance awsrds.DatabaseInstance
}

const (
	vectorPort     = 5432
	vectorDatabase = "recsys"
	// Roles of shared/store/vectorstore/bootstrap.sql.
	loaderRole = "recsys_loader"
	readerRole = "recsys_reader"
	ownerRole  = "recsys_owner"
)

func NewVectorDatabase(scope constructs.Construct, id string, factory Factory) *VectorDatabase {
	config := factory.Config
	d := &VectorDatabase{scope: constructs.NewConstruct(scope, jsii.String(id))}
	d.instance = newDatabase(d.scope, factory, database{
		Engine: awsrds.DatabaseInstanceEngine_Postgres(&awsrds.PostgresInstanceEngineProps{
			Version: awsrds.PostgresEngineVersion_VER_17(), // RDS takes its newest, and the minor ones after
		}),
		InstanceType: config.VectorInstance, Port: vectorPort, User: ownerRole, Name: vectorDatabase, StorageGiB: config.VectorStorageGiB,
		Parameters: vectorParameters(config.VectorInstance),
	})
	d.Watched = WatchedDatabase{
		ID: "VectorDatabase", Identifier: d.instance.InstanceIdentifier(),
		AllocatedGiB: float64(config.VectorStorageGiB), MaxConnections: float64(deployment.MaxVectorConnections(config.VectorInstance)),
		MemoryGiB: deployment.MemoryGiB(config.VectorInstance), Burstable: deployment.IsBurstable(config.VectorInstance),
	}
	secret := d.instance.Secret().SecretArn()
	bootstrap := factory.New(d.scope, workflow.Named("bootstrap-vector-store", workflow.Resources{
		Owner: settings.VectorStore{URL: d.url(ownerRole), SecretARN: *secret},
	}, config.Options), grants{
		// Once the owner has granted its roles rds_iam, it may be held to be one of them, and then needs a token itself.
		workflow.VectorsAsOwner: login(readSecret(secret), connectAs(d.scope, d.instance.InstanceResourceId(), ownerRole)),
	})
	d.Ready = runOnce(d.scope, "Bootstrap", bootstrap, factory.Network, d.instance)
	return d
}

// vectorParameters follow the server's memory. IAM authentication wants 300 to 1,000 MiB to spare. A burstable
// instance has that only if the buffers are an eighth of the memory instead of the usual quarter.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
func vectorParameters(instance string) map[string]string {
	parameters := map[string]string{"rds.force_ssl": "1", "max_connections": strconv.Itoa(deployment.MaxVectorConnections(instance))}
	if deployment.IsBurstable(instance) {
		parameters["shared_buffers"] = "{DBInstanceClassMemory/65536}" // in pages of 8 KiB
	}
	return parameters
}

// settings are how a function connects as a role.
func (d *VectorDatabase) settings(role string) settings.VectorStore {
	return settings.VectorStore{URL: d.url(role), IAM: true}
}

// login grants a function to connect as a role.
func (d *VectorDatabase) login(role string) func(workflow.Right) []Permission {
	return login(connectAs(d.scope, d.instance.InstanceResourceId(), role))
}

// prepared makes a function wait until the database is prepared for it. An upgrade may give a table a column that the
// function's new code reads.
func (d *VectorDatabase) prepared(function lambda.Function) lambda.Function {
	function.Node().DefaultChild().Node().AddDependency(d.Ready)
	return function
}

// url names the role and asks for full verification of the server.
func (d *VectorDatabase) url(role string) string {
	return fmt.Sprintf("postgres://%s@%s:%s/%s?sslmode=verify-full", role,
		*d.instance.DbInstanceEndpointAddress(), *d.instance.DbInstanceEndpointPort(), vectorDatabase)
}
