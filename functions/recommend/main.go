// Command recommend answers user activity from Kinesis with recommendations, which Firehose and an event bus deliver.
//
// Input: a Kinesis batch of activity records (package activity). Output: the first sequence number that is not done, if there is
// one. The event source mapping must have ReportBatchItemFailures.
//
// Reads: the active version's tables as recsys_reader, and its model under versions/<n>/ in the artifacts bucket.
// Writes: a line for each record to the delivery stream, and to the bus of the settings, rejected records to the recommendations bucket, and carts to
// vectorstore.CartTable and TrendingTable.
//
// A record passes portions (parse), Handler.answer (package answers), outcomes (its line), rejections and delivery.
// Settings: settings.Recommend. Spec: docs/stream.md.
package main

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/firehose"

	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/awsconfig"
	"recsys/shared/runtime/step"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

func main() { step.Run(wire) }

func wire(ctx context.Context) (*Handler, error) {
	s, err := settings.Load[settings.Recommend]()
	if err != nil {
		return nil, err
	}
	cfg, err := awsconfig.Load(ctx)
	if err != nil {
		return nil, err
	}
	objects, err := objectstore.NewClient(ctx)
	if err != nil {
		return nil, err
	}
	pool, err := vectorstore.Connect(ctx, connection(s))
	if err != nil {
		return nil, err
	}
	return New(s, pool, objectstore.New(objects, s.Artifacts.Bucket), objectstore.New(objects, s.RecommendationsBucket),
		deliveries(s, cfg)...), nil
}

// deliveries returns the doors of the settings. A client makes one attempt a call: delivery itself tries again, with the rest of
// the call and of the time.
func deliveries(s settings.Recommend, cfg aws.Config) []*delivery {
	cfg.RetryMaxAttempts = 1
	doors := []*delivery{toFirehose(firehose.NewFromConfig(cfg), s.DeliveryStream)}
	if s.EventBus != "" {
		doors = append(doors, toBus(eventbridge.NewFromConfig(cfg), s.EventBus))
	}
	return doors
}

// lockTimeout: only a version that is being dropped is locked against its readers, and the carts while others count them.
const lockTimeout = time.Second

// connection has room for the two connections of a batch, and for two more while broken ones are being closed.
func connection(s settings.Recommend) vectorstore.Config {
	return vectorstore.Config{VectorStore: s.VectorStore, Application: "recommend",
		StatementTimeout: s.DatabaseTimeout, LockTimeout: lockTimeout, MaxConns: workflow.RecommendConnections, Repeating: true}
}
