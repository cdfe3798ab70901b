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
	config, err := settings.Load[settings.VectorIndex]()
	if err != nil {
		return nil, err
	}
	client, err := objectstore.NewClient(ctx)
	if err != nil {
		return nil, err
	}
	db, err := vectorstore.Connect(ctx, vectorstore.Config{VectorStore: config.VectorStore, Application: "vector-index"})
	if err != nil {
		return nil, err
	}
	return &Handler{
		Artifacts:    objectstore.New(client, config.Bucket),
		DB:           db,
		Index:        HNSW{config.M, config.EfConstruction},
		Target:       config.RecallTarget,
		Queries:      config.RecallQueries,
		KeepVersions: config.KeepVersions,
	}, nil
}
