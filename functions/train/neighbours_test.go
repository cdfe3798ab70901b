package main

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"recsys/infra/local/aws/awscall"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/neighbours"
	"recsys/shared/learn/sparse"
	"recsys/shared/shop/interactions"
)

// read returns a run's item-item model.
func (b *bench) read(run, key string) *blend.Neighbours {
	b.t.Helper()
	n, err := blend.ReadNeighbours(bytes.NewReader(b.trained(run)[key]))
	b.must(err)
	return n
}

// snapshot reads the newest snapshot as a training does.
func (b *bench) snapshot() *interactions.Snapshot {
	b.t.Helper()
	latest, err := interactions.Latest(b.t.Context(), b.Lake)
	b.must(err)
	snapshot, _, err := b.Handler.read(b.t.Context(), latest.Snapshot)
	b.must(err)
	return snapshot
}

// The neighbours are made twice: of the ratings that are not held out, to be measured, and of all.
func TestNeighboursRankNextToTheVectors(t *testing.T) {
	b := setup(t)
	b.publish("monday", 1)
	b.train("alone", `{}`)
	snapshot := b.snapshot()
	for run, chosen := range fixed {
		b.Neighbours = run
		b.train(run, `{}`)
		if got := slices.Sorted(maps.Keys(b.trained(run))); !slices.Equal(got, slices.Sorted(slices.Values(slices.Concat(lake.TrainedArtifacts, lake.NeighbourArtifacts)))) {
			t.Errorf("%s: there are %v", run, got)
		}
		for _, key := range []string{lake.ItemEmbeddingsKey, lake.EvaluationUsersKey, lake.LinearModelKey} {
			if !bytes.Equal(b.trained(run)[key], b.trained("alone")[key]) {
				t.Errorf("%s: the neighbours have changed %s", run, key)
			}
		}
		training := b.training(run)
		if n := len(training.Options); !reflect.DeepEqual(training.Neighbours, &chosen) || !strings.Contains(training.Options[n-2].Value, map[string]string{"knn": "exponents 0.3 and 0.3", "ease": "ridge 200"}[run]) {
			t.Errorf("%s: training.json says %+v and %+v", run, training.Neighbours, training.Options)
		}
		for key, ratings := range map[string]func() (*neighbours.Table, error){
			lake.EvaluationNeighboursKey: func() (*neighbours.Table, error) {
				return neighbours.Make(t.Context(), snapshot.Parts[0].Train, chosen, 1)
			},
			lake.NeighboursKey: func() (*neighbours.Table, error) { return neighbours.Make(t.Context(), snapshot.Ratings, chosen, 1) },
		} {
			want, err := ratings()
			b.must(err)
			if got := b.read(run, key); got.Kind != chosen.Kind || got.Beta != chosen.Beta || !slices.Equal(got.Items, snapshot.Items) || !reflect.DeepEqual(got.Table, want) || len(want.Items) == 0 {
				t.Errorf("%s: %s has not the neighbours of its ratings", run, key)
			}
		}
	}
	if training := b.training("alone"); training.Neighbours != nil || b.trained("alone")[lake.NeighboursKey] != nil {
		t.Errorf("without neighbours there are some: %+v", training)
	}
}

// An attempt that dies after any object leaves the rest to the next one. Neighbours that are noted are not made again.
func TestNeighboursAfterADeath(t *testing.T) {
	b := setup(t)
	b.Neighbours = lake.KNN
	b.publish("monday", 1)
	b.train("undisturbed", `{}`)
	keys := map[string]int{}
	attempt, _ := b.dieAfter(func(key string) bool {
		keys[key]++
		return strings.Contains(key, "eighbours") && keys[key] < 3
	})
	deaths := 0
	for {
		if _, err := attempt("disturbed"); err == nil {
			break
		} else if deaths++; deaths > 20 {
			t.Fatal(err)
		}
	}
	b.s3.SetHooks(awscall.Hooks{})
	if !maps.EqualFunc(b.trained("disturbed"), b.trained("undisturbed"), bytes.Equal) {
		t.Error("it ends with other artifacts")
	}
	for _, key := range lake.NeighbourArtifacts {
		if n := keys[lake.TrainedPrefix("disturbed")+key]; n != 3 {
			t.Errorf("%s was written %d times, want twice with a death behind it and once with a note", key, n)
		}
	}
	if deaths != 6 {
		t.Errorf("%d deaths, want 6: twice after each object and once after each note", deaths)
	}
}

// A deployment between two attempts may choose other neighbours. Those that are noted do not count then.
func TestNeighboursOfAnotherDeployment(t *testing.T) {
	b := setup(t)
	b.publish("monday", 1)
	b.Neighbours = lake.KNN
	attempt, _ := b.dieAfter(func(key string) bool { return key == lake.CheckpointKey("run-1", forServing) })
	if _, err := attempt("run-1"); err == nil {
		t.Fatal("it did not die")
	}
	b.s3.SetHooks(awscall.Hooks{})
	b.Neighbours = lake.EASE
	b.train("run-1", `{}`)
	b.train("run-2", `{}`)
	if !maps.EqualFunc(b.trained("run-1"), b.trained("run-2"), bytes.Equal) {
		t.Error("something of the other neighbours is in the artifacts")
	}
}

// The search's neighbours count, unless the options name another kind, or none.
func TestWhichNeighboursRank(t *testing.T) {
	found := &lake.Neighbours{Kind: lake.KNN, TargetExponent: 0.5, Kept: 20, Beta: 0.7}
	searched := func(n *lake.Neighbours) *lake.Search {
		return &lake.Search{Chosen: 1, Trials: []lake.Trial{{}, {Neighbours: n}}}
	}
	ease, knn := fixed[lake.EASE], fixed[lake.KNN]
	for _, c := range []struct {
		option string
		tried  *lake.Search
		want   *lake.Neighbours
	}{
		{"auto", nil, nil}, {"auto", searched(nil), nil}, {"auto", searched(found), found},
		{"off", nil, nil}, {"off", searched(found), nil},
		{lake.KNN, nil, &knn}, {lake.KNN, searched(nil), &knn}, {lake.KNN, searched(found), found},
		{lake.EASE, nil, &ease}, {lake.EASE, searched(found), &ease},
	} {
		h := Handler{Neighbours: c.option}
		if got := h.neighbours(c.tried); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.option, got, c.want)
		}
	}
}

// A shop that is too large is refused before anything is computed, with an option that helps.
func TestTooManyProductsForNeighbours(t *testing.T) {
	b := setup(t)
	for _, chosen := range fixed {
		wide := &sparse.Matrix{Width: max(neighbours.MaxEASE, blend.MostEntries/chosen.Kept) + 1, Start: []int64{0}}
		err := work{Handler: b.Handler, plan: plan{Run: workflow.Run{ID: "run-1"}}}.writeNeighbours(t.Context(), forServing, wide, &chosen)
		if failure.KindOf(err) != failure.InvalidInput || !strings.Contains(err.Error(), "set itemNeighbours to ") {
			t.Errorf("%s: %v", chosen.Kind, err)
		}
	}
}
