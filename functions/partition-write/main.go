package main

import (
	"context"

	"recsys/shared/contract/settings"
	"recsys/shared/runtime/step"
	"recsys/shared/store/objectstore"
)

func main() {
	config, err := settings.Load[settings.PartitionWrite]()
	if err != nil {
		step.Fatal(err)
	}
	client, err := objectstore.NewClient(context.Background(), objectstore.Throttled)
	if err != nil {
		step.Fatal(err)
	}
	handler := Handler{Lake: objectstore.New(client, config.Bucket), Uploads: config.Uploads}
	step.Start(handler.Handle)
}
