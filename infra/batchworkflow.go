package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	lambda "github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/shared/lake"
	"recsys/shared/settings"
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

func NewBatchWorkflow(scope constructs.Construct, id string, factory Factory, data *DataLake, source *SourceDatabase, vectors *VectorDatabase) *BatchWorkflow {
	w := &BatchWorkflow{scope: constructs.NewConstruct(scope, jsii.String(id)), Functions: map[string]lambda.Function{}}
	for _, function := range steps(factory.Config, data, source, vectors) {
		w.Functions[function.Name] = factory.New(w.scope, function)
	}
	logs := newLogGroup(w.scope, "Logs", factory.Config)
	w.StateMachine = sfn.NewStateMachine(w.scope, jsii.String("StateMachine"), &sfn.StateMachineProps{
		DefinitionBody:          sfn.DefinitionBody_FromString(jsii.String(string(statemachines.Batch))),
		DefinitionSubstitutions: w.substitutions(),
		StateMachineType:        sfn.StateMachineType_STANDARD,
		// Without execution data: it holds only references and counts, and yet logs are read by more people.
		Logs:           &sfn.LogOptions{Destination: logs, Level: sfn.LogLevel_ALL, IncludeExecutionData: jsii.Bool(false)},
		TracingEnabled: jsii.Bool(true),
		RemovalPolicy:  awscdk.RemovalPolicy_DESTROY,
	})
	invoke := Permission{Actions: []string{"lambda:InvokeFunction"}}
	for _, function := range steps(factory.Config, data, source, vectors) {
		invoke.Resources = append(invoke.Resources, w.Functions[function.Name].FunctionArn())
	}
	allow(w.StateMachine.Role(), invoke)
	explainWorkflow(w.StateMachine)
	w.start(factory.Config, data, source, vectors)
	return w
}

// steps are the functions and what they are given. Sizes are from measurement, on 5 million ratings: the largest
// peak of memory was 63 MiB, so 512 MiB is for CPU and for S3 and database buffers; embedding-upload and vector-index
// wait for PostgreSQL. Scratch holds one range's Parquet before and after: 2 GiB are 200 bytes a row, twice over, for
// the largest ranges that the configuration allows, 5 million rows, and cost next to nothing.
func steps(config Config, data *DataLake, source *SourceDatabase, vectors *VectorDatabase) []Function {
	bucket := settings.Lake{Bucket: *data.Lake.BucketName()}
	artifacts := settings.Artifacts{Bucket: *data.Artifacts.BucketName()}
	loader, asLoader := vectors.As(loaderRole)
	access := Access(data)
	toSource := func(name string) []Permission { return append(access[name], source.May...) }
	toVectors := func(name string) []Permission { return append(access[name], asLoader) }
	const scratchMiB = 2048
	return []Function{
		{Name: "plan-extract", MemoryMiB: 512, InVPC: true, May: toSource("plan-extract"), Settings: settings.PlanExtract{
			Lake: bucket, Source: source.Settings, RowsPerRange: int64(config.RowsPerRange), MaxConcurrency: config.MaxConcurrency}},
		{Name: "extract", MemoryMiB: 512, ScratchMiB: scratchMiB, InVPC: true, May: toSource("extract"),
			Settings: settings.Extract{Lake: bucket, Source: source.Settings}},
		{Name: "transform", MemoryMiB: 1024, ScratchMiB: scratchMiB, May: access["transform"],
			Settings: settings.Transform{Lake: bucket}},
		// An object a customer: it waits for S3, sixteen puts at once.
		{Name: "partition-write", MemoryMiB: 1024, ScratchMiB: scratchMiB, May: access["partition-write"],
			Settings: settings.PartitionWrite{Lake: bucket}},
		{Name: "publish-training-data", MemoryMiB: 1024, ScratchMiB: scratchMiB, May: access["publish-training-data"],
			Settings: settings.PublishTrainingData{Lake: bucket, GlueDatabase: data.Database, GlueTable: trainingTable}},
		{Name: "train", MemoryMiB: float64(config.TrainMemoryMiB), ScratchMiB: scratchMiB, May: access["train"],
			Settings: settings.Train{Lake: bucket, Artifacts: artifacts, ByDefault: config.Train,
				HoldOut: config.Options.HoldOut, Training: config.Options.Training}},
		{Name: "embedding-upload", MemoryMiB: 1024, InVPC: true, May: toVectors("embedding-upload"),
			Settings: settings.EmbeddingUpload{Lake: bucket, Artifacts: artifacts, VectorStore: loader, HandOver: config.Options.HandOver}},
		// All ratings and both sides' vectors are in its memory.
		{Name: "evaluate", MemoryMiB: 3008, ScratchMiB: scratchMiB, InVPC: true, May: toVectors("evaluate"),
			Settings: settings.Evaluate{Lake: bucket, Artifacts: artifacts, VectorStore: loader,
				HoldOut: config.Options.HoldOut, Gate: config.Options.Gate}},
		{Name: "vector-index", MemoryMiB: 512, InVPC: true, May: toVectors("vector-index"),
			Settings: settings.VectorIndex{Artifacts: artifacts, VectorStore: loader, Index: config.Options.Index}},
	}
}

func (w *BatchWorkflow) substitutions() *map[string]*string {
	values := map[string]*string{}
	for placeholder, name := range statemachines.Functions {
		values[placeholder] = w.Functions[name].FunctionArn()
	}
	return &values
}

// start makes what starts executions, once the databases are ready for them.
func (w *BatchWorkflow) start(config Config, data *DataLake, source *SourceDatabase, vectors *VectorDatabase) {
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
			Input: jsii.String(`{"stages":"embeddings"}`), // else the event would be the input
		}},
	})
	rule.Node().AddDependency(vectors.Ready, role)
	if !config.Scheduled() {
		return
	}
	role = starter("ScheduleRole", "scheduler.amazonaws.com")
	schedule := awsscheduler.NewCfnSchedule(w.scope, jsii.String("Schedule"), &awsscheduler.CfnScheduleProps{
		Description:        jsii.String("Runs both stages."),
		ScheduleExpression: jsii.String(config.Schedule), ScheduleExpressionTimezone: jsii.String(config.ScheduleTimezone),
		FlexibleTimeWindow: &awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		Target: &awsscheduler.CfnSchedule_TargetProperty{
			Arn: w.StateMachine.StateMachineArn(), RoleArn: role.RoleArn(), Input: jsii.String("{}"),
		},
	})
	schedule.Node().AddDependency(vectors.Ready, role)
	if source.Ready != nil {
		schedule.Node().AddDependency(source.Ready)
	}
}
