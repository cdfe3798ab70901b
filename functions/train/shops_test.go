package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/testbed/snapshottest"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/als"
	"recsys/shared/learn/model"
)

// orderShop has purchases and views with times, and ids that are texts. Its products alone have a column to learn from.
var orderShop = shape.Shop{
	Name: "orders", Hash: "abc", Layout: shape.ByRange,
	Customer:       shape.ID{Name: "customer", Type: shape.Text},
	Product:        shape.ID{Name: "product", Type: shape.BigInt},
	ProductColumns: []shape.Column{{Name: "genre", Role: shape.Category, Type: shape.Text}, {Name: "title", Role: shape.Name, Type: shape.Text}},
	InteractionColumns: []shape.Column{
		{Name: "type", Role: shape.Kind, Type: shape.Text}, {Name: "at", Role: shape.Time, Type: shape.Timestamp},
	},
	Source:  shape.Source{Interactions: []shape.Query{{Name: "orders"}}},
	Meaning: shape.Meaning{Weights: map[string]float64{"view": 0.2}, Exclude: []string{shape.Purchase}, HalfLife: 60},
}

// orders draws customers who buy the even or the odd products, in several orders. Some orders have no time.
func orders(seed uint64, customers, products int, day func(order int) float64) (listed, lines []snapshottest.Line) {
	chance := rand.New(rand.NewPCG(seed, 9))
	for product := range products {
		listed = append(listed, snapshottest.Line{"product": fmt.Sprint(1<<40 + product), "genre": []string{"even", "odd"}[product%2], "title": fmt.Sprint("No. ", product)})
	}
	for customer := range customers {
		for order := range 5 {
			for range 3 {
				line := snapshottest.Line{"customer": fmt.Sprintf("c-%03d", customer), "product": listed[(chance.IntN(products)/2*2+customer%2)%products]["product"], "type": "purchase"}
				if chance.IntN(4) == 0 {
					line["type"] = "view"
				}
				if at := day(order); at >= 0 {
					line["at"] = snapshottest.Times(at)
				}
				lines = append(lines, line)
			}
		}
	}
	return listed, lines
}

// A shop of orders is held out by time. Its ids and its columns are those of the artifacts.
func TestAShopOfOrdersIsTrained(t *testing.T) {
	b := setup(t)
	listed, lines := orders(1, 90, 40, func(order int) float64 { return float64(10 * order) })
	manifest := snapshottest.Publish(t, b.Lake, "monday", orderShop, listed, lines[:600], lines[600:])
	b.Search, b.Options = true, als.Default()
	out, how := b.train("run-1", `{}`), b.training("run-1")
	if out.Status != "trained" || out.Customers != 90 || out.Items != 40 || out.Ratings >= int64(len(lines)) {
		t.Errorf("got %+v", out)
	}
	if want := (lake.HoldOut{Seed: 1, Fraction: 0.2, By: lake.ByTime, Until: *manifest.Newest}); how.HeldOut != want || how.HeldOut.Until.Location() != time.UTC {
		t.Errorf("held out %+v, want %+v", how.HeldOut, want)
	}
	if how.Search == nil || how.Search.Folds != 5 || how.Search.Trials[how.Search.Chosen].NDCG10 < 0.2 {
		t.Errorf("search %+v", how.Search)
	}
	if !slices.Contains(how.Options, lake.Option{Name: "confidence", Value: "the sum of a pair's interactions, at most 5"}) {
		t.Errorf("options %v", how.Options)
	}
	artifacts := b.trained("run-1")
	if users := string(artifacts[lake.UserEmbeddingsKey]); !strings.Contains(users, "\n\"c-000\",\"[") {
		t.Errorf("the users' file begins with %.60s", users)
	}
	m, err := model.Read(model.Files{Linear: artifacts[lake.LinearModelKey]})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.ItemColumns().Texts; !slices.Equal(got, []string{"genre"}) || len(m.UserColumns().Texts) > 0 {
		t.Errorf("the model learns from %q", got)
	}
	b.train("again", `{}`)
	if !maps.EqualFunc(b.trained("again"), artifacts, bytes.Equal) {
		t.Error("the same interactions gave other artifacts")
	}
}

// A search by time that is interrupted goes on with the trials that are noted.
func TestASearchByTimeInPiecesEndsTheSame(t *testing.T) {
	b := setup(t)
	listed, lines := orders(4, 60, 40, func(order int) float64 { return float64(order) + 0.25 })
	snapshottest.Publish(t, b.Lake, "monday", orderShop, listed, lines)
	b.Search = true
	b.train("undisturbed", `{}`)
	if b.training("undisturbed").Search == nil {
		t.Fatal("no search")
	}
	b.endsTheSameInPieces(60)
}

// Without times, and if hardly any customer came twice, pairs are held out by hash.
func TestAShopWithoutTwoDatesIsHeldOutByHash(t *testing.T) {
	for name, day := range map[string]func(int) float64{"no times": func(int) float64 { return -1 }, "one date": func(int) float64 { return 7 }} {
		b := setup(t)
		listed, lines := orders(2, 60, 40, day)
		snapshottest.Publish(t, b.Lake, "monday", orderShop, listed, lines)
		if b.train("run-1", `{}`); b.training("run-1").HeldOut != b.HeldOut {
			t.Errorf("%s: held out %+v", name, b.training("run-1").HeldOut)
		}
		if bytes.Equal(b.trained("run-1")[lake.ItemEmbeddingsKey], b.trained("run-1")[lake.EvaluationItemsKey]) {
			t.Errorf("%s: nothing is held out", name)
		}
	}
}

// A shop without any columns has a model of one vector for newcomers. Its snapshot may have no list of products.
func TestAShopOfInteractionsAlone(t *testing.T) {
	b := setup(t)
	bare := orderShop
	bare.ProductColumns = nil
	_, lines := orders(3, 60, 40, func(order int) float64 { return float64(order) })
	snapshottest.Publish(t, b.Lake, "monday", bare, nil, lines)
	b.Search = true
	out := b.train("run-1", `{}`)
	m, err := model.Read(model.Files{Linear: b.trained("run-1")[lake.LinearModelKey]})
	if out.Status != "trained" || err != nil {
		t.Fatalf("%+v, %v", out, err)
	}
	for _, trial := range b.training("run-1").Search.Trials {
		if trial.FeatureRidge != b.Options.FeatureRidge {
			t.Errorf("%+v varies the ridge on features that there are none of", trial)
		}
	}
	if vector, err := m.UserEmbedding(model.Record{}); err != nil || len(vector) != 8 {
		t.Errorf("a newcomer has the vector %v, %v", vector, err)
	}
}

// A version of the lab's shop says nothing of times, as in releases that knew none.
func TestTheLabsTrainingSaysNothingOfTimes(t *testing.T) {
	b := setup(t)
	b.publish("monday", 1)
	b.train("run-1", `{}`)
	var heldOut struct{ HeldOut json.RawMessage }
	b.must(json.Unmarshal(b.trained("run-1")[lake.TrainingKey], &heldOut))
	if got := string(bytes.Join(bytes.Fields(heldOut.HeldOut), nil)); got != `{"seed":1,"fraction":0.2}` {
		t.Errorf("held out %s", got)
	}
}
