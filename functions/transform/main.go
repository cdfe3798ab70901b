package main

import (
	"context"

	"recsys/shared/contract/settings"
	"recsys/shared/runtime/step"
	"recsys/shared/store/objectstore"
)

func main() { step.Run(wire) }

func wire(ctx context.Context) (*Handler, error) {
	config, err := settings.Load[settings.Transform]()
	if err != nil {
		return nil, err
	}
	client, err := objectstore.NewClient(ctx)
	if err != nil {
		return nil, err
	}
	return &Handler{Lake: objectstore.New(client, config.Bucket)}, nil
}
