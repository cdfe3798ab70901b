package main

import (
	"errors"
	"testing"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/coldstart"
	"recsys/shared/learn/model"
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
