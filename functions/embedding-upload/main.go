// embedding-upload turns the artifacts that the run has trained, or that a data scientist handed over, into a new
// version of the vector database. The version is not yet active: evaluate measures it, and vector-index indexes and
// activates it.
//
// Input: workflow.UploadInput. Output: workflow.Uploaded. Reads lake.TrainedArtifacts, or lake.HandedOver. Reads
// lake.LatestKey, and of its snapshot lake.ManifestKey, lake.PopularityKey, every lake.RangeKey (the pairs of
// customer and item) and lake.ProductsKey (lines and stock). Writes lake.VersionKey copies of the artifacts, and the
// version's row and tables. Deletes the copies of a version that fails. Errors: InvalidInput, InvalidEmbeddings.
// Retried: HandOverUnderway, Overtaken, ObjectStoreUnavailable, VectorStoreUnavailable.
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
