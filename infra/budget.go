package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbudgets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"recsys/infra/deployment"
)

// newBudget mails when the account's month will cost more than BudgetUSD, and when it has. It counts the whole account: a
// filter by tag would count nothing until somebody activates the tag in the billing console.
func newBudget(scope constructs.Construct, id string, config deployment.Config) {
	if config.BudgetUSD == 0 {
		return
	}
	var notifications []any
	for _, kind := range []string{"FORECASTED", "ACTUAL"} {
		notifications = append(notifications, &awsbudgets.CfnBudget_NotificationWithSubscribersProperty{
			Notification: &awsbudgets.CfnBudget_NotificationProperty{
				NotificationType: jsii.String(kind), ComparisonOperator: jsii.String("GREATER_THAN"),
				Threshold: jsii.Number(100), ThresholdType: jsii.String("PERCENTAGE"),
			},
			Subscribers: &[]any{&awsbudgets.CfnBudget_SubscriberProperty{
				SubscriptionType: jsii.String("EMAIL"), Address: jsii.String(config.AlarmEmail),
			}},
		})
	}
	awsbudgets.NewCfnBudget(scope, jsii.String(id), &awsbudgets.CfnBudgetProps{
		Budget: &awsbudgets.CfnBudget_BudgetDataProperty{
			BudgetType: jsii.String("COST"), TimeUnit: jsii.String("MONTHLY"),
			BudgetLimit: &awsbudgets.CfnBudget_SpendProperty{Amount: jsii.Number(config.BudgetUSD), Unit: jsii.String("USD")},
		},
		NotificationsWithSubscribers: &notifications,
	})
}
