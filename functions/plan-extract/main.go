package main

import (
	"context"

	"recsys/shared/contract/settings"
	"recsys/shared/runtime/step"
	"recsys/shared/shop/source"
	"recsys/shared/store/objectstore"
)

func main() {
	config, err := settings.Load[settings.PlanExtract]()
	if err != nil {
		step.Fatal(err)
	}
	client, err := objectstore.NewClient(context.Background())
	if err != nil {
		step.Fatal(err)
	}
	database, err := source.Open(context.Background(), config.Source)
	if err != nil {
		step.Fatal(err)
	}
	identity, err := source.Identity(config.Source)
	if err != nil {
		step.Fatal(err)
	}
	handler := Handler{
		Source:         database,
		Identity:       identity,
		Shrinkage:      config.Share,
		Lake:           objectstore.New(client, config.Bucket),
		RowsPerRange:   config.RowsPerRange,
		MaxConcurrency: config.MaxConcurrency,
	}
	step.Start(handler.Handle)
}
