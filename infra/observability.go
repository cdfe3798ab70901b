package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/shared/runtime/metrics"
)

// Watched holds the names that the alarms and the dashboard watch, as CloudWatch's dimensions have them. They may be
// tokens, which are known only when the stack is deployed.
type Watched struct {
	// TopicARN takes every alarm, and its end.
	TopicARN *string
	// StateMachineARN is the batch workflow.
	StateMachineARN *string
	// SuccessWithinHours is how long the workflow may go without an execution that succeeded, 1 to 168 (CloudWatch
	// looks back a week at most). 0: nothing is scheduled, so nothing is expected.
	SuccessWithinHours int
	// Functions are the deployed names of the functions, by folder.
	Functions map[string]*string
	// StreamName is the Kinesis stream, DeliveryStreamName the Firehose stream.
	StreamName, DeliveryStreamName *string
	// Group is the customers' column that popularity is counted by. "": the shop has none.
	Group string
	// UndeliveredQueue takes the events that reached no target.
	UndeliveredQueue *string
	// DeliverySeconds is how long Firehose collects before it writes.
	DeliverySeconds int
	// Databases are those that the stack owns. The owner of an existing database watches it.
	Databases []WatchedDatabase
}

// WatchedDatabase is an RDS instance.
type WatchedDatabase struct {
	// ID names it in its alarms' ids and titles: VectorDatabase, SourceDatabase.
	ID string
	// Identifier is the instance's, on AWS.
	Identifier *string
	// AllocatedGiB is its storage when it is made.
	AllocatedGiB float64
	// MaxConnections is how many the parameter group allows.
	MaxConnections float64
	// MemoryGiB is the instance's. Burstable instances work on credits, which can run out.
	MemoryGiB int
	Burstable bool
}

// NewObservability makes the alarms, which tell TopicARN, and the dashboard. It returns the dashboard, for the outputs.
func NewObservability(scope constructs.Construct, id string, watched Watched) awscloudwatch.Dashboard {
	this := constructs.NewConstruct(scope, jsii.String(id))
	return newDashboard(this, watched, newAlarms(this, watched))
}

// metric is one of AWS's or our own. label is its name in a graph.
func metric(namespace, name, statistic, label string, dimensions map[string]*string, period awscdk.Duration) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(namespace), MetricName: jsii.String(name), Statistic: jsii.String(statistic),
		Label: jsii.String(label), DimensionsMap: &dimensions, Period: period,
	})
}

func (w Watched) execution(name, label string, period awscdk.Duration) awscloudwatch.Metric {
	return metric("AWS/States", name, "Sum", label, map[string]*string{"StateMachineArn": w.StateMachineARN}, period)
}

// lambda is a metric that AWS keeps of a function.
func (w Watched) lambda(function, name, statistic, label string, period awscdk.Duration) awscloudwatch.Metric {
	return metric("AWS/Lambda", name, statistic, label, map[string]*string{"FunctionName": w.Functions[function]}, period)
}

// own is a metric that the function itself sends.
func (w Watched) own(function, name, statistic, label string, period awscdk.Duration) awscloudwatch.Metric {
	return metric(metrics.Namespace, name, statistic, label,
		map[string]*string{metrics.FunctionDimension: w.Functions[function]}, period)
}

func (w Watched) stream(name, statistic, label string, period awscdk.Duration) awscloudwatch.Metric {
	return metric("AWS/Kinesis", name, statistic, label, map[string]*string{"StreamName": w.StreamName}, period)
}

func (w Watched) delivery(name, statistic, label string, period awscdk.Duration) awscloudwatch.Metric {
	return metric("AWS/Firehose", name, statistic, label, map[string]*string{"DeliveryStreamName": w.DeliveryStreamName}, period)
}

func (w Watched) queue(name, statistic, label string, period awscdk.Duration) awscloudwatch.Metric {
	return metric("AWS/SQS", name, statistic, label, map[string]*string{"QueueName": w.UndeliveredQueue}, period)
}

func (d WatchedDatabase) metric(name, statistic string, period awscdk.Duration) awscloudwatch.Metric {
	return metric("AWS/RDS", name, statistic, d.ID, map[string]*string{"DBInstanceIdentifier": d.Identifier}, period)
}

func minutes(n float64) awscdk.Duration { return awscdk.Duration_Minutes(jsii.Number(n)) }

func hours(n float64) awscdk.Duration { return awscdk.Duration_Hours(jsii.Number(n)) }
