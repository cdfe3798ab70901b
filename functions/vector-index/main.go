// vector-index builds the index of a loaded version, measures its recall, and makes it the active version. Or it goes
// back to the version before.
//
// Input: workflow.IndexInput. Output: workflow.Indexed. Reads: the version's row and tables. Writes its index, the
// active version and the views. Drops old and failed versions and their lake.VersionKey objects. Errors:
// InvalidInput, RecallTooLow. Retried: ObjectStoreUnavailable, VectorStoreUnavailable.
package main

import (
	"context"

	"recsys/shared/contract/settings"
	"recsys/shared/runtime/step"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

func main() {
	handler, err := wire(context.Background())
	if err != nil {
		step.Fatal(err)
	}
	step.Start(handler.Handle)
}

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
