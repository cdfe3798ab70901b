package main

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/shared/runtime/metrics"
	"recsys/shared/stream/activity"
)

// width of a dashboard, in CloudWatch's units.
const width = 24

// newDashboard answers "is it working?" in its first row. The rows below say why not: batch, stream, databases,
// functions.
func newDashboard(scope constructs.Construct, w Watched, alarms []awscloudwatch.Alarm) awscloudwatch.Dashboard {
	return awscloudwatch.NewDashboard(scope, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DefaultInterval: hours(24),
		Widgets: &[]*[]awscloudwatch.IWidget{
			w.isItWorking(alarms),
			row(
				graph{Title: "Executions", Metrics: w.executions()},
				graph{Title: "Rows", Metrics: w.rows()},
				graph{Title: "Seconds a step", Metrics: w.seconds()},
			),
			row(
				graph{Title: "Records", Metrics: w.records()},
				graph{Title: "Answers by strategy", Metrics: w.strategies(), Stacked: true},
				graph{Title: "Milliseconds behind", Metrics: []awscloudwatch.IMetric{
					w.lambda("recommend", "IteratorAge", "Maximum", "recommend", minutes(1)),
					w.stream("GetRecords.IteratorAgeMilliseconds", "Maximum", "stream", minutes(1)),
				}},
				graph{Title: "Seconds to delivery", Metrics: []awscloudwatch.IMetric{
					w.delivery("DeliveryToS3.DataFreshness", "Maximum", "age of the oldest answer", minutes(5)),
				}},
			),
			row(
				graph{Title: "Database CPU, %", Metrics: w.ofDatabases("CPUUtilization", "Average")},
				graph{Title: "Database connections", Metrics: w.ofDatabases("DatabaseConnections", "Maximum")},
				graph{Title: "Free storage, bytes", Metrics: w.ofDatabases("FreeStorageSpace", "Minimum")},
			),
			row(
				graph{Title: "Errors of functions", Metrics: w.ofFunctions("Errors", "Sum")},
				graph{Title: "Throttled calls", Metrics: w.ofFunctions("Throttles", "Sum")},
				graph{Title: "Longest call, ms", Metrics: w.ofFunctions("Duration", "Maximum")},
			),
		},
	})
}

func (w Watched) isItWorking(alarms []awscloudwatch.Alarm) *[]awscloudwatch.IWidget {
	refs := make([]interfacesawscloudwatch.IAlarmRef, len(alarms))
	for i, a := range alarms {
		refs[i] = a
	}
	const height = 5
	return &[]awscloudwatch.IWidget{
		awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
			Title: jsii.String("Is it working? Red is not"), Alarms: &refs,
			Width: jsii.Number(width / 2), Height: jsii.Number(height),
		}),
		awscloudwatch.NewSingleValueWidget(&awscloudwatch.SingleValueWidgetProps{
			Title: jsii.String("Now"), Width: jsii.Number(width / 2), Height: jsii.Number(height),
			Metrics: &[]awscloudwatch.IMetric{
				w.execution("ExecutionsSucceeded", "executions succeeded, last day", hours(24)),
				w.own("publish-training-data", metrics.Rows, "Maximum", "rows published, last day", hours(24)),
				w.own("evaluate", metrics.NDCG, "Minimum", "NDCG@10, last day", hours(24)),
				w.own("vector-index", metrics.Recall, "Minimum", "recall, last day", hours(24)),
				w.own("recommend", metrics.Records, "Sum", "records answered, last hour", hours(1)),
				w.lambda("recommend", "IteratorAge", "Maximum", "ms behind", minutes(5)),
			},
		}),
	}
}

func (w Watched) executions() []awscloudwatch.IMetric {
	return []awscloudwatch.IMetric{
		w.execution("ExecutionsStarted", "started", hours(1)),
		w.execution("ExecutionsSucceeded", "succeeded", hours(1)),
		w.execution("ExecutionsFailed", "failed", hours(1)),
		w.execution("ExecutionsTimedOut", "timed out", hours(1)),
		w.execution("ExecutionsAborted", "aborted", hours(1)),
	}
}

func (w Watched) rows() []awscloudwatch.IMetric {
	return []awscloudwatch.IMetric{
		w.own("extract", metrics.Rows, "Sum", "extracted", hours(1)),
		w.own("transform", metrics.Rows, "Sum", "transformed", hours(1)),
		w.own("transform", metrics.RejectedRows, "Sum", "rejected", hours(1)),
		w.own("partition-write", metrics.Rows, "Sum", "partitioned", hours(1)),
	}
}

func (w Watched) seconds() []awscloudwatch.IMetric {
	var all []awscloudwatch.IMetric
	for _, name := range w.names() {
		if name != "recommend" {
			all = append(all, w.own(name, metrics.Seconds, "Maximum", name, hours(1)))
		}
	}
	return all
}

func (w Watched) records() []awscloudwatch.IMetric {
	return []awscloudwatch.IMetric{
		w.stream("IncomingRecords", "Sum", "put on the stream", minutes(5)),
		w.own("recommend", metrics.Records, "Sum", "answered", minutes(5)),
		w.own("recommend", metrics.RejectedRecords, "Sum", "rejected", minutes(5)),
		w.own("recommend", metrics.UndoneRecords, "Sum", "delivered again", minutes(5)),
		w.delivery("DeliveryToS3.Records", "Sum", "delivered", minutes(5)),
	}
}

func (w Watched) strategies() []awscloudwatch.IMetric {
	var all []awscloudwatch.IMetric
	for _, strategy := range activity.StrategiesOf(w.Group) {
		all = append(all, w.own("recommend", metrics.Answers(strategy), "Sum", string(strategy), minutes(5)))
	}
	return all
}

func (w Watched) ofDatabases(name, statistic string) []awscloudwatch.IMetric {
	var all []awscloudwatch.IMetric
	for _, database := range w.Databases {
		all = append(all, database.metric(name, statistic, minutes(5)))
	}
	return all
}

func (w Watched) ofFunctions(name, statistic string) []awscloudwatch.IMetric {
	var all []awscloudwatch.IMetric
	for _, function := range w.names() {
		all = append(all, w.lambda(function, name, statistic, function, minutes(5)))
	}
	return all
}

// names of the functions, always in the same order: two synths have to be equal.
func (w Watched) names() []string { return slices.Sorted(maps.Keys(w.Functions)) }

// graph is one drawing of a row.
type graph struct {
	Title   string
	Metrics []awscloudwatch.IMetric
	Stacked bool
}

// row lays graphs beside each other over the whole width.
func row(graphs ...graph) *[]awscloudwatch.IWidget {
	widgets := make([]awscloudwatch.IWidget, len(graphs))
	for i, g := range graphs {
		widgets[i] = awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
			Title: jsii.String(g.Title), Left: &g.Metrics, Stacked: jsii.Bool(g.Stacked),
			Width: jsii.Number(float64(width / len(graphs))), Height: jsii.Number(6),
			LeftYAxis: &awscloudwatch.YAxisProps{Min: jsii.Number(0), ShowUnits: jsii.Bool(false)},
		})
	}
	return &widgets
}
