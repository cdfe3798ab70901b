package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	lambda "github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
)

// NewStack puts the constructs together. Code gives a function's compiled code by its folder. The stack's account and
// region are those that it is deployed with: nothing in it is looked up.
func NewStack(scope constructs.Construct, config deployment.Config, code func(function string) lambda.Code) awscdk.Stack {
	stack := awscdk.NewStack(scope, jsii.String(config.Name), &awscdk.StackProps{
		Description:           jsii.String("Recommender platform: training data, vector database, streaming recommendations."),
		TerminationProtection: jsii.Bool(config.Prod()),
		Tags:                  &map[string]*string{"application": jsii.String(config.Name), "stage": jsii.String(config.Stage)},
	})
	refuseOtherRegions(stack)
	data := NewDataLake(stack, "DataLake", config)
	factory := Factory{Config: config, Code: code, Network: NewNetwork(stack, "Network", config, data)}
	source := NewSourceDatabase(stack, "SourceDatabase", factory)
	vectors := NewVectorDatabase(stack, "VectorDatabase", factory)
	undelivered := NewUndelivered(stack, "Undelivered")
	batch := NewBatchWorkflow(stack, "BatchWorkflow", factory, data, source, vectors, undelivered)
	streaming := NewStreaming(stack, "Streaming", factory, data, vectors)
	api := NewAPI(stack, "API", factory, data, vectors, streaming.Stream)

	topic := newTopic(stack, "Notifications", config)
	tellEnds(stack, "Ends", batch.StateMachine, topic, undelivered)
	watched := watched(config, topic.TopicArn(), source, vectors, batch, streaming)
	if api != nil {
		watched.Functions["api"] = api.Function.FunctionName()
	}
	watched.UndeliveredQueue = undelivered.Queue.QueueName()
	dashboard := NewObservability(stack, "Observability", watched)
	newBudget(stack, "Budget", config)
	newOutputs(stack, config, data, batch, streaming, api, topic, dashboard)
	return stack
}

func watched(config deployment.Config, topicARN *string, source *SourceDatabase, vectors *VectorDatabase, batch *BatchWorkflow, streaming *Streaming) Watched {
	w := Watched{
		TopicARN: topicARN, StateMachineARN: batch.StateMachine.StateMachineArn(),
		Functions:  map[string]*string{"recommend": streaming.Recommend.FunctionName()},
		StreamName: streaming.Stream.StreamName(), DeliveryStreamName: streaming.Delivery.Ref(),
		DeliverySeconds: config.DeliverySeconds, Group: config.Shop.Group,
		Databases: []WatchedDatabase{vectors.Watched},
	}
	for name, function := range batch.Functions {
		w.Functions[name] = function.FunctionName()
	}
	if config.Scheduled() {
		w.SuccessWithinHours = config.SuccessWithinHours
	}
	if source.Watched != nil {
		w.Databases = append(w.Databases, *source.Watched)
	}
	return w
}
