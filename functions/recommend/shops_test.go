package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/shape"
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
	lab := w.load(small())
	product := func(i int) string { return fmt.Sprint(1000 + i) }
	vectors := map[string][]float32{}
	for i := range 100 {
		vectors[product(i)] = direction(float64(i)/100, 4)
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
			number := w.load(version{shop: shop, items: vectors, named: map[string][]float32{c.id: direction(0.1, 4)},
				popularity: [][]any{{"north", product(50), 2.5}, {"south", product(51), 3.0}},
				rated:      [][]any{{c.id, product(10)}}})
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
