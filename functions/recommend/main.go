// Command recommend answers user activity from Kinesis with recommendations, which Firehose delivers.
//
// Input: a Kinesis batch of activity records (package activity). Output: the first sequence number that is not done, if there is
// one. The event source mapping must have ReportBatchItemFailures.
//
// Reads: the active version's tables as recsys_reader, and its model under versions/<n>/ in the artifacts bucket.
// Writes: a line for each record to the delivery stream, rejected records to the recommendations bucket, and carts to
// vectorstore.CartTable and TrendingTable.
//
// A record passes portions (parse), Handler.answer (package answers), outcomes (its line), rejections and delivery.
// Settings: settings.Recommend. Spec: docs/stream.md.
package main

import (
	"context"
	"time"

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
	// One attempt a call: delivery itself tries again, with the rest of the call and of the time.
	client := firehose.NewFromConfig(cfg, func(o *firehose.Options) { o.RetryMaxAttempts = 1 })
	return New(s, pool, client,
		objectstore.New(objects, s.Artifacts.Bucket), objectstore.New(objects, s.RecommendationsBucket)), nil
}

// lockTimeout: only a version that is being dropped is locked against its readers, and the carts while others count them.
const lockTimeout = time.Second

// connection has room for the two connections of a batch, and for two more while broken ones are being closed.
func connection(s settings.Recommend) vectorstore.Config {
	return vectorstore.Config{VectorStore: s.VectorStore, Application: "recommend",
		StatementTimeout: s.DatabaseTimeout, LockTimeout: lockTimeout, MaxConns: workflow.RecommendConnections, Repeating: true}
}
