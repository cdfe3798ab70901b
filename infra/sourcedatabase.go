package main

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
)

// SourceDatabase is the shop's MySQL: an existing one, or a small one of our own with the sample shop in it.
type SourceDatabase struct {
	scope constructs.Construct
	// Settings are how plan-extract and extract connect.
	Settings settings.Source
	// Login grants them to.
	Login func(workflow.Right) []Permission
	// Watched is our own, or nil for an existing one, whose owner watches it.
	Watched *WatchedDatabase
	// Ready is there when the database can be read, or nil for an existing one.
	Ready awscdk.CustomResource
}

const (
	sourcePort        = 3306
	sourceStorageGiB  = 20
	sourceConnections = 60 // over the largest MaxConcurrency. A t4g.micro bears it
)

func NewSourceDatabase(scope constructs.Construct, id string, factory Factory) *SourceDatabase {
	d := &SourceDatabase{scope: constructs.NewConstruct(scope, jsii.String(id))}
	if factory.Config.OwnsSource() {
		d.create(factory)
	} else {
		d.adopt(factory)
	}
	return d
}

// adopt describes an existing MySQL. Settings.Source verifies its certificate whichever way it authenticates.
func (d *SourceDatabase) adopt(factory Factory) {
	config := factory.Config
	d.Settings = settings.Source{DSN: dsn(config.SourceUser, config.SourceHost, strconv.Itoa(config.SourcePort), config.SourceDatabase)}
	if config.SourceSecretARN != "" {
		d.Settings.SecretARN = config.SourceSecretARN
		d.Login = login(readSecret(jsii.String(config.SourceSecretARN)))
	} else {
		d.Settings.IAM = true
		d.Login = login(connectAs(d.scope, jsii.String(config.SourceResourceID), config.SourceUser))
	}
	port := awsec2.Port_Tcp(jsii.Number(config.SourcePort))
	if config.SourceSecurityGroupID == "" {
		// The database's group is not known here. So functions may open connections to any address on this port.
		factory.Network.Functions.AddEgressRule(awsec2.Peer_AnyIpv4(), port, jsii.String("MySQL of the shop"), nil)
		return
	}
	group := awsec2.SecurityGroup_FromSecurityGroupId(d.scope, jsii.String("SecurityGroup"), jsii.String(config.SourceSecurityGroupID), nil)
	group.Connections().AllowFrom(factory.Network.Functions, port, jsii.String("functions of "+config.Name))
}

// create makes a MySQL and has load-sample-shop fill it and create the user that the functions read it as.
func (d *SourceDatabase) create(factory Factory) {
	config := factory.Config
	instance := newDatabase(d.scope, factory, database{
		Engine: awsrds.DatabaseInstanceEngine_Mysql(&awsrds.MySqlInstanceEngineProps{
			// The major version alone. RDS takes a recent minor one, because it retires each of them within about a year.
			Version: awsrds.MysqlEngineVersion_Of(jsii.String("8.4"), jsii.String("8.4")),
		}),
		InstanceType: config.SourceInstance, Port: sourcePort, User: deployment.SourceAdmin, StorageGiB: sourceStorageGiB,
		Parameters: map[string]string{
			"require_secure_transport": "1", "max_connections": strconv.Itoa(sourceConnections),
			// An eighth of the memory instead of MySQL's own choice: see vectorParameters.
			"innodb_dedicated_server": "0", "innodb_buffer_pool_size": "{DBInstanceClassMemory/8}",
		},
	})
	d.Watched = &WatchedDatabase{
		ID: "SourceDatabase", Identifier: instance.InstanceIdentifier(),
		AllocatedGiB: sourceStorageGiB, MaxConnections: sourceConnections,
		MemoryGiB: deployment.MemoryGiB(config.SourceInstance), Burstable: deployment.IsBurstable(config.SourceInstance),
	}
	host, port := *instance.DbInstanceEndpointAddress(), *instance.DbInstanceEndpointPort()
	d.Settings = settings.Source{DSN: dsn(config.SourceUser, host, port, config.SourceDatabase), IAM: true}
	d.Login = login(connectAs(d.scope, instance.InstanceResourceId(), config.SourceUser))

	secret := instance.Secret().SecretArn()
	loader := factory.New(d.scope, workflow.Named("load-sample-shop", workflow.Resources{
		Administrator: settings.Source{DSN: dsn(deployment.SourceAdmin, host, port, ""), SecretARN: *secret},
		SourceReader:  config.SourceUser, SourceDatabase: config.SourceDatabase,
	}, config.Options), grants{workflow.SourceAsAdministrator: login(readSecret(secret))})
	d.Ready = runOnce(d.scope, "SampleShop", loader, factory.Network, instance)
}

// dsn is a DSN of go-sql-driver/mysql. The server's certificate is verified.
func dsn(user, host, port, database string) string {
	return fmt.Sprintf("%s@tcp(%s:%s)/%s?tls=true", user, host, port, database)
}
