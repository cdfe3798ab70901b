package main

import (
	"encoding/json"
	"testing"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/als"
	"recsys/shared/learn/search"
)

func (b *bench) training(run string) (t lake.Training) {
	b.t.Helper()
	b.must(json.Unmarshal(b.trained(run)[lake.TrainingKey], &t))
	return t
}

// The chosen options are those of the fit, and the artifacts list the tried ones.
func TestOptionsAreSearched(t *testing.T) {
	b := setup(t)
	b.publishShop("monday", 1, 100, 80, 1200)
	b.Search, b.Options = true, als.Default()
	out, training := b.train("run-1", `{}`), b.training("run-1")
	if training.Search == nil || len(training.Search.Trials) < 15 {
		t.Fatalf("search %+v", training.Search)
	}
	chosen := training.Search.Trials[training.Search.Chosen]
	options := map[string]string{}
	for _, o := range training.Options {
		options[o.Name] = o.Value
	}
	if want := described(search.Apply(chosen, b.Options)); out.Iterations != chosen.Iterations || options["factors"] != want[1].Value || options["unobserved weight"] != want[3].Value {
		t.Errorf("fitted with %v in %d iterations, chosen %+v", options, out.Iterations, chosen)
	}
}

// The search goes on where an attempt ended, and an interrupted run ends with the same bytes.
func TestASearchInPiecesEndsTheSame(t *testing.T) {
	b := setup(t)
	b.publishShop("monday", 1, 100, 80, 1200)
	b.Search = true // with the factors and iterations of setup, which are pinned
	b.train("undisturbed", `{}`)
	b.endsTheSameInPieces(60)
	for _, trial := range b.training("short").Search.Trials {
		if trial.Factors != b.Options.Factors || trial.Iterations != b.Options.Iterations {
			t.Errorf("%+v moves an option that was given", trial)
		}
	}
}

// With too few ratings for a search the options stay as they are.
func TestNoSearchWithFewRatings(t *testing.T) {
	b := setup(t)
	b.publish("monday", 1)
	b.Search = true
	if out, training := b.train("run-1", `{}`), b.training("run-1"); out.Status != "trained" || training.Search != nil {
		t.Errorf("%+v after the search %+v", out, training.Search)
	}
}
