package main

import (
	"encoding/json"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	gateway "github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskinesis"
	lambda "github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
	"recsys/shared/contract/workflow"
)

// API is an HTTP API in front of the function api. Callers sign their requests with IAM. Customers with a token of the
// deployment's issuer have routes of their own under /v1/me.
type API struct {
	scope constructs.Construct
	api   gateway.CfnApi
	// Function answers, Address is where.
	Function lambda.Function
	Address  *string
}

// activityPath takes activity records, as Kinesis does.
const activityPath = "/v1/activity"

// NewAPI returns nil if the deployment wants no API.
func NewAPI(scope constructs.Construct, id string, factory Factory, data *DataLake, vectors *VectorDatabase, stream awskinesis.Stream) *API {
	config := factory.Config
	if config.API == "off" {
		return nil
	}
	a := &API{scope: constructs.NewConstruct(scope, jsii.String(id))}
	given, granted := data.resources(), data.grants()
	given.Reader = vectors.settings(readerRole)
	granted[workflow.VectorsAsReader] = vectors.login(readerRole)
	a.Function = vectors.prepared(factory.New(a.scope, workflow.Named("api", given, config.Options), granted))
	if config.ReserveConcurrency {
		a.Function.Node().DefaultChild().(lambda.CfnFunction).SetReservedConcurrentExecutions(jsii.Number(config.APICalls))
	}
	a.api = gateway.NewCfnApi(a.scope, jsii.String("Gateway"), &gateway.CfnApiProps{
		Name: jsii.String(config.Name), ProtocolType: jsii.String("HTTP"), Description: jsii.String("Recommendations, see /v1/openapi.json."),
		CorsConfiguration: cors(config),
	})
	a.Address = awscdk.Fn_Join(jsii.String(""), &[]*string{jsii.String("https://"), a.api.Ref(), jsii.String(".execute-api."),
		awscdk.Aws_REGION(), jsii.String("."), awscdk.Aws_URL_SUFFIX()})
	answers := a.answers()
	a.route("GET /v1/{proxy+}", answers, signed)
	a.route("POST /v1/{proxy+}", answers, signed)
	a.route("POST "+activityPath, a.activity(stream), signed)
	if config.APIIssuer != "" {
		a.route("GET /v1/me/{proxy+}", answers, a.tokens(config))
	}
	a.stage(config)
	return a
}

// authorization says who may use a route.
type authorization func(*gateway.CfnRouteProps)

func signed(route *gateway.CfnRouteProps) { route.AuthorizationType = jsii.String("AWS_IAM") }

// tokens lets in who has a token of the issuer.
func (a *API) tokens(config deployment.Config) authorization {
	authorizer := gateway.NewCfnAuthorizer(a.scope, jsii.String("Tokens"), &gateway.CfnAuthorizerProps{
		ApiId: a.api.Ref(), AuthorizerType: jsii.String("JWT"), Name: jsii.String("tokens"),
		IdentitySource: jsii.Strings("$request.header.Authorization"),
		JwtConfiguration: &gateway.CfnAuthorizer_JWTConfigurationProperty{
			Issuer: jsii.String(config.APIIssuer), Audience: jsii.Strings(config.APIAudience...),
		},
	})
	return func(route *gateway.CfnRouteProps) {
		route.AuthorizationType, route.AuthorizerId = jsii.String("JWT"), authorizer.Ref()
	}
}

func (a *API) route(key string, target gateway.CfnIntegration, authorized authorization) {
	props := &gateway.CfnRouteProps{ApiId: a.api.Ref(), RouteKey: jsii.String(key),
		Target: awscdk.Fn_Join(jsii.String("/"), &[]*string{jsii.String("integrations"), target.Ref()})}
	authorized(props)
	gateway.NewCfnRoute(a.scope, jsii.String(key), props)
}

// answers hands requests to the function.
func (a *API) answers() gateway.CfnIntegration {
	lambda.NewCfnPermission(a.scope, jsii.String("Invoke"), &lambda.CfnPermissionProps{
		Action: jsii.String("lambda:InvokeFunction"), FunctionName: a.Function.FunctionArn(), Principal: jsii.String("apigateway.amazonaws.com"),
		SourceArn: awscdk.Stack_Of(a.scope).FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("execute-api"), Resource: a.api.Ref(), ResourceName: jsii.String("*"),
		}),
	})
	return gateway.NewCfnIntegration(a.scope, jsii.String("Answers"), &gateway.CfnIntegrationProps{
		ApiId: a.api.Ref(), IntegrationType: jsii.String("AWS_PROXY"), IntegrationUri: a.Function.FunctionArn(),
		PayloadFormatVersion: jsii.String("2.0"), TimeoutInMillis: jsii.Number(float64(workflow.GatewayTimeout.Milliseconds())),
	})
}

// activity puts a record on Kinesis without a function, because the functions' network has no way there.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
func (a *API) activity(stream awskinesis.Stream) gateway.CfnIntegration {
	role := awsiam.NewRole(a.scope, jsii.String("ActivityRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("apigateway.amazonaws.com"), nil), Description: jsii.String("Puts activity records on the stream."),
	})
	allow(role, Permission{Actions: []string{"kinesis:PutRecord"}, Resources: []*string{stream.StreamArn()}})
	return gateway.NewCfnIntegration(a.scope, jsii.String("Activity"), &gateway.CfnIntegrationProps{
		ApiId: a.api.Ref(), IntegrationType: jsii.String("AWS_PROXY"), IntegrationSubtype: jsii.String("Kinesis-PutRecord"),
		PayloadFormatVersion: jsii.String("1.0"), CredentialsArn: role.RoleArn(),
		RequestParameters: map[string]*string{
			"StreamName": stream.StreamName(), "Data": jsii.String("$request.body.Data"), "PartitionKey": jsii.String("$request.body.PartitionKey"),
		},
	})
}

// stage serves the routes, throttled, and logs who asked for what: no query and no body, because both may name a customer.
func (a *API) stage(config deployment.Config) {
	logs := newLogGroup(a.scope, "Logs", config)
	format, _ := json.Marshal(map[string]string{
		"requestId": "$context.requestId", "time": "$context.requestTime", "route": "$context.routeKey", "status": "$context.status",
		"latency": "$context.responseLatency", "bytes": "$context.responseLength", "error": "$context.error.message",
		"integration": "$context.integrationErrorMessage",
	}) // strings alone
	gateway.NewCfnStage(a.scope, jsii.String("Stage"), &gateway.CfnStageProps{
		ApiId: a.api.Ref(), StageName: jsii.String("$default"), AutoDeploy: jsii.Bool(true),
		AccessLogSettings: &gateway.CfnStage_AccessLogSettingsProperty{DestinationArn: logs.LogGroupArn(), Format: jsii.String(string(format))},
		DefaultRouteSettings: &gateway.CfnStage_RouteSettingsProperty{
			ThrottlingRateLimit: jsii.Number(config.APIRate), ThrottlingBurstLimit: jsii.Number(2 * config.APIRate), DetailedMetricsEnabled: jsii.Bool(true),
		},
	})
}

// cors lets pages of the listed origins ask, nil for none.
func cors(config deployment.Config) any {
	if len(config.APIOrigins) == 0 {
		return nil
	}
	return &gateway.CfnApi_CorsProperty{
		AllowOrigins: jsii.Strings(config.APIOrigins...), AllowMethods: jsii.Strings("GET", "POST"),
		AllowHeaders: jsii.Strings("authorization", "content-type", "x-amz-date", "x-amz-security-token"), MaxAge: jsii.Number(600),
	}
}
