// Command api answers HTTP requests with recommendations, behind an API Gateway HTTP API.
//
// Input: a request as the gateway hands it over (payload format 2.0). Output: a JSON answer, or a problem of RFC 9457.
// GET /v1/openapi.json is the contract of all routes.
//
// Reads: the active version's tables as recsys_reader, its model and its other files under versions/<n>/ in the artifacts bucket, and
// the popular products of the newest snapshot in the lake. Writes: carts, as functions/recommend does.
//
// A request passes routes.go (the contract), questions.go (a record of the shop's form), package answers (retrieve, filter, score,
// order) and replies.go. If the database is away or slow, degraded.go answers with popular products.
// Settings: settings.API. Spec: docs/api.md.
package main

import (
	"context"
	"time"

	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/step"
	"recsys/shared/serving/answers"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

func main() { step.Run(wire) }

func wire(ctx context.Context) (*Handler, error) {
	s, err := settings.Load[settings.API]()
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
	service := answers.New(pool, objectstore.New(objects, s.Artifacts.Bucket), s.Ranking, s.RequestTimeout)
	return New(s.Requests, service, objectstore.New(objects, s.Lake.Bucket)), nil
}

// lockTimeout is how long a version that is being dropped, and carts that others count, may hold a request up.
const lockTimeout = time.Second

// connection has room for the two connections of a request. A function answers one request at a time.
func connection(s settings.API) vectorstore.Config {
	return vectorstore.Config{VectorStore: s.VectorStore, Application: "api",
		StatementTimeout: s.RequestTimeout, LockTimeout: lockTimeout, MaxConns: workflow.APIConnections, Repeating: true}
}
