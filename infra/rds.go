package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	lambda "github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
)

// database holds the differences between our two RDS instances.
type database struct {
	Engine       awsrds.IInstanceEngine
	InstanceType string
	Port         int
	User         string // the master user
	Name         string // a database to create, if any
	StorageGiB   int
	Parameters   map[string]string
}

// newDatabase makes an RDS instance: private, encrypted, TLS only, with IAM authentication, backups and a master
// password that RDS makes, turns over and keeps in Secrets Manager. Only the functions may connect.
func newDatabase(scope constructs.Construct, factory Factory, d database) awsrds.DatabaseInstance {
	config, network := factory.Config, factory.Network
	group := awsec2.NewSecurityGroup(scope, jsii.String("SecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc: network.VPC, Description: jsii.String("Lets the functions in and nothing out."), AllowAllOutbound: jsii.Bool(false),
	})
	group.Connections().AllowFrom(network.Functions, awsec2.Port_Tcp(jsii.Number(d.Port)), jsii.String("functions"))
	parameters := map[string]*string{}
	for name, value := range d.Parameters {
		parameters[name] = jsii.String(value)
	}
	props := &awsrds.DatabaseInstanceProps{
		Vpc: network.VPC, VpcSubnets: network.Subnets, SecurityGroups: &[]awsec2.ISecurityGroup{group},
		PubliclyAccessible: jsii.Bool(false), MultiAz: jsii.Bool(config.HighAvailability),
		Engine: d.Engine, InstanceType: awsec2.NewInstanceType(jsii.String(d.InstanceType)), Port: jsii.Number(d.Port),
		ParameterGroup: awsrds.NewParameterGroup(scope, jsii.String("Parameters"), &awsrds.ParameterGroupProps{
			Engine: d.Engine, Parameters: &parameters, RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		}),
		Credentials: awsrds.Credentials_FromUsername(jsii.String(d.User), nil), ManageMasterUserPassword: jsii.Bool(true),
		IamAuthentication: jsii.Bool(true), StorageEncrypted: jsii.Bool(true), StorageType: awsrds.StorageType_GP3,
		AllocatedStorage: jsii.Number(d.StorageGiB), MaxAllocatedStorage: jsii.Number(10 * d.StorageGiB),
		// A release that names a newer major version upgrades the database in place. RDS makes a snapshot before.
		AllowMajorVersionUpgrade: jsii.Bool(true),
		AutoMinorVersionUpgrade:  jsii.Bool(true), CopyTagsToSnapshot: jsii.Bool(true),
		PreferredBackupWindow: jsii.String(config.DatabaseBackupWindow()), PreferredMaintenanceWindow: jsii.String(config.DatabaseMaintenanceWindow()),
		// Else a version past its end of life stays, at twice the price of the instance, without a word.
		EngineLifecycleSupport: awsrds.EngineLifecycleSupport_OPEN_SOURCE_RDS_EXTENDED_SUPPORT_DISABLED,
		BackupRetention:        days(1), // more is refused to accounts on AWS's free plan
		DeletionProtection:     jsii.Bool(guarded(config)), RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		DeleteAutomatedBackups: jsii.Bool(!config.Prod()),
	}
	if config.Prod() {
		props.BackupRetention, props.RemovalPolicy = days(14), awscdk.RemovalPolicy_SNAPSHOT
	}
	if d.Name != "" {
		props.DatabaseName = jsii.String(d.Name)
	}
	instance := awsrds.NewDatabaseInstance(scope, jsii.String("Instance"), props)
	explainDatabase(instance, config)
	explainMajorVersion(instance)
	return instance
}

// guarded reports whether databases refuse to be deleted.
func guarded(config deployment.Config) bool { return config.Prod() && config.Protect }

// connectAs allows to authenticate as a database user by IAM.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
func connectAs(scope constructs.Construct, resourceID *string, user string) Permission {
	return Permission{Actions: []string{"rds-db:connect"}, Resources: []*string{
		awscdk.Stack_Of(scope).FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("rds-db"), Resource: jsii.String("dbuser"), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
			ResourceName: jsii.String(*resourceID + "/" + user),
		}),
	}}
}

func readSecret(arn *string) Permission {
	return Permission{Actions: []string{"secretsmanager:GetSecretValue"}, Resources: []*string{arn}}
}

// runOnce has a deployment call a function that prepares a database: when the stack is made, and again when the
// function's code or the database's major version changes. The way to the database, and to S3 and Secrets Manager, must be
// there before.
func runOnce(scope constructs.Construct, id string, function lambda.Function, network *Network, instance awsrds.DatabaseInstance) awscdk.CustomResource {
	resource := awscdk.NewCustomResource(scope, jsii.String(id), &awscdk.CustomResourceProps{
		ServiceToken: function.FunctionArn(), Properties: &map[string]any{"Code": codeOf(function), "Engine": instance.Engine().EngineVersion().FullVersion},
	})
	// Not the property of the construct, which spells the number as text.
	resource.Node().DefaultChild().(awscdk.CfnResource).AddPropertyOverride(jsii.String("ServiceTimeout"), 900)
	resource.Node().AddDependency(network.scope, instance, scope.Node().FindChild(jsii.String("SecurityGroup")))
	return resource
}

// codeOf is the name of a function's asset, which follows from its bytes.
func codeOf(function lambda.Function) any {
	code := awscdk.Stack_Of(function).Resolve(function.Node().DefaultChild().(lambda.CfnFunction).Code())
	return code.(map[string]any)["s3Key"]
}
