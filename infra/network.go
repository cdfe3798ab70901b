package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
	"recsys/shared/contract/workflow"
)

// Network holds the databases and the functions that speak to them. It is two isolated subnets, with no NAT gateway
// and no internet gateway, or the subnets of an existing VPC.
type Network struct {
	scope   constructs.Construct
	VPC     awsec2.IVpc
	Subnets *awsec2.SubnetSelection
	// Functions is the security group of the functions in the VPC. Nobody may connect to them.
	Functions awsec2.SecurityGroup
}

// NewNetwork makes it. The endpoints let functions reach the lake's buckets, and the bucket of CloudFormation's
// custom resources, but nothing else of S3.
func NewNetwork(scope constructs.Construct, id string, config deployment.Config, lake *DataLake) *Network {
	n := &Network{scope: constructs.NewConstruct(scope, jsii.String(id))}
	if config.VpcID == "" {
		n.create(config)
	} else {
		n.adopt(config)
	}
	n.Functions = awsec2.NewSecurityGroup(n.scope, jsii.String("Functions"), &awsec2.SecurityGroupProps{
		Vpc: n.VPC, Description: jsii.String("Functions that speak to a database."), AllowAllOutbound: jsii.Bool(false),
	})
	s3 := awsec2.Peer_AnyIpv4() // where only the endpoints are a way out
	if config.S3PrefixListID != "" {
		s3 = awsec2.Peer_PrefixList(jsii.String(config.S3PrefixListID))
	}
	n.Functions.AddEgressRule(s3, https(), jsii.String("S3, by its gateway endpoint"), nil)
	if config.VpcID == "" {
		n.connect(config, lake)
	} else {
		n.resolveNames()
	}
	return n
}

func https() awsec2.Port { return awsec2.Port_Tcp(jsii.Number(443)) }

func (n *Network) create(config deployment.Config) {
	vpc := awsec2.NewVpc(n.scope, jsii.String("Vpc"), &awsec2.VpcProps{
		MaxAzs:      jsii.Number(2), // as many as RDS wants
		NatGateways: jsii.Number(0),
		SubnetConfiguration: &[]*awsec2.SubnetConfiguration{{
			Name: jsii.String("Isolated"), SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED, CidrMask: jsii.Number(20),
		}},
	})
	for i, zone := range config.AvailabilityZones {
		subnet := (*vpc.IsolatedSubnets())[i].Node().DefaultChild().(awsec2.CfnSubnet)
		subnet.AddPropertyOverride(jsii.String("AvailabilityZone"), zone)
		ignoreLint(subnet, "W3010") // the option names zones
	}
	logs := newLogGroup(n.scope, "FlowLogs", config)
	role := awsiam.NewRole(n.scope, jsii.String("FlowLogsRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("vpc-flow-logs.amazonaws.com"), nil),
	})
	allow(role, Permission{
		Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"},
		Resources: []*string{logs.LogGroupArn()},
	})
	awsec2.NewCfnFlowLog(n.scope, jsii.String("RefusedTraffic"), &awsec2.CfnFlowLogProps{
		ResourceId: vpc.VpcId(), ResourceType: jsii.String("VPC"), TrafficType: jsii.String("REJECT"),
		LogGroupName: logs.LogGroupName(), DeliverLogsPermissionArn: role.RoleArn(),
	}).Node().AddDependency(role)
	n.VPC, n.Subnets = vpc, &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED}
}

// adopt takes a VPC by its id. Nothing is looked up, so its zones have names that are ours and go nowhere.
func (n *Network) adopt(config deployment.Config) {
	zones := make([]*string, len(config.SubnetIDs))
	for i := range zones {
		zones[i] = jsii.String(fmt.Sprintf("zone-%d", i+1))
	}
	n.VPC = awsec2.Vpc_FromVpcAttributes(n.scope, jsii.String("Vpc"), &awsec2.VpcAttributes{
		VpcId: jsii.String(config.VpcID), AvailabilityZones: &zones,
		PrivateSubnetIds: jsii.Strings(config.SubnetIDs...),
	})
	awscdk.Annotations_Of(n.VPC).AcknowledgeWarning(jsii.String("@aws-cdk/aws-ec2:noSubnetRouteTableId"),
		jsii.String("Nothing here makes routes."))
	n.Subnets = &awsec2.SubnetSelection{Subnets: n.VPC.PrivateSubnets()}
}

// resolveNames opens the way to DNS servers of an existing VPC. Security groups do not filter Amazon's own resolver, but
// they do filter those that DHCP options name.
func (n *Network) resolveNames() {
	for _, port := range []awsec2.Port{awsec2.Port_Tcp(jsii.Number(53)), awsec2.Port_Udp(jsii.Number(53))} {
		n.Functions.AddEgressRule(awsec2.Peer_AnyIpv4(), port, jsii.String("DNS servers of the VPC"), nil)
	}
}

// connect makes the endpoints that stand in for a way to the internet.
func (n *Network) connect(config deployment.Config, lake *DataLake) {
	gateway := n.VPC.AddGatewayEndpoint(jsii.String("S3"), &awsec2.GatewayVpcEndpointOptions{
		Service: awsec2.GatewayVpcEndpointAwsService_S3(),
	})
	for _, statement := range throughS3Endpoint(lake) {
		gateway.AddToPolicy(statement)
	}
	subnets := awsec2.SubnetSelection{Subnets: n.VPC.IsolatedSubnets()}
	if !config.HighAvailability { // an endpoint costs by the zone
		first := (*subnets.Subnets)[:1]
		subnets.Subnets = &first
	}
	group := awsec2.NewSecurityGroup(n.scope, jsii.String("Endpoints"), &awsec2.SecurityGroupProps{
		Vpc: n.VPC, Description: jsii.String("Lets the functions in and nothing out."), AllowAllOutbound: jsii.Bool(false),
	})
	group.Connections().AllowFrom(n.Functions, https(), jsii.String("functions"))
	endpoint := func(id string, service awsec2.InterfaceVpcEndpointAwsService, action string, resource awscdk.ArnComponents) {
		n.VPC.AddInterfaceEndpoint(jsii.String(id), &awsec2.InterfaceVpcEndpointOptions{
			Service: service, Subnets: &subnets, Open: jsii.Bool(false), SecurityGroups: &[]awsec2.ISecurityGroup{group},
		}).AddToPolicy(ownAccountOnly(action, awscdk.Stack_Of(n.scope).FormatArn(&resource)))
	}
	endpoint("Firehose", awsec2.InterfaceVpcEndpointAwsService_KINESIS_FIREHOSE(), "firehose:PutRecordBatch", awscdk.ArnComponents{
		Service: jsii.String("firehose"), Resource: jsii.String("deliverystream"), ResourceName: jsii.String("*"),
	})
	// RDS names the secrets that it manages rds!….
	endpoint("SecretsManager", awsec2.InterfaceVpcEndpointAwsService_SECRETS_MANAGER(), "secretsmanager:GetSecretValue", awscdk.ArnComponents{
		Service: jsii.String("secretsmanager"), Resource: jsii.String("secret"), ResourceName: jsii.String("rds!*"),
		ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
	if config.EventBus != "" {
		endpoint("EventBridge", awsec2.InterfaceVpcEndpointAwsService_EVENTBRIDGE(), workflow.PutEvents, busARN(config.EventBus))
	}
}

// ownAccountOnly is an endpoint's policy. With the credentials of another account nothing gets out, and nothing gets to
// another account.
func ownAccountOnly(action string, resource *string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()}, Actions: jsii.Strings(action), Resources: &[]*string{resource},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:PrincipalAccount": awscdk.Aws_ACCOUNT_ID()}},
	})
}

func throughS3Endpoint(lake *DataLake) []awsiam.PolicyStatement {
	statement := func(actions, resources *[]*string) awsiam.PolicyStatement {
		return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()}, Actions: actions, Resources: resources,
		})
	}
	var buckets, objects []*string
	for _, bucket := range lake.Buckets() {
		buckets = append(buckets, bucket.BucketArn())
		objects = append(objects, bucket.ArnForObjects(jsii.String("*")))
	}
	return []awsiam.PolicyStatement{
		statement(jsii.Strings(workflow.ListBucket), &buckets),
		statement(jsii.Strings(workflow.GetObject, workflow.PutObject, workflow.DeleteObject, "s3:GetObjectTagging", "s3:PutObjectTagging"), &objects),
		// A custom resource puts its answer to an address that CloudFormation has signed.
		statement(jsii.Strings(workflow.PutObject), jsii.Strings("arn:"+*awscdk.Aws_PARTITION()+":s3:::cloudformation-custom-resource-response-*/*")),
	}
}
