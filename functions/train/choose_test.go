package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/als"
	"recsys/shared/learn/search"
	"recsys/shared/shop/training"
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
	if want := described(search.Apply(chosen, b.Options), nil); out.Iterations != chosen.Iterations || options["factors"] != want[1].Value || options["unobserved weight"] != want[3].Value {
		t.Errorf("fitted with %v in %d iterations, chosen %+v", options, out.Iterations, chosen)
	}
}

// Factors that are given are not searched, also if they are those of the defaults.
func TestGivenDefaultsArePinned(t *testing.T) {
	b := setup(t)
	b.publishShop("monday", 1, 100, 80, 1200)
	b.Search, b.Options = true, als.Default()
	b.Options.Pinned.Factors = true
	b.train("run-1", `{}`)
	for _, trial := range b.training("run-1").Search.Trials {
		if trial.Factors != als.Default().Factors {
			t.Errorf("%+v has other factors", trial)
		}
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

// Each trial is noted as soon as it is made, so an attempt that is cut off costs one trial. Otherwise a large trial behind
// small ones that are not noted would be cut off again and again.
func TestEachTrialIsNoted(t *testing.T) {
	b := setup(t)
	b.publishShop("monday", 1, 100, 80, 1200)
	b.Search = true
	attempt, notes := b.dieAfter(func(key string) bool { return key == lake.CheckpointKey("run-1", forSearch) })
	for attempts := 1; ; attempts++ {
		if _, err := attempt("run-1"); err == nil {
			break
		} else if attempts > 60 {
			t.Fatal(err)
		}
	}
	if trials := len(b.training("run-1").Search.Trials); trials < 10 || *notes != trials {
		t.Errorf("%d trials are noted %d times", trials, *notes)
	}
}

// Trials of a deployment with another hold-out or other options do not count, because their figures are others.
func TestTrialsOfAnotherDeploymentDoNotCount(t *testing.T) {
	b := setup(t)
	b.publishShop("monday", 1, 100, 80, 1200)
	b.Search = true
	b.train("undisturbed", `{}`)
	noted := trials{HeldOut: b.HeldOut, Options: b.Options, Trials: b.training("undisturbed").Search.Trials}
	for i := range noted.Trials {
		noted.Trials[i].NDCG10 /= 2
	}
	for run, change := range map[string]func(*trials){
		"same": func(*trials) {}, "hold-out": func(n *trials) { n.HeldOut.Seed++ }, "options": func(n *trials) { n.Options.Iterations++ },
	} {
		note := noted
		change(&note)
		b.put(lake.CheckpointKey(run, forSearch), note)
		b.train(run, `{}`)
		believed := b.training(run).Search.Trials[0].NDCG10 == noted.Trials[0].NDCG10
		if believed != (run == "same") {
			t.Errorf("%s: the notes are believed: %t", run, believed)
		}
	}
}

// In a shop of so many products that nobody shares any, no candidate finds a held-out one. The options stay as they are.
func TestASearchThatFindsNothingLeavesTheOptions(t *testing.T) {
	b := setup(t)
	var rows []trainingtest.Row
	var catalogue []training.CatalogueRow
	for product := range 20_000 {
		code := fmt.Sprintf("P%05d", product)
		catalogue = append(catalogue, training.CatalogueRow{ProductCode: code, ProductLine: "all", ProductScale: "1:1"})
		if product < 600 {
			rows = append(rows, trainingtest.Row{CustomerNumber: int32(1 + product/10), City: "Nantes", Country: "France",
				ProductCode: code, ProductLine: "all", ProductScale: "1:1", ProductRating: 3})
		}
	}
	b.putRows("monday", rows)
	putTable(b, lake.ProductsKey("monday"), catalogue)
	b.Search = true
	if out := b.train("run-1", `{}`); out.Status != "trained" || b.training("run-1").Search != nil {
		t.Errorf("%+v after the search %+v", out, b.training("run-1").Search)
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
