package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/coldstart"
	"recsys/shared/learn/model"
)

// films is a shop with a file, by the types of its ids.
func films(customer, product shape.ID) *shape.Shop {
	return &shape.Shop{
		Name: "films", Customer: customer, Product: product, Group: "region",
		CustomerColumns: []shape.Column{{Name: "region", Role: shape.Category, Type: shape.Text}},
		Source:          shape.Source{Interactions: []shape.Query{{Name: "rentals", Type: shape.Purchase}}},
	}
}

// TestShopsOfEveryIDType answers customers and products with the shop's own ids, and then again as the lab after a rollback.
func TestShopsOfEveryIDType(t *testing.T) {
	w := setup(t)
	lab := w.load(versiontest.Small())
	product := func(i int) string { return fmt.Sprint(1000 + i) }
	vectors := map[string][]float32{}
	for i := range 100 {
		vectors[product(i)] = versiontest.Direction(float64(i)/100, 4)
	}
	for _, c := range []struct {
		name             string
		of               shape.ID
		id               string // in the tables
		json, unknown    string // in a record
		rejected, reason string // "": every text is an id
	}{
		{"int", shape.ID{Type: shape.Int}, "2147483647", `"2147483647"`, `2147483648`, `"x"`, "customer: a string that holds no whole number: want a number"},
		{"bigint", shape.ID{Type: shape.BigInt}, "9007199254740993", `9007199254740993`, `9007199254740994`, `"1-2"`, "customer: a string that holds no whole number: want a number"},
		{"text", shape.ID{Type: shape.Text}, `a"b\{é,`, `" a\"b\\{é, "`, `"` + strings.Repeat("x", 3000) + `"`, `{}`, "customer: an object: want a string"},
		{"a text with NUL", shape.ID{Type: shape.Text}, "7", `7`, `"7\u0000"`, "", ""},
		{"hashed", shape.ID{Type: shape.Text, Hashed: true}, shape.ID{Hashed: true}.Stored("ada@example.org"), `"ada@example.org"`, `"` + shape.ID{Hashed: true}.Stored("ada@example.org") + `"`, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			shop := films(c.of, shape.ID{Type: shape.Int})
			number := w.load(version{Shop: shop, Items: vectors, Named: map[string][]float32{c.id: versiontest.Direction(0.1, 4)},
				Popularity: [][]any{{"north", product(50), 2.5}, {"south", product(51), 3.0}},
				Rated:      [][]any{{c.id, product(10)}}})
			history := `"region":" North ","browse_history":[{"product":"` + product(20) + `"},{"product_code":` + product(22) + `.0,"quantity":2}]`
			payloads := []string{
				`{"customer":` + c.json + `}`,
				`{"customer":` + c.unknown + `,` + history + `}`,
				`{"customer":` + c.unknown + `,"region":"north"}`,
			}
			if c.rejected != "" {
				payloads = append(payloads, `{"session_id":"s","customer":`+c.rejected+`}`)
			}
			if notDone := w.handle(payloads...); notDone != "" {
				t.Fatal("not done from ", notDone)
			}
			outputs := w.delivered()
			if len(outputs) != 3 {
				t.Fatalf("%d answers, want 3", len(outputs))
			}
			for i, want := range []struct{ strategy, first string }{{"stored-vector", ""}, {"history", product(21)}, {"popular-in-region", product(50)}} {
				o := outputs[i]
				if o.Recommendation.Strategy != want.strategy || o.Recommendation.ModelVersion != number || len(o.ids()) != 5 || want.first != "" && o.ids()[0] != want.first {
					t.Errorf("%.60s: %v by %+v, want %s by %s", payloads[i], o.ids(), o.Recommendation, want.first, want.strategy)
				}
			}
			if ids := outputs[0].ids(); slices.Contains(ids, product(10)) || !slices.Contains(ids, product(9)) {
				t.Errorf("recommended %v: want the neighbours of an item that the customer has", ids)
			}
			if similar := outputs[1].Similar; similar.ProductCode == nil || *similar.ProductCode != product(22) {
				t.Errorf("similar items are of %v", similar.ProductCode)
			}
			if reason := w.rejectedReasons()["1003"]; c.rejected != "" && reason != c.reason {
				t.Errorf("rejected with %q, want %q", reason, c.reason)
			}
			w.activate(lab)
			w.handle(`{"customer_number":103}`)
			if o := w.delivered()[0]; o.Recommendation.Strategy != "stored-vector" || o.Recommendation.ModelVersion != lab {
				t.Errorf("after the rollback: %+v", o.Recommendation)
			}
		})
	}
}

// TestTheModelOfAShop finds a record's features by the names of the shop's columns. One that says something is enough.
func TestTheModelOfAShop(t *testing.T) {
	w := setup(t)
	shop := films(shape.ID{Type: shape.Text}, shape.ID{Type: shape.Text})
	shop.CustomerColumns = append(shop.CustomerColumns, shape.Column{Name: "visits", Role: shape.Number, Type: shape.Int})
	number := versiontest.LoadTrained(w, w.loader, w.artifacts, versiontest.Trained{Linear: filmModel(t, shop), Version: version{Shop: shop, Metric: distance.InnerProduct, Items: versiontest.Circle(100, 4),
		Named: map[string][]float32{"ada": versiontest.Direction(0.5, 4)}, Popularity: [][]any{{"", "item-077", 1.0}}}})
	for in, want := range map[string]string{
		`{"session_id":"s","region":"north","visits":3}`:                       "model item-000",
		`{"session_id":"s","region":"south","visits":3}`:                       "model item-025",
		`{"session_id":"s","REGION":"south","region":"north"}`:                 "model item-000",
		`{"session_id":"s","region":"south","visits":null}`:                    "model item-025",
		`{"session_id":"s","region":"","visits":"many"}`:                       "popular item-077",
		`{"session_id":"s","city":"Oslo","country":"Norway","credit_limit":1}`: "popular item-077",
		`{"customer":"ada","region":"north","visits":3}`:                       "stored-vector item-050",
	} {
		if notDone := w.handle(in); notDone != "" {
			t.Fatal("not done")
		}
		o := w.delivered()[0]
		if got := o.Recommendation.Strategy + " " + o.ids()[0]; got != want || o.Recommendation.ModelVersion != number {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// filmModel is the file of a model that sends customers of the north to item-000 of the circle, and those of the south to item-025.
func filmModel(t *testing.T, shop *shape.Shop) []byte {
	t.Helper()
	users, items := model.NewTable(model.ColumnsOf(shop.CustomerColumns)), model.NewTable(model.ColumnsOf(shop.ProductColumns))
	users.Add(model.Record{Texts: []string{"north"}, Numbers: []float64{1}})
	users.Add(model.Record{Texts: []string{"south"}, Numbers: []float64{3}})
	items.Add(model.Record{})
	encoders := model.FitEncoders(users, items)
	const dimension, bias, number = 4, 1, 1 // the categories follow
	userMap := coldstart.Map{Dimension: dimension, Weights: make([]float32, (bias+encoders.Users(users).Width)*dimension)}
	for region, turn := range []float64{0, 0.25} {
		copy(userMap.Weights[(bias+number+region)*dimension:], versiontest.Direction(turn, dimension))
	}
	itemMap := coldstart.Map{Dimension: dimension, Weights: make([]float32, (bias+encoders.Items(items).Width)*dimension)}
	file, err := model.WriteLinear(encoders, userMap, itemMap)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
