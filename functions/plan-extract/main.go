package main

import (
	"context"

	"recsys/shared/contract/settings"
	"recsys/shared/runtime/step"
	"recsys/shared/shop/shopfile"
	"recsys/shared/shop/source"
	"recsys/shared/store/objectstore"
)

func main() { step.Run(wire) }

func wire(ctx context.Context) (*Handler, error) {
	config, err := settings.Load[settings.PlanExtract]()
	if err != nil {
		return nil, err
	}
	client, err := objectstore.NewClient(ctx)
	if err != nil {
		return nil, err
	}
	shop, err := shopfile.LoadDeployed(config.ShopFile.Path)
	if err != nil {
		return nil, err
	}
	database, err := source.Open(ctx, config.Source)
	if err != nil {
		return nil, err
	}
	identity, err := source.Identity(config.Source)
	if err != nil {
		return nil, err
	}
	if shop.InFiles() {
		identity = "files"
	}
	return &Handler{
		Source: database, Shop: shop, Identity: identity, Shrinkage: config.Share, Lake: objectstore.New(client, config.Bucket),
		Layout: config.Layout, RowsPerRange: config.RowsPerRange, MaxConcurrency: config.MaxConcurrency,
	}, nil
}
