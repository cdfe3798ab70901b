package main

import (
	"context"

	"recsys/shared/contract/settings"
	"recsys/shared/runtime/step"
	"recsys/shared/store/objectstore"
)

func main() {
	config, err := settings.Load[settings.Transform]()
	if err != nil {
		step.Fatal(err)
	}
	client, err := objectstore.NewClient(context.Background())
	if err != nil {
		step.Fatal(err)
	}
	handler := Handler{Lake: objectstore.New(client, config.Bucket)}
	step.Start(handler.Handle)
}
