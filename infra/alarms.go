package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/shared/contract/lake"
	"recsys/shared/runtime/metrics"
)

// Limits of the alarms. Each means that somebody has something to do.
const (
	maxBehindMinutes    = 5    // age of the oldest record that recommend is given
	maxRejectedPercent  = 1    // of a quarter of an hour's activity records
	maxDeliveries       = 3    // age of the oldest answer that Firehose has not written, in times that it collects for
	minFreeStorage      = 0.08 // of the database's first size. RDS adds some under 10 %
	minFreeMemory       = 0.06 // of the instance's
	minCredits          = 20   // minutes of one core that a burstable instance has saved up
	maxConnectionsInUse = 0.8  // of the allowed ones
)

// alarm is a condition that lasts for Periods of the metric's period.
type alarm struct {
	ID          string
	Description string // its meaning, and where to look. It is the text of the mail
	Metric      awscloudwatch.IMetric
	Comparison  awscloudwatch.ComparisonOperator
	Threshold   float64
	Periods     float64
	// SilenceIsWrong: no data at all is the condition, too. Otherwise no data means that nothing is going on.
	SilenceIsWrong bool
}

const (
	over  = awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD
	under = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD
)

func newAlarms(scope constructs.Construct, w Watched) []awscloudwatch.Alarm {
	conditions := append(w.batchAlarms(), w.streamAlarms()...)
	for _, database := range w.Databases {
		conditions = append(conditions, database.alarms()...)
	}
	alarms := make([]awscloudwatch.Alarm, 0, len(conditions))
	for _, c := range conditions {
		alarms = append(alarms, c.create(scope, w.TopicARN))
	}
	return alarms
}

func (w Watched) batchAlarms() []alarm {
	alarms := []alarm{{
		ID:          "ExecutionFailed",
		Description: "An execution of the batch workflow ended without success. The data and the version before stay active. Its state Failed has the error's name, and the README says how to mend it.",
		Metric: awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: jsii.String("SUM([failed, timedOut, aborted])"), Label: jsii.String("not succeeded"), Period: minutes(5),
			UsingMetrics: &map[string]awscloudwatch.IMetric{
				"failed":   w.execution("ExecutionsFailed", "failed", minutes(5)),
				"timedOut": w.execution("ExecutionsTimedOut", "timed out", minutes(5)),
				"aborted":  w.execution("ExecutionsAborted", "aborted", minutes(5)),
			},
		}),
		Comparison: over, Threshold: 0, Periods: 1,
	}, {
		ID:          "NotPromoted",
		Description: "A new version was refused, because it is not measurably better than a list of best-sellers, or is worse than the active version. The active version stays. The report is in the lake bucket under " + lake.EvaluationReportsParent + ".",
		Metric:      w.own("evaluate", metrics.NotPromoted, "Sum", "not promoted", minutes(5)),
		Comparison:  over, Threshold: 0, Periods: 1,
	}}
	alarms = append(alarms, alarm{
		ID:          "Undelivered",
		Description: "EventBridge could not start an execution or send a message. The event is in the dead-letter queue, with the reason in its attributes. Mend the cause, start the execution by hand, and purge the queue.",
		Metric:      w.queue("ApproximateNumberOfMessagesVisible", "Maximum", "events", minutes(5)),
		Comparison:  over, Threshold: 0, Periods: 1,
	})
	if w.SuccessWithinHours > 0 {
		alarms = append(alarms, alarm{
			ID: "NoExecutionSucceeded",
			Description: fmt.Sprintf("No execution of the batch workflow has succeeded for %d hours. See if the schedule is on and if executions fail. "+
				"Right after the first deployment it means that none has run yet.", w.SuccessWithinHours),
			Metric:     w.execution("ExecutionsSucceeded", "succeeded", hours(1)),
			Comparison: under, Threshold: 1, Periods: float64(w.SuccessWithinHours), SilenceIsWrong: true,
		})
	}
	return alarms
}

func (w Watched) streamAlarms() []alarm {
	return []alarm{{
		ID:          "AnswersLate",
		Description: fmt.Sprintf("recommend gets records that are over %d minutes old. It fails (see its log), or it needs more shards or a higher parallelization.", maxBehindMinutes),
		Metric:      w.lambda("recommend", "IteratorAge", "Maximum", "behind", minutes(1)),
		Comparison:  over, Threshold: maxBehindMinutes * 60_000, Periods: 5,
	}, {
		ID:          "RecommendFails",
		Description: "Batches of recommend have failed for a quarter of an hour. See its log. Their records are tried again until they are too old. Then they lie whole under the failure destination.",
		// It reports failed work rather than fail: AWS's count of errors alone sees only crashes.
		Metric: awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: jsii.String("SUM([errors, undone])"), Label: jsii.String("failures"), Period: minutes(5),
			UsingMetrics: &map[string]awscloudwatch.IMetric{
				"errors": w.lambda("recommend", "Errors", "Sum", "errors", minutes(5)),
				"undone": w.own("recommend", metrics.UndoneRecords, "Sum", "undone", minutes(5)),
			},
		}),
		Comparison: over, Threshold: 0, Periods: 3,
	}, {
		ID:          "RecordsRejected",
		Description: fmt.Sprintf("Over %d %% of the activity records can never be answered. They lie under rejected/ in the recommendations bucket, each with its reason.", maxRejectedPercent),
		Metric: awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: jsii.String("100 * FILL(rejected, 0) / (FILL(answered, 0) + FILL(rejected, 0))"),
			Label:      jsii.String("% rejected"), Period: minutes(15),
			UsingMetrics: &map[string]awscloudwatch.IMetric{
				"rejected": w.own("recommend", metrics.RejectedRecords, "Sum", "rejected", minutes(15)),
				"answered": w.own("recommend", metrics.Records, "Sum", "answered", minutes(15)),
			},
		}),
		Comparison: over, Threshold: maxRejectedPercent, Periods: 1,
	}, {
		ID:          "AnswersNotDelivered",
		Description: fmt.Sprintf("Firehose has held answers for over %d s without writing them to the recommendations bucket. See its error log.", w.latestDelivery()),
		Metric:      w.delivery("DeliveryToS3.DataFreshness", "Maximum", "age", minutes(5)),
		Comparison:  over, Threshold: float64(w.latestDelivery()), Periods: 2,
	}, {
		ID:          "StreamFull",
		Description: "Kinesis has refused records for a quarter of an hour, because a shard takes 1,000 records or 1 MB a second. Producers that do not try again lose them. Raise shards.",
		Metric:      w.stream("WriteProvisionedThroughputExceeded", "Sum", "refused", minutes(5)),
		Comparison:  over, Threshold: 0, Periods: 3,
	}, {
		ID:          "Throttled",
		Description: "Lambda has refused calls of recommend for a quarter of an hour. The account's quota of concurrent calls is used up. Ask AWS for a higher one, or lower maxConcurrency.",
		Metric:      w.lambda("recommend", "Throttles", "Sum", "refused", minutes(5)),
		Comparison:  over, Threshold: 0, Periods: 3,
	}}
}

// latestDelivery returns the seconds after which an answer must have been written. Firehose needs some, however few it
// collects for.
func (w Watched) latestDelivery() int { return maxDeliveries * max(w.DeliverySeconds, 60) }

func (d WatchedDatabase) alarms() []alarm {
	const gib = 1 << 30
	alarms := []alarm{{
		ID:          d.ID + "Storage",
		Description: "The database has less than 8 % of its storage left, and a full database stops. RDS adds storage under 10 %, but at most every six hours. Keep fewer versions, or give it more storage.",
		Metric:      d.metric("FreeStorageSpace", "Minimum", minutes(5)),
		Comparison:  under, Threshold: minFreeStorage * d.AllocatedGiB * gib, Periods: 3,
	}, {
		ID:          d.ID + "Memory",
		Description: "The database has less than 6 % of its memory left. IAM logins fail first, then it restarts. Take a larger instance, or fewer calls at once.",
		Metric:      d.metric("FreeableMemory", "Minimum", minutes(5)),
		Comparison:  under, Threshold: minFreeMemory * float64(d.MemoryGiB) * gib, Periods: 3,
	}, {
		ID:          d.ID + "Connections",
		Description: "Over 80 % of the database's connections are in use. Lower the workflow's or the mapping's concurrency, or take a larger instance.",
		Metric:      d.metric("DatabaseConnections", "Maximum", minutes(1)),
		Comparison:  over, Threshold: maxConnectionsInUse * d.MaxConnections, Periods: 5,
	}}
	if d.Burstable {
		alarms = append(alarms, alarm{
			ID:          d.ID + "Credits",
			Description: "The burstable instance has spent its CPU credits. It is slow, or costs extra. Take a larger one, or one that is not burstable.",
			Metric:      d.metric("CPUCreditBalance", "Minimum", minutes(5)),
			Comparison:  under, Threshold: minCredits, Periods: 6,
		})
	}
	return alarms
}

func (a alarm) create(scope constructs.Construct, topicARN *string) awscloudwatch.Alarm {
	missing := awscloudwatch.TreatMissingData_NOT_BREACHING
	if a.SilenceIsWrong {
		missing = awscloudwatch.TreatMissingData_BREACHING
	}
	created := awscloudwatch.NewAlarm(scope, jsii.String(a.ID), &awscloudwatch.AlarmProps{
		AlarmDescription: jsii.String(a.Description), Metric: a.Metric, ComparisonOperator: a.Comparison,
		Threshold: jsii.Number(a.Threshold), EvaluationPeriods: jsii.Number(a.Periods), TreatMissingData: missing,
	})
	// The action's own package, awscloudwatchactions, would bring a dozen more to compile for one ARN.
	resource := created.Node().DefaultChild().(awscloudwatch.CfnAlarm)
	resource.SetAlarmActions(&[]*string{topicARN})
	resource.SetOkActions(&[]*string{topicARN})
	return created
}
