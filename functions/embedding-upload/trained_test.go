package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/coldstart"
	"recsys/shared/learn/model"
	"recsys/shared/learn/neighbours"
	"recsys/shared/store/vectorstore"
)

// train leaves the same objects as functions/train, and returns the prefix.
func (b *bench) train(run workflow.UploadInput, items, users string) string {
	b.Helper()
	prefix := lake.TrainedPrefix(run.ID)
	for key, content := range embeddingsOf(items, users) {
		b.put(b.Artifacts, prefix+key, content)
		b.put(b.Artifacts, prefix+"evaluation"+key[len("embeddings"):], content)
	}
	b.put(b.Artifacts, prefix+lake.TrainingKey, "{}")
	b.put(b.Artifacts, prefix+lake.LinearModelKey, linearModel(b, 2))
	return prefix
}

func testTrained(t *testing.T, b *bench) {
	b.handOver(embeddingsOf(goodItems, goodUsers))
	b.activate(b.upload(b.run()).Version)

	run := b.run()
	run.Artifacts = b.train(run, goodItems, goodUsers)
	if out := b.upload(run); out != (workflow.Uploaded{Status: "uploaded", Version: 2, Dimension: 2, Items: 3, Users: 2}) {
		t.Fatalf("trained: %+v", out)
	}
	record, _, err := vectorstore.OfVersion(t.Context(), b.DB, 2)
	b.Must(err)
	if record.Origin != vectorstore.Trained || record.Metric != distance.InnerProduct {
		t.Errorf("version 2 is %+v", record)
	}
	for _, key := range lake.TrainedArtifacts {
		if _, err := b.Artifacts.Head(t.Context(), lake.VersionKey(2, key)); err != nil {
			t.Error(err)
		}
	}
	b.activate(2)

	if out := b.upload(b.run()); out.Status != "unchanged" || out.Version != 2 {
		t.Errorf("a hand-over that was replaced came back: %+v", out)
	}
	again := b.run()
	again.Artifacts = b.train(again, goodItems, goodUsers)
	if out := b.upload(again); out.Status != "unchanged" || out.Version != 2 {
		t.Errorf("trained again to the same: %+v", out)
	}
	b.handOver(embeddingsOf(csv("S10_1678", "[1,1]"), goodUsers))
	if out := b.upload(b.run()); out.Status != "uploaded" || out.Version != 3 {
		t.Errorf("another hand-over: %+v", out)
	}
	missing := b.run()
	missing.Artifacts = lake.TrainedPrefix(missing.ID)
	if out, err := b.Handle(t.Context(), missing); !errors.Is(err, failure.InvalidInput) {
		t.Errorf("nothing trained under the prefix: %+v, %v", out, err)
	}
}

// someNeighbours has a product that is neither source nor target, and one without a vector.
var someNeighbours = blend.Neighbours{
	Kind: lake.KNN, Beta: 0.25, Items: []string{"S10_1678", "S10_1949", "S18_none", "S72_3212", "S99_new"},
	Table: &neighbours.Table{Start: []int64{0, 2, 2, 2, 3, 3}, Items: []int32{1, 4, 0}, Weights: []float32{0.5, 2, -0.25}},
}

// trainNeighbours adds neighbours to the objects of train.
func (b *bench) trainNeighbours(run workflow.UploadInput, n blend.Neighbours) {
	b.Helper()
	var file strings.Builder
	_, err := n.WriteTo(&file)
	b.Must(err)
	prefix := lake.TrainedPrefix(run.ID)
	for _, key := range lake.NeighbourArtifacts {
		b.put(b.Artifacts, prefix+key, file.String())
	}
	_, err = b.Artifacts.PutJSON(b.Context(), prefix+lake.TrainingKey, lake.Training{Neighbours: &lake.Neighbours{Kind: n.Kind, Beta: n.Beta, Kept: 1}})
	b.Must(err)
}

func testTrainedWithNeighbours(t *testing.T, b *bench) {
	run := b.run()
	run.Artifacts = b.train(run, goodItems, goodUsers)
	b.activate(b.upload(run).Version)
	if rows := b.rows(vectorstore.NeighbourTable(1)); len(rows) > 0 {
		t.Errorf("vectors that rank alone have the neighbours %v", rows)
	}
	run = b.run()
	run.Artifacts = b.train(run, goodItems, goodUsers)
	b.trainNeighbours(run, someNeighbours)
	if out := b.upload(run); out.Status != "uploaded" || out.Version != 2 {
		t.Fatalf("with neighbours: %+v", out)
	}
	want := []string{`(S10_1678,0,"{1,4}","{0.5,2}")`, `(S10_1949,1,{},{})`, `(S72_3212,3,{0},{-0.25})`, `(S99_new,4,{},{})`}
	if rows := b.rows(vectorstore.NeighbourTable(2)); !slices.Equal(rows, want) {
		t.Errorf("the neighbours are %v, want %v", rows, want)
	}
	record, _, err := vectorstore.OfVersion(t.Context(), b.DB, 2)
	if b.Must(err); record.BlendKind != lake.KNN || record.BlendBeta != 0.25 {
		t.Errorf("the version's row says %+v", record)
	}
	for _, key := range lake.NeighbourArtifacts {
		if _, err := b.Artifacts.Head(t.Context(), lake.VersionKey(2, key)); err != nil {
			t.Error(err)
		}
	}
	run = b.run()
	run.Artifacts = b.train(run, goodItems, goodUsers)
	_, err = b.Artifacts.PutJSON(t.Context(), run.Artifacts+lake.TrainingKey, lake.Training{Neighbours: &lake.Neighbours{Kind: lake.KNN}})
	b.Must(err)
	if out, err := b.Handle(t.Context(), run); !errors.Is(err, failure.InvalidInput) {
		t.Errorf("without the file of the neighbours: %+v, %v", out, err)
	}
	for _, key := range lake.NeighbourArtifacts {
		b.put(b.Artifacts, run.Artifacts+key, "damaged")
	}
	if out, err := b.Handle(t.Context(), run); !errors.Is(err, failure.InvalidEmbeddings) {
		t.Errorf("with a damaged one: %+v, %v", out, err)
	}
}

// linearModel is the file of a model that knows one city and one line.
func linearModel(b *bench, dimension int) string {
	b.Helper()
	users, items := model.NewTable(model.ColumnsOf(shape.Lab.CustomerColumns)), model.NewTable(model.ColumnsOf(shape.Lab.ProductColumns))
	users.Add(model.Record{Texts: []string{"Nantes", "France"}, Numbers: []float64{1}})
	items.Add(model.Record{Texts: []string{"Cars", "1:10"}, Numbers: []float64{1, 2}})
	encoders := model.FitEncoders(users, items)
	mapOf := func(f *coldstart.Features) coldstart.Map {
		return coldstart.Map{Dimension: dimension, Weights: make([]float32, (1+f.Width)*dimension)}
	}
	content, err := model.WriteLinear(encoders, mapOf(encoders.Users(users)), mapOf(encoders.Items(items)))
	b.Must(err)
	return string(content)
}
