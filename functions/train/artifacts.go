package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"

	"golang.org/x/sync/errgroup"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/als"
	"recsys/shared/learn/embeddings"
	"recsys/shared/learn/model"
	"recsys/shared/learn/sparse"
	"recsys/shared/shop/interactions"
	"recsys/shared/store/objectstore"
)

// known holds the facts about a snapshot's customers and items, apart from interactions, as a model's features.
type known struct {
	snapshot *interactions.Snapshot
	encoders *model.Encoders
}

func knownOf(snapshot *interactions.Snapshot) known {
	return known{snapshot, model.FitEncoders(snapshot.Users, snapshot.Products)}
}

// with is the input of a training.
func (k known) with(ratings *sparse.Matrix) als.Data {
	return als.Data{Ratings: ratings, Users: k.encoders.Users(k.snapshot.Users), Items: k.encoders.Items(k.snapshot.Products)}
}

// output writes a run's artifacts.
type output struct {
	store    *objectstore.Store
	run      string
	snapshot *interactions.Snapshot
}

// vectors writes both files of embeddings.
func (o output) vectors(ctx context.Context, itemsKey, usersKey string, of als.Factors) error {
	writing, ctx := errgroup.WithContext(ctx)
	writing.Go(func() error {
		return writeVectors(ctx, o, itemsKey, o.snapshot.Items, shape.Text, of.Items, of.Dimension)
	})
	writing.Go(func() error {
		return writeVectors(ctx, o, usersKey, o.snapshot.Customers, o.snapshot.Shop.Customer.Type, of.Users, of.Dimension)
	})
	return writing.Wait()
}

func writeVectors(ctx context.Context, o output, key string, ids []string, idType shape.Type, vectors []float32, dimension int) error {
	file, err := objectstore.Scratch()
	if err != nil {
		return err
	}
	defer file.Close()
	written, err := embeddings.Write(file, ids, idType, vectors, dimension)
	if err != nil {
		return err
	}
	if left := len(ids) - written; left > 0 {
		slog.WarnContext(ctx, "some have no embedding: nothing is known of them", "file", key, "left out", left)
	}
	_, err = o.store.PutFile(ctx, lake.TrainedPrefix(o.run)+key, file)
	return err
}

// model writes the maps that give a vector to customers and items without one.
func (o output) model(ctx context.Context, encoders *model.Encoders, of als.Factors) error {
	content, err := model.WriteLinear(encoders, of.UserMap, of.ItemMap)
	if err != nil {
		return err
	}
	return o.put(ctx, lake.LinearModelKey, bytes.NewReader(content))
}

// training says how the artifacts came about.
func (o output) training(ctx context.Context, training lake.Training) error {
	_, err := o.store.PutJSON(ctx, lake.TrainedPrefix(o.run)+lake.TrainingKey, training)
	return err
}

func (o output) put(ctx context.Context, key string, content io.ReadSeeker) error {
	_, err := o.store.Put(ctx, lake.TrainedPrefix(o.run)+key, content)
	return err
}

// described are the options as the report shows them.
func described(o als.Options, n *lake.Neighbours) []lake.Option {
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	weights := lake.Option{Name: "rating weights", Value: fmt.Sprint(o.RatingWeights)}
	if o.Confidence {
		weights = lake.Option{Name: "confidence", Value: "the sum of a pair's interactions, at most 5"}
	}
	options := []lake.Option{
		{Name: "method", Value: "implicit ALS with priors from features"},
		{Name: "factors", Value: strconv.Itoa(o.Factors)},
		{Name: "iterations", Value: strconv.Itoa(o.Iterations)},
		{Name: "unobserved weight", Value: number(o.UnobservedWeight)},
		weights,
		{Name: "regularization", Value: number(o.Regularization)},
		{Name: "frequency exponent", Value: number(o.FrequencyExponent)},
		{Name: "feature ridge", Value: number(o.FeatureRidge)},
		{Name: "seed", Value: strconv.FormatUint(o.Seed, 10)},
	}
	if n == nil {
		return options
	}
	model := lake.Option{Name: "item neighbours", Value: fmt.Sprintf("kNN by common customers, %d a product, exponents %s and %s", n.Kept, number(n.TargetExponent), number(n.SourceExponent))}
	if n.Kind == lake.EASE {
		model.Value = fmt.Sprintf("EASE, %d a product, ridge %s", n.Kept, number(n.Ridge))
	}
	return append(options, model, lake.Option{Name: "their share of the score, β", Value: number(n.Beta)})
}
