package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"recsys/infra/local/testbed/snapshottest"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/store/vectorstore"
)

// films is a shop with a file, by the types of its ids and the columns of its products.
func films(customer, product shape.Type, columns ...shape.Column) shape.Shop {
	return shape.Shop{
		Name: "films", Hash: "1", Group: "region", Line: "genre", Layout: shape.ByRange,
		Customer:           shape.ID{Name: "customer", Type: customer},
		Product:            shape.ID{Name: "product", Type: product},
		CustomerColumns:    []shape.Column{{Name: "region", Role: shape.Category, Type: shape.Text}},
		ProductColumns:     append([]shape.Column{{Name: "title", Role: shape.Name, Type: shape.Text}, {Name: "genre", Role: shape.Category, Type: shape.Text}}, columns...),
		InteractionColumns: []shape.Column{{Name: "type", Role: shape.Kind, Type: shape.Text}},
		Source:             shape.Source{Interactions: []shape.Query{{Name: "rentals"}}},
		Meaning:            shape.Meaning{Exclude: []string{shape.Purchase, shape.Rating}},
	}
}

var (
	stock     = shape.Column{Name: "stock", Role: shape.Stock, Type: shape.BigInt}
	available = shape.Column{Name: "available", Role: shape.Availability, Type: shape.Int}
)

// publishOf publishes a whole snapshot of a shop, with its popularity.
func (b *bench) publishOf(shop shape.Shop, name string, startedAt time.Time, products []snapshottest.Line, interactions ...snapshottest.Line) {
	b.Helper()
	snapshottest.Publish(b, b.Lake, name, shop, products, interactions, nil)
	b.publish(name, startedAt, lake.ItemCount{Item: "1", Group: "North", Count: 0.25}, lake.ItemCount{Item: "1", Group: " north", Count: 0.5})
}

func interaction(customer, product, kind string) snapshottest.Line {
	return snapshottest.Line{"customer": customer, "product": product, "type": kind}
}

// dumpAll dumps the tables of the shop but the codes.
func (b *bench) dumpAll(version int64) []string {
	b.Helper()
	return append(b.dumpShop(version), b.rows(vectorstore.PopularityTable(version))...)
}

func TestShopsOfAFile(t *testing.T) {
	server := server(t)
	for _, ids := range []struct {
		of              shape.Type
		first, second   string
		handedOver, odd string // the first one in a hand-over, and an id that no customer has
	}{
		{shape.Int, "-2147483648", "7", "-2147483648", "8"},
		{shape.BigInt, "4294967296", "9007199254740993", "+4294967296", "9007199254740992"},
		{shape.Text, "0b7f", "ünï, kötü", "0b7f", "0B7F"},
	} {
		t.Run("ids of "+string(ids.of), func(t *testing.T) {
			b := setup(t, server)
			b.publishOf(films(ids.of, shape.Int, stock, available), "s1", noon,
				[]snapshottest.Line{{"product": "1", "genre": "Drama", "stock": "4"}, {"product": "2", "genre": "Drama", "stock": "4", "available": "0"},
					{"product": "3", "stock": "0", "available": "1"}, {"product": "4", "genre": "Noir"}, {"product": "5"}},
				interaction(ids.first, "1", shape.Purchase), interaction(ids.first, "1", shape.Purchase), interaction(ids.first, "2", "view"), interaction(ids.second, "2", shape.Rating))
			b.compares(embeddingsOf(csv("1", "[1,0]", "02", "[0,1]", "9", "[1,1]"), csv(ids.handedOver, "[1,0]", ids.odd, "[0,1]")),
				workflow.Compared{UnknownItems: 1, UnknownUsers: 1, Note: `1 of 3 items are no products of the shop and are never recommended, such as "9". 1 of 2 users have no interaction in the newest snapshot.`})
			want := []string{fmt.Sprintf("%s 1", ids.first), fmt.Sprintf("%s 2", ids.second)}
			if got := b.Texts(b.DB, `select customer || ' ' || item from `+vectorstore.RatedTable(1)); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
				t.Errorf("pairs %q, want %q", got, want)
			}
			if got, want := b.rows(vectorstore.AttributeTable(1)), []string{"(1,Drama,4)", "(2,Drama,0)", `(3,"",0)`, fmt.Sprintf("(4,Noir,%d)", vectorstore.Unlimited)}; !slices.Equal(got, want) {
				t.Errorf("attributes %v, want %v", got, want)
			}
			if got, want := b.rows(vectorstore.PopularityTable(1)), []string{`("",1,0.75)`, `("",2,0)`, `("",9,0)`, "(north,1,0.75)"}; !slices.Equal(got, want) {
				t.Errorf("popularity %v, want %v", got, want)
			}
			b.refuses(embeddingsOf(csv("1", "[1,0]"), csv(ids.odd, "[1,0]")), "is a customer with an interaction in the newest snapshot", "Write each customer's customer, not")
		})
	}
	t.Run("a shop without stock, whose goods are bought again", func(t *testing.T) {
		b := setup(t, server)
		shop := films(shape.Text, shape.Text)
		shop.Meaning.Repeatable = true
		b.publishOf(shop, "s1", noon, []snapshottest.Line{{"product": "1", "genre": "Drama"}}, interaction("a", "1", shape.Purchase))
		b.handOver(embeddingsOf(csv("1", "[1,0]"), csv("a", "[1,0]")))
		b.upload(b.run())
		if got, want := b.dumpShop(1), []string{fmt.Sprintf("(1,Drama,%d)", vectorstore.Unlimited)}; !slices.Equal(got, want) {
			t.Errorf("got %v, want no pair and %v", got, want)
		}
	})
	t.Run("the history of neighbours", func(t *testing.T) { testHistory(t, setup(t, server)) })
	t.Run("another shop", func(t *testing.T) { testAnotherShop(t, setup(t, server)) })
}

// Neighbours rank by all products that a customer has seen, also by those that may be recommended again. A type without weight
// does not count.
func testHistory(t *testing.T, b *bench) {
	shop := films(shape.Text, shape.Text)
	shop.Meaning.Weights = map[string]float64{"click": 0}
	publish := func(name string, startedAt time.Time, seen string) {
		b.publishOf(shop, name, startedAt, nil, interaction("a", "1", shape.Purchase), interaction("a", "1", "view"),
			interaction("a", seen, "view"), interaction("a", "3", "click"))
	}
	publish("s1", noon, "2")
	run := b.run()
	run.Artifacts = b.train(run, csv("1", "[1,0]"), csv("a", "[1,0]"))
	b.activate(b.upload(run).Version)
	if rows := b.rows(vectorstore.HistoryTable(1)); len(rows) > 0 {
		t.Errorf("vectors that rank alone have the history %v", rows)
	}
	run = b.run()
	run.Artifacts = b.train(run, csv("1", "[1,0]"), csv("a", "[1,0]"))
	b.trainNeighbours(run, someNeighbours)
	b.activate(b.upload(run).Version)
	history := func(want ...string) {
		t.Helper()
		if rows := b.rows(vectorstore.HistoryTable(2)); !slices.Equal(rows, want) {
			t.Errorf("history %v, want %v", rows, want)
		}
	}
	history("(a,2)")
	publish("s2", noon.Add(time.Hour), "4")
	b.upload(b.run())
	history("(a,4)")
	shop.Meaning.Repeatable, shop.Hash = true, "2"
	publish("s3", noon.Add(2*time.Hour), "4")
	b.upload(b.run())
	history("(a,1)", "(a,4)")
}

// A deployment gets a shop file. Its first snapshot retires the lab's version. The hand-over for the lab does not fit, and the one
// that follows becomes the next version. Back without the file, the lab's own hand-over is loaded again.
func testAnotherShop(t *testing.T, b *bench) {
	active := func(want int64, shop string) {
		t.Helper()
		got, found, err := vectorstore.ReadActive(t.Context(), b.DB)
		if err != nil || !found || got.Version != want || shape.OrLab(got.Shop).Name != shop {
			t.Errorf("version %d of %q answers, %v; want %d of %q", got.Version, shape.OrLab(got.Shop).Name, err, want, shop)
		}
	}
	ofLab, ofFilms := embeddingsOf(goodItems, goodUsers), embeddingsOf(csv("1", "[1,0]"), csv("a", "[1,0]"))
	b.publishShop(ratings(103, "S10_1678", "S10_1949", "S72_3212"))
	b.handOver(ofLab)
	b.activate(b.upload(b.run()).Version)
	active(1, "")
	b.publishOf(films(shape.Text, shape.Text), "s2", noon.Add(time.Hour), []snapshottest.Line{{"product": "1"}}, interaction("a", "1", shape.Purchase))
	b.refuses(ofLab, "none of the 3 ids of embeddings/item_embeddings.csv")
	active(vectorstore.WithoutModel, "films")
	if got, want := b.dumpAll(vectorstore.WithoutModel), []string{"(a,1)", `("",1,0.75)`, "(north,1,0.75)"}; !slices.Equal(got, want) {
		t.Errorf("without a model: %v, want %v", got, want)
	}
	b.handOver(ofFilms)
	out := b.upload(b.run())
	b.activate(out.Version)
	active(out.Version, "films")
	if again := b.upload(b.run()); again.Status != "unchanged" {
		t.Errorf("the same hand-over again: %+v", again)
	}
	b.publishShop(ratings(103, "S10_1678", "S10_1949", "S72_3212"))
	b.publish("s1", noon.Add(2*time.Hour))
	b.handOver(ofLab)
	out = b.upload(b.run())
	if out.Status != "uploaded" {
		t.Errorf("the lab's hand-over again: %+v", out)
	}
	active(vectorstore.WithoutModel, "")
	b.activate(out.Version)
	active(out.Version, "")
}
