package main

import (
	"context"

	"recsys/shared/contract/settings"
	"recsys/shared/runtime/customresource"
	"recsys/shared/runtime/step"
	"recsys/shared/shop/sampleshop"
	"recsys/shared/shop/source"
)

func main() { step.Run(wire) }

func wire(ctx context.Context) (customresource.Resource, error) {
	config, err := settings.Load[settings.LoadSampleShop]()
	if err != nil {
		return customresource.Resource{}, err
	}
	administrator, err := source.Configure(ctx, config.Source)
	return Handler{
		Administrator: administrator,
		Shop:          sampleshop.Options{SampleShop: config.SampleShop},
		Reader:        Reader{Name: config.Reader, Plugin: "AWSAuthenticationPlugin", As: "RDS"},
	}.Resource(), err
}
