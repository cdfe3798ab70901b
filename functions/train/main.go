// train learns embeddings of customers and items from the newest snapshot: implicit alternating least squares (package
// als), and a linear map that gives unseen customers and unrated products a vector. It fits twice: without the
// held-out ratings, for evaluate to measure, and on everything, to answer with.
//
// Input: workflow.TrainInput. Output: workflow.Trained. Reads lake.LatestKey and the snapshot, and lake.SuccessKey,
// to see if anything is handed over. Writes: lake.TrainingPlanKey (once), lake.CheckpointKey after each iteration,
// lake.TrainedArtifacts under lake.TrainedPrefix of the run, where they start no other run, and lake.TrainedKey last.
// Errors: InvalidInput. Retried: OutOfTime, ObjectStoreUnavailable (an attempt goes on after the last checkpoint and
// ends with the same bytes).
package main

import (
	"context"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/als"
	"recsys/shared/runtime/step"
	"recsys/shared/store/objectstore"
)

func main() {
	handler, err := wire(context.Background())
	if err != nil {
		step.Fatal(err)
	}
	step.Start(handler.Handle)
}

func wire(ctx context.Context) (*Handler, error) {
	config, err := settings.Load[settings.Train]()
	if err != nil {
		return nil, err
	}
	options := als.Default()
	options.Training = config.Training
	client, err := objectstore.NewClient(ctx)
	if err != nil {
		return nil, err
	}
	return &Handler{
		Lake: objectstore.New(client, config.Lake.Bucket), Artifacts: objectstore.New(client, config.Artifacts.Bucket),
		ByDefault: config.ByDefault, HeldOut: lake.HoldOut(config.HoldOut), Options: options,
	}, nil
}
