package main

import (
	"context"

	"recsys/shared/objectstore"
	"recsys/shared/settings"
	"recsys/shared/step"
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
