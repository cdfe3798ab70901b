package interactions

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"recsys/infra/local/testbed/s3test"
	"recsys/infra/local/testbed/snapshottest"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/model"
	"recsys/shared/store/objectstore"
)

type line = snapshottest.Line

// shopOf has purchases, views and ratings with times, and columns of every kind.
func shopOf(customer, product shape.Type) shape.Shop {
	return shape.Shop{
		Name: "test", Hash: "abc", Layout: shape.ByRange,
		Customer: shape.ID{Name: "customer", Type: customer}, Product: shape.ID{Name: "product", Type: product},
		CustomerColumns: []shape.Column{
			{Name: "city", Role: shape.Category, Type: shape.Text}, {Name: "note", Role: shape.Remark, Type: shape.Text},
			{Name: "home_store", Role: shape.Category, Type: shape.Int}, {Name: "age", Role: shape.Number, Type: shape.BigInt},
		},
		ProductColumns: []shape.Column{
			{Name: "title", Role: shape.Name, Type: shape.Text}, {Name: "genre", Role: shape.Category, Type: shape.Text},
			{Name: "price", Role: shape.Price, Type: "decimal(8,3)"}, {Name: "weight", Role: shape.Number, Type: shape.Double},
		},
		InteractionColumns: []shape.Column{
			{Name: "type", Role: shape.Kind, Type: shape.Text}, {Name: "at", Role: shape.Time, Type: shape.Timestamp},
			{Name: "rating", Role: shape.Stars, Type: "decimal(3,2)"},
		},
		Source:  shape.Source{Interactions: []shape.Query{{Name: "orders"}}},
		Meaning: shape.Meaning{Weights: map[string]float64{"view": 0.25, "ignored": 0}, Exclude: []string{shape.Purchase, shape.Rating}},
	}
}

func read(t *testing.T, store *objectstore.Store, manifest lake.Manifest, wanted Wanted) *Snapshot {
	t.Helper()
	s, err := Read(t.Context(), store, manifest, wanted)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pairs are a matrix as texts.
func (s *Snapshot) pairs(m interface{ Row(int) ([]int32, []uint16) }) (texts []string) {
	for row, customer := range s.Customers {
		columns, ratings := m.Row(row)
		for k, column := range columns {
			texts = append(texts, fmt.Sprintf("%s:%s:%d", customer, s.Items[column], ratings[k]))
		}
	}
	return texts
}

// Ids of every type, in the order of the database, become the rows and columns in the order of the type.
func TestIDsOfEveryType(t *testing.T) {
	for of, ids := range map[shape.Type][]string{
		shape.Int: {"-7", "9", "103"}, shape.BigInt: {"9", "103", "4294967299"}, shape.Text: {"ä", "a-1", "B"},
	} {
		store, _ := s3test.ForTest(t, "lake")
		var lines []line
		for i, id := range ids {
			lines = append(lines, line{"customer": id, "product": ids[2-i], "type": "purchase", "city": "City of " + id})
		}
		manifest := snapshottest.Publish(t, store, "run", shopOf(of, of), nil, lines[1:], lines[:1])
		got := read(t, store, manifest, Wanted{Ratings: true, HoldOuts: []lake.HoldOut{{}}})
		want := slices.SortedFunc(slices.Values(ids), of.Compare)
		if !slices.Equal(got.Customers, want) || !slices.Equal(got.Items, slices.Sorted(slices.Values(ids))) {
			t.Errorf("%s: customers %q, items %q", of, got.Customers, got.Items)
		}
		for row, id := range got.Customers {
			columns, _ := got.Ratings.Row(row)
			if place := slices.Index(ids, id); got.Users.Row(row).Texts[0] != "City of "+id || got.Items[columns[0]] != ids[2-place] {
				t.Errorf("%s: customer %s has %v and %s", of, id, got.Users.Row(row), got.Items[columns[0]])
			}
		}
		if !reflect.DeepEqual(got.Parts[0].Train, got.Ratings) {
			t.Errorf("%s: nothing is held out, but %v remains of %v", of, got.Parts[0].Train, got.Ratings)
		}
	}
}

func TestRowsOfACustomerLieTogether(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	lines := []line{{"customer": "a", "product": "x", "type": "view"}, {"customer": "b", "product": "x", "type": "view"}, {"customer": "a", "product": "y", "type": "view"}}
	manifest := snapshottest.Publish(t, store, "run", shopOf(shape.Text, shape.Text), nil, lines)
	if _, err := Read(t.Context(), store, manifest, Wanted{}); !errors.Is(err, failure.SchemaMismatch) {
		t.Errorf("error %v", err)
	}
}

func TestFeaturesAreTheShopsColumns(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	manifest := snapshottest.Publish(t, store, "run", shopOf(shape.Int, shape.Int),
		[]line{{"product": "12", "title": "A film", "genre": "Horror", "price": "4.995", "weight": "0.5"}, {"product": "7"}},
		[]line{{"customer": "1", "product": "12", "type": "view", "city": "Oslo", "note": "tall", "home_store": "2", "age": "40"}, {"customer": "2", "product": "30", "type": "view"}})
	got := read(t, store, manifest, Wanted{})
	if want := []string{"12", "30", "7"}; !slices.Equal(got.Items, want) {
		t.Fatalf("items %q", got.Items)
	}
	for what, facts := range map[string][2]model.Record{
		"customer": {got.Users.Row(0), {Texts: []string{"Oslo", "2"}, Numbers: []float64{40}}},
		"product":  {got.Products.Row(0), {Texts: []string{"Horror"}, Numbers: []float64{4.995, 0.5}}},
	} {
		if !reflect.DeepEqual(facts[0], facts[1]) {
			t.Errorf("%s %v, want %v", what, facts[0], facts[1])
		}
	}
	for _, unknown := range []model.Record{got.Users.Row(1), got.Products.Row(1), got.Products.Row(2)} {
		if unknown.Texts[0] != "" || !math.IsNaN(unknown.Numbers[0]) {
			t.Errorf("%v is known of a row without facts", unknown)
		}
	}
}

// A pair is the sum of its interactions: by type, by stars, and by age from the newest interaction of the snapshot.
func TestPairsAreSummed(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	of := func(customer, product, kind string, days float64, rating string) line {
		return line{"customer": customer, "product": product, "type": kind, "at": snapshottest.Times(days), "rating": rating}
	}
	untimed := line{"customer": "3", "product": "a", "type": "purchase"}
	lines := []line{
		of("1", "a", "purchase", 10, ""), of("1", "a", "purchase", 0, ""), of("1", "a", "view", 10, ""), of("1", "b", "view", -10, ""), of("1", "c", "rating", 10, "3.5"),
		of("2", "a", "rating", 10, "4"), of("2", "a", "rating", 10, "4"), of("2", "b", "ignored", 10, ""), of("2", "c", "view", -1000, ""),
		untimed,
	}
	shop := shopOf(shape.Int, shape.Text)
	for halfLife, want := range map[float64][]string{
		0:  {"1:a:225", "1:b:25", "1:c:350", "2:a:500", "2:c:25", "3:a:100"},
		10: {"1:a:175", "1:b:6", "1:c:350", "2:a:500", "2:c:1", "3:a:100"},
	} {
		shop.Meaning.HalfLife = halfLife
		manifest := snapshottest.Publish(t, store, fmt.Sprint("run-", halfLife), shop, nil, lines)
		got := read(t, store, manifest, Wanted{Ratings: true, HoldOuts: []lake.HoldOut{{}}})
		if pairs := got.pairs(got.Ratings); !slices.Equal(pairs, want) {
			t.Errorf("half-life %v: %q, want %q", halfLife, pairs, want)
		}
		popular := map[float64]float64{0: 1 + 1 + 0.25 + 1 + 1 + 1, 10: 1 + 0.5 + 0.25 + 1 + 1 + 1}[halfLife]
		if got := got.Parts[0].Popularity[0]; math.Abs(got-popular) > 1e-12 {
			t.Errorf("half-life %v: the popularity of a is %v, want %v", halfLife, got, popular)
		}
	}
}
