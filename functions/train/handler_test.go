package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/embeddings"
	"recsys/shared/learn/model"
	"recsys/shared/store/objectstore"
)

func TestTrainedArtifactsCanBeLoaded(t *testing.T) {
	b := setup(t)
	b.publish("monday", 1)
	out := b.train("run-1", `{}`)
	if out.Status != "trained" || out.Artifacts != "trained/run-1/" || out.Snapshot != "monday" || out.Items != 30 || out.Ratings != 300 ||
		out.Iterations != 3 || out.Loss <= 0 {
		t.Errorf("got %+v", out)
	}
	artifacts := b.trained("run-1")
	if got := slices.Sorted(maps.Keys(artifacts)); !slices.Equal(got, slices.Sorted(slices.Values(lake.TrainedArtifacts))) {
		t.Errorf("there are %v", got)
	}
	for key, want := range map[string]int{lake.ItemEmbeddingsKey: out.Items, lake.UserEmbeddingsKey: out.Customers, lake.EvaluationItemsKey: out.Items} {
		rows, dimension := 0, 0
		open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(artifacts[key])), nil }
		var wrong embeddings.Faults
		if key == lake.UserEmbeddingsKey {
			file := embeddings.Users(key, shape.Int, open, &wrong)
			for ; file.Next(); rows++ {
			}
			dimension = file.Dimension
		} else {
			file := embeddings.Items(key, open, &wrong)
			for ; file.Next(); rows++ {
			}
			dimension = file.Dimension
		}
		if wrong.Err() != nil || rows != want || dimension != 8 {
			t.Errorf("%s: %d rows of dimension %d, want %d of 8; %v", key, rows, dimension, want, wrong.Err())
		}
	}
	if bytes.Equal(artifacts[lake.ItemEmbeddingsKey], artifacts[lake.EvaluationItemsKey]) {
		t.Error("what is measured has seen the hold-out")
	}
	m, err := model.Read(model.Files{Linear: artifacts[lake.LinearModelKey]})
	if err != nil || m.Dimension() != 8 || !m.ForUnseen() {
		t.Errorf("the model: %v", err)
	}
	var how lake.Training
	if err := json.Unmarshal(artifacts[lake.TrainingKey], &how); err != nil || len(how.Loss) != 3 || how.HeldOut != b.HeldOut || how.Ratings != 300 {
		t.Errorf("training %+v, %v", how, err)
	}
	if left, err := b.Lake.Folders(t.Context(), lake.CheckpointsPrefix("run-1")); err != nil || len(left) > 0 {
		t.Errorf("checkpoints are left: %v, %v", left, err)
	}
	if again := b.train("run-1", `{}`); again != out {
		t.Errorf("again: %+v", again)
	}
	b.publish("tuesday", 1)
	if b.train("run-2", `{}`); !maps.EqualFunc(b.trained("run-2"), artifacts, bytes.Equal) {
		t.Error("the same ratings gave other artifacts")
	}
	b.publish("wednesday", 2)
	if b.train("run-3", `{}`); maps.EqualFunc(b.trained("run-3"), artifacts, bytes.Equal) {
		t.Error("other ratings gave the same artifacts")
	}
}

func TestWhenNothingIsTrained(t *testing.T) {
	b := setup(t)
	status := func(what, want, execution string) {
		t.Helper()
		if out := b.train(strings.ReplaceAll(what, " ", "-"), execution); out != (workflow.Trained{Status: want}) && want != "" {
			t.Errorf("%s: %+v", what, out)
		}
	}
	status("nothing published", "no-training-data", `{"train":true}`)
	b.publish("monday", 1)
	status("not asked", "not-asked", `{"train":false}`)
	status("embeddings alone", "not-asked", `{"stages":"embeddings"}`)
	b.ByDefault = false
	status("not by default", "not-asked", `{"stages":"all"}`)
	b.ByDefault = true
	b.handOver()
	status("handed over", "handed-over", `{}`)
	if out := b.train("asked-all-the-same", `{"stages":"embeddings","train":true}`); out.Status != "trained" {
		t.Errorf("asked: %+v", out)
	}
	b.putRows("tiny", []trainingtest.Row{{ProductCode: "A", CustomerNumber: 1, ProductRating: 3}, {ProductCode: "B", CustomerNumber: 2, ProductRating: 3}})
	if out := b.train("tiny", `{"train":true}`); out != (workflow.Trained{Status: "too-few-ratings", Snapshot: "tiny"}) {
		t.Errorf("two ratings: %+v", out)
	}
	for _, wrong := range []workflow.TrainInput{input("../etc", `{}`), input("run", `{"train":"yes"}`), input("run", `[]`)} {
		if out, err := b.Handle(t.Context(), wrong); !errors.Is(err, failure.InvalidInput) {
			t.Errorf("%+v: %+v, %v", wrong, out, err)
		}
	}
}

// dieAfter ends the attempts right after the puts that are wanted, and counts them.
func (b *bench) dieAfter(wanted func(key string) bool) (attempt func(run string) (workflow.Trained, error), puts *int) {
	puts = new(int)
	var die context.CancelFunc
	b.s3.SetHooks(awscall.Hooks{After: func(call awscall.Call) error {
		if call.Operation == "PutObject" && wanted(call.Key) {
			*puts++
			die()
		}
		return nil
	}})
	return func(run string) (workflow.Trained, error) {
		ctx, cancel := context.WithCancel(b.t.Context())
		defer cancel()
		die = cancel
		return b.Handle(ctx, input(run, `{"train":true}`))
	}, puts
}

// An attempt that dies after any of its checkpoints leaves the work to the next one, which repeats none of it.
func TestAnAttemptGoesOnAfterTheLastCheckpoint(t *testing.T) {
	b := setup(t)
	b.publish("monday", 1)
	want := b.train("undisturbed", `{}`)
	attempt, checkpoints := b.dieAfter(func(key string) bool {
		return key == lake.CheckpointKey("disturbed", forEvaluation) || key == lake.CheckpointKey("disturbed", forServing)
	})
	got, err := attempt("disturbed")
	deaths := 0
	for ; err != nil; got, err = attempt("disturbed") {
		if deaths++; !errors.Is(err, context.Canceled) || deaths > 20 {
			t.Fatalf("after %d deaths: %v", deaths, err)
		}
		b.publish("tuesday", 2) // another publication meanwhile changes nothing
	}
	want.Artifacts = got.Artifacts
	if got != want || !maps.EqualFunc(b.trained("disturbed"), b.trained("undisturbed"), bytes.Equal) {
		t.Errorf("got %+v, want %+v and the same artifacts", got, want)
	}
	if iterations := 2 * b.Options.Iterations; *checkpoints != iterations || deaths != iterations {
		t.Errorf("%d checkpoints, %d deaths, want %d", *checkpoints, deaths, iterations)
	}
}

// Where the function's time would not suffice for another iteration, the attempt ends by itself, and the next goes on.
func TestAnAttemptEndsInTime(t *testing.T) {
	b := setup(t)
	b.publish("monday", 1)
	b.train("undisturbed", `{}`)
	b.endsTheSameInPieces(20)
}

// A deployment between two attempts may change the options: training starts anew.
func TestACheckpointOfOtherOptionsIsLeft(t *testing.T) {
	b := setup(t)
	b.publish("monday", 1)
	attempt, _ := b.dieAfter(func(key string) bool { return key == lake.CheckpointKey("run-1", forEvaluation) })
	if _, err := attempt("run-1"); err == nil {
		t.Fatal("it did not die")
	}
	b.s3.SetHooks(awscall.Hooks{})
	b.Options.Factors = 4
	b.train("run-1", `{}`)
	b.train("run-2", `{}`)
	if !maps.EqualFunc(b.trained("run-1"), b.trained("run-2"), bytes.Equal) {
		t.Error("something of the other options is in the artifacts")
	}
	if _, err := b.Lake.Put(t.Context(), lake.CheckpointKey("run-3", forServing), strings.NewReader("damaged")); err != nil {
		t.Fatal(err)
	}
	if b.train("run-3", `{}`); !maps.EqualFunc(b.trained("run-3"), b.trained("run-2"), bytes.Equal) {
		t.Error("a damaged checkpoint changed the artifacts")
	}
}

// A hand-over or a newer snapshot during a training by default goes before its model.
func TestATrainingThatIsOvertaken(t *testing.T) {
	b := setup(t)
	for _, test := range []struct {
		run, execution, want string
		meanwhile            func()
	}{
		{"newer-snapshot", `{}`, "superseded", func() { b.publish("tuesday", 2) }},
		{"asked-for", `{"train":true}`, "trained", func() { b.publish("wednesday", 3) }},
		{"handed-over", `{}`, "handed-over", b.handOver},
	} {
		b.publish("monday", 1)
		var once sync.Once
		b.s3.SetHooks(awscall.Hooks{After: func(call awscall.Call) error {
			if call.Operation == "PutObject" && call.Key == lake.CheckpointKey(test.run, forServing) {
				once.Do(test.meanwhile)
			}
			return nil
		}})
		if out := b.train(test.run, test.execution); out.Status != test.want || (out.Artifacts != "") != (test.want == "trained") {
			t.Errorf("%s: %+v", test.run, out)
		}
	}
}

func TestASnapshotThatIsRemovedMeanwhile(t *testing.T) {
	b := setup(t)
	b.put(lake.LatestKey, lake.Latest{Snapshot: "gone"})
	if _, err := b.Handle(t.Context(), input("run-1", `{}`)); !errors.Is(err, objectstore.ErrNotFound) || !errors.Is(err, failure.InvalidInput) {
		t.Errorf("got %v", err)
	}
}

func TestWire(t *testing.T) {
	testbed.Wire(t, map[string]string{
		"LAKE_BUCKET": "lake", "ARTIFACTS_BUCKET": "artifacts", "FACTORS": "64", "TRAIN_BY_DEFAULT": "true",
	}, map[string]string{"FACTORS": "-1", "HOLD_OUT_FRACTION": "1", "LAKE_BUCKET": ""}, func() error {
		h, err := wire(t.Context())
		if err == nil && (h.Options.Factors != 64 || !h.Search || !h.ByDefault || h.HeldOut != (lake.HoldOut{Seed: 1, Fraction: 0.2}) || h.Options.Iterations < 5) {
			t.Errorf("got %+v", h)
		}
		return err
	})
}

func TestEventIsATrainInput(t *testing.T) {
	in := testbed.Event[workflow.TrainInput](t)
	if err := in.Validate(); err != nil {
		t.Errorf("%+v: %v", in, err)
	}
	if parsed, err := workflow.ParseInput(in.Input); err != nil || parsed.Train == nil {
		t.Errorf("%s: %+v, %v", in.Input, parsed, err)
	}
}
