package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/glue"

	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/awsconfig"
	"recsys/shared/runtime/step"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

func main() { step.Run(wire) }

func wire(ctx context.Context) (*Handler, error) {
	config, err := settings.Load[settings.Export]()
	if err != nil {
		return nil, err
	}
	client, err := objectstore.NewClient(ctx)
	if err != nil {
		return nil, err
	}
	loaded, err := awsconfig.Load(ctx)
	if err != nil {
		return nil, err
	}
	db, err := vectorstore.Connect(ctx, vectorstore.Config{VectorStore: config.VectorStore, Application: "export",
		StatementTimeout: patience, MaxConns: workflow.RecommendConnections, Repeating: true})
	if err != nil {
		return nil, err
	}
	return New(config, db, objectstore.New(client, config.Lake.Bucket), objectstore.New(client, config.Artifacts.Bucket),
		Catalog{glue.NewFromConfig(loaded), config.GlueDatabase}), nil
}
