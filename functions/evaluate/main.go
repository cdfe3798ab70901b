package main

import (
	"context"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/learn/evaluation"
	"recsys/shared/runtime/step"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

func main() { step.Run(wire) }

// maxCustomers are ranked in some seconds at 27,000 items of 32 dimensions, and in some minutes at ten times as much.
const maxCustomers = 100_000

func wire(ctx context.Context) (*Handler, error) {
	config, err := settings.Load[settings.Evaluate]()
	if err != nil {
		return nil, err
	}
	client, err := objectstore.NewClient(ctx)
	if err != nil {
		return nil, err
	}
	db, err := vectorstore.Connect(ctx, vectorstore.Config{VectorStore: config.VectorStore, Application: "evaluate"})
	if err != nil {
		return nil, err
	}
	gate := func(mode string) evaluation.Gate {
		return evaluation.Gate{Mode: evaluation.Mode(mode), Allowance: config.Allowance, Neighbours: evaluation.Mode(config.GateNeighbours), Seed: config.HoldOut.Seed}
	}
	return &Handler{
		Lake: objectstore.New(client, config.Lake.Bucket), Artifacts: objectstore.New(client, config.Artifacts.Bucket), DB: db,
		MaxCustomers: maxCustomers,
		HeldOut:      lake.HoldOut{Seed: config.HoldOut.Seed, Fraction: config.HoldOut.Fraction}, Trained: gate(config.GateTrained), HandedOver: gate(config.GateHandedOver),
	}, nil
}
