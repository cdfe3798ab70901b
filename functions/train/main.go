package main

import (
	"context"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/als"
	"recsys/shared/runtime/step"
	"recsys/shared/store/objectstore"
)

func main() { step.Run(wire) }

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
		ByDefault: config.ByDefault, HeldOut: lake.HoldOut{Seed: config.HoldOut.Seed, Fraction: config.HoldOut.Fraction}, Options: options,
		Search: config.Search.Search == "full", Neighbours: config.ItemNeighbours, Memory: int64(config.TrainMemoryMiB) << 20,
	}, nil
}
