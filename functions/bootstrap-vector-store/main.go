package main

import (
	"context"

	"recsys/shared/contract/settings"
	"recsys/shared/runtime/customresource"
	"recsys/shared/runtime/step"
	"recsys/shared/store/rds"
)

func main() { step.Run(wire) }

func wire(ctx context.Context) (customresource.Resource, error) {
	config, err := settings.Load[settings.BootstrapVectorStore]()
	if err != nil {
		return customresource.Resource{}, err
	}
	token, err := rds.NewLogin(ctx, true, "")
	return Handler{Store: config.VectorStore, Token: token}.Resource(), err
}
