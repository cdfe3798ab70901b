package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/glue"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/runtime/awsconfig"
	"recsys/shared/runtime/step"
	"recsys/shared/store/objectstore"
)

func main() { step.Run(wire) }

func wire(ctx context.Context) (*Handler, error) {
	config, err := settings.Load[settings.PublishTrainingData]()
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
	return &Handler{
		Lake:                objectstore.New(client, config.Bucket),
		Catalog:             Catalog{glue.NewFromConfig(loaded), config.GlueDatabase, lake.TrainingTable},
		MaxRejectedFraction: config.MaxRejectedFraction, KeepSnapshots: config.KeepSnapshots, Shrinkage: config.Share,
	}, nil
}
