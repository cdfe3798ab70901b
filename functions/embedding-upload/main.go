package main

import (
	"context"

	"recsys/shared/contract/settings"
	"recsys/shared/runtime/step"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

func main() { step.Run(wire) }

func wire(ctx context.Context) (*Handler, error) {
	config, err := settings.Load[settings.EmbeddingUpload]()
	if err != nil {
		return nil, err
	}
	client, err := objectstore.NewClient(ctx)
	if err != nil {
		return nil, err
	}
	db, err := vectorstore.Connect(ctx, vectorstore.Config{VectorStore: config.VectorStore, Application: "embedding-upload"})
	if err != nil {
		return nil, err
	}
	return &Handler{
		Artifacts: objectstore.New(client, config.Artifacts.Bucket),
		Lake:      objectstore.New(client, config.Lake.Bucket),
		DB:        db,
		Metric:    config.Metric,

		EnforceModelCheck: config.ModelCheck == "enforce",
	}, nil
}
