package main

import (
	"path/filepath"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	lambda "github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/statemachines"
)

// BatchWorkflow is the state machine with its functions, its schedule, and the rule that starts its second
// stage when a hand-over is complete.
type BatchWorkflow struct {
	scope        constructs.Construct
	StateMachine sfn.StateMachine
	// Functions are by folder.
	Functions map[string]lambda.Function
}

func NewBatchWorkflow(scope constructs.Construct, id string, factory Factory, data *DataLake, source *SourceDatabase, vectors *VectorDatabase, undelivered *Undelivered) *BatchWorkflow {
	w := &BatchWorkflow{scope: constructs.NewConstruct(scope, jsii.String(id)), Functions: map[string]lambda.Function{}}
	given, granted := data.resources(), data.grants()
	given.Source, given.Loader, given.Reader = source.Settings, vectors.settings(loaderRole), vectors.settings(readerRole)
	if factory.Config.ShopFile != "" {
		given.ShopFile.Path = filepath.Base(factory.Config.ShopFile)
	}
	granted[workflow.SourceAsReader] = source.Login
	granted[workflow.VectorsAsLoader], granted[workflow.VectorsAsReader] = vectors.login(loaderRole), vectors.login(readerRole)
	invoke, placeholders := Permission{Actions: []string{"lambda:InvokeFunction"}}, map[string]*string{}
	for _, step := range workflow.Steps(given, factory.Config.Options) {
		if step.RunBy == workflow.StateMachine {
			function := factory.New(w.scope, step, granted)
			if slices.ContainsFunc(step.Rights, func(r workflow.Right) bool {
				return r.On == workflow.VectorsAsLoader || r.On == workflow.VectorsAsReader
			}) {
				vectors.prepared(function)
			}
			w.Functions[step.Name], placeholders[step.Placeholder()] = function, function.FunctionArn()
			invoke.Resources = append(invoke.Resources, function.FunctionArn())
		}
	}
	logs := newLogGroup(w.scope, "Logs", factory.Config)
	w.StateMachine = sfn.NewStateMachine(w.scope, jsii.String("StateMachine"), &sfn.StateMachineProps{
		DefinitionBody:          sfn.DefinitionBody_FromString(jsii.String(string(statemachines.Batch))),
		DefinitionSubstitutions: &placeholders,
		StateMachineType:        sfn.StateMachineType_STANDARD,
		// Without execution data: it holds only references and counts, and yet logs are read by more people.
		Logs:           &sfn.LogOptions{Destination: logs, Level: sfn.LogLevel_ALL, IncludeExecutionData: jsii.Bool(false)},
		TracingEnabled: jsii.Bool(true),
		RemovalPolicy:  awscdk.RemovalPolicy_DESTROY,
	})
	allow(w.StateMachine.Role(), invoke)
	explainWorkflow(w.StateMachine)
	w.start(factory.Config, data, source, vectors, undelivered)
	return w
}

// start makes the resources that start executions, once the databases are ready for them.
func (w *BatchWorkflow) start(config deployment.Config, data *DataLake, source *SourceDatabase, vectors *VectorDatabase, undelivered *Undelivered) {
	starter := func(id, service string) awsiam.Role {
		role := awsiam.NewRole(w.scope, jsii.String(id), &awsiam.RoleProps{
			AssumedBy: awsiam.NewServicePrincipal(jsii.String(service), &awsiam.ServicePrincipalOpts{
				Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Aws_ACCOUNT_ID()}},
			}),
		})
		allow(role, Permission{Actions: []string{"states:StartExecution"}, Resources: []*string{w.StateMachine.StateMachineArn()}})
		return role
	}
	role := starter("HandOverRole", "events.amazonaws.com")
	rule := awsevents.NewCfnRule(w.scope, jsii.String("HandOver"), &awsevents.CfnRuleProps{
		Description: jsii.String("Starts the embeddings stage when " + lake.SuccessKey + " arrives."),
		EventPattern: map[string]any{
			"source": []string{"aws.s3"}, "detail-type": []string{"Object Created"},
			"detail": map[string]any{
				"bucket": map[string]any{"name": []*string{data.Artifacts.BucketName()}},
				"object": map[string]any{"key": []string{lake.SuccessKey}},
			},
		},
		Targets: &[]any{&awsevents.CfnRule_TargetProperty{
			Id: jsii.String("Workflow"), Arn: w.StateMachine.StateMachineArn(), RoleArn: role.RoleArn(),
			Input:            jsii.String(`{"stages":"embeddings"}`), // else the event would be the input
			DeadLetterConfig: undelivered.Of(),
		}},
	})
	rule.Node().AddDependency(vectors.Ready, role)
	undelivered.Accept(rule)
	if !config.Scheduled() {
		return
	}
	role = starter("ScheduleRole", "scheduler.amazonaws.com")
	allow(role, undelivered.send())
	schedule := awsscheduler.NewCfnSchedule(w.scope, jsii.String("Schedule"), &awsscheduler.CfnScheduleProps{
		Description:        jsii.String("Runs both stages."),
		ScheduleExpression: jsii.String(config.Schedule), ScheduleExpressionTimezone: jsii.String(config.ScheduleTimezone),
		FlexibleTimeWindow: &awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		Target: &awsscheduler.CfnSchedule_TargetProperty{
			Arn: w.StateMachine.StateMachineArn(), RoleArn: role.RoleArn(), Input: jsii.String("{}"),
			DeadLetterConfig: &awsscheduler.CfnSchedule_DeadLetterConfigProperty{Arn: undelivered.Queue.QueueArn()},
		},
	})
	schedule.Node().AddDependency(vectors.Ready, role)
	if source.Ready != nil {
		schedule.Node().AddDependency(source.Ready)
	}
}
