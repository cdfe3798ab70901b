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

func main() {
	ctx := context.Background()
	published, err := settings.Load[settings.PublishTrainingData]()
	if err != nil {
		step.Fatal(err)
	}
	client, err := objectstore.NewClient(ctx)
	if err != nil {
		step.Fatal(err)
	}
	aws, err := awsconfig.Load(ctx)
	if err != nil {
		step.Fatal(err)
	}
	handler := Handler{
		Lake:                objectstore.New(client, published.Bucket),
		Catalog:             Catalog{glue.NewFromConfig(aws), published.GlueDatabase, lake.TrainingTable},
		MaxRejectedFraction: published.MaxRejectedFraction,
		KeepSnapshots:       published.KeepSnapshots,
		Shrinkage:           published.Share,
	}
	step.Start(handler.Handle)
}
