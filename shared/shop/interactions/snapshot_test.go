package interactions

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"

	"recsys/infra/local/testbed/s3test"
	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/model"
	"recsys/shared/learn/sparse"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

func put[T any](t *testing.T, store *objectstore.Store, key string, rows ...T) {
	t.Helper()
	putRatings(t, store, key, training.WholeRatings, rows...)
}

func putRatings[T any](t *testing.T, store *objectstore.Store, key string, of training.RatingType, rows ...T) {
	t.Helper()
	file, err := objectstore.Scratch()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := training.NewWriterOf[T](file, of)
	for _, row := range rows {
		if err := w.Append(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.PutFile(t.Context(), key, file); err != nil {
		t.Fatal(err)
	}
}

func readAll(t testing.TB, store *objectstore.Store, name string) (*Snapshot, error) {
	t.Helper()
	manifest, err := ReadManifest(t.Context(), store, name)
	if err != nil {
		return nil, err
	}
	return Read(t.Context(), store, manifest, Wanted{Ratings: true})
}

// rating is a row as transform writes it.
func rating(customer int32, code string, rating int32) trainingtest.Row {
	limit := int64(2_100_050)
	return trainingtest.Row{
		City: "Nantes", Country: "France", CreditLimit: &limit, ProductCode: code, ProductLine: "Cars", ProductScale: "1:10",
		BuyPrice: 4881, MSRP: 9570, ProductRating: rating, CustomerNumber: customer,
	}
}

func TestReadSortsCustomersItemsAndRatings(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	noLimit := rating(103, "B", 4)
	noLimit.CreditLimit = nil
	put(t, store, lake.RangeKey("run", 0), rating(-3, "D", 1), noLimit, rating(103, "A", 5))
	put(t, store, lake.RangeKey("run", 1), rating(112, "A", 2))
	put(t, store, lake.ProductsKey("run"),
		training.CatalogueRow{ProductCode: "A", ProductLine: "Cars", ProductScale: "1:10", BuyPrice: 4881, MSRP: 9570},
		training.CatalogueRow{ProductCode: "AA", Reason: training.NoPrice},
		training.CatalogueRow{ProductCode: "C", ProductLine: "Ships", ProductScale: "1:72", BuyPrice: 100, MSRP: 150})
	if _, err := store.PutJSON(t.Context(), lake.ManifestKey("run"), lake.Manifest{Snapshot: "run", Ranges: 2, Rows: 4}); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t, store, "run")
	if err != nil {
		t.Fatal(err)
	}
	first := model.Record{Texts: []string{"Nantes", "France"}, Numbers: []float64{21000.5}}
	if got.Users.Rows() != 3 || !math.IsNaN(got.Users.Row(1).Numbers[0]) || !reflect.DeepEqual(got.Users.Row(0), first) {
		t.Errorf("customers %+v", got.Users)
	}
	ship := model.Record{Texts: []string{"Ships", "1:72"}, Numbers: []float64{1, 1.5}}
	if want := []string{"A", "B", "C", "D"}; !reflect.DeepEqual(got.Items, want) || !reflect.DeepEqual(got.Products.Row(2), ship) {
		t.Errorf("items %q, %+v", got.Items, got.Products)
	}
	if late := got.Products.Row(3); late.Texts[0] != "" || !math.IsNaN(late.Numbers[0]) {
		t.Errorf("of an item that no list has, %+v is known", late)
	}
	if want := []string{"-3", "103", "112"}; !reflect.DeepEqual(got.Customers, want) {
		t.Errorf("ids %v", got.Customers)
	}
	want := &sparse.Matrix{Width: 4, Start: []int64{0, 1, 3, 4}, Columns: []int32{3, 0, 1, 0}, Ratings: []uint16{100, 500, 400, 200}}
	if !reflect.DeepEqual(got.Ratings, want) {
		t.Errorf("ratings %+v, want %+v", got.Ratings, want)
	}
	if want := []string{"AA"}; !reflect.DeepEqual(got.Unsound, want) {
		t.Errorf("products of bad rows %q, want %q", got.Unsound, want)
	}
}

func TestReadShopKeepsNoRatings(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	put(t, store, lake.RangeKey("run", 0), rating(103, "B", 4), rating(103, "A", 5), rating(104, "D", 1))
	put(t, store, lake.ProductsKey("run"), training.CatalogueRow{ProductCode: "A"}, training.CatalogueRow{ProductCode: "AA", Reason: training.NoPrice},
		training.CatalogueRow{ProductCode: "C"})
	if _, err := store.PutJSON(t.Context(), lake.ManifestKey("run"), lake.Manifest{Snapshot: "run", Ranges: 1, Rows: 3}); err != nil {
		t.Fatal(err)
	}
	whole, err := readAll(t, store, "run")
	if err != nil {
		t.Fatal(err)
	}
	shop, err := ReadShop(t.Context(), store, "run")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(shop.Customers, whole.Customers) || !slices.Equal(shop.Items, whole.Items) || !slices.Equal(shop.Unsound, whole.Unsound) {
		t.Errorf("the shop is %+v, want the same as %+v", shop, whole)
	}
	if len(shop.Items) != 4 || len(shop.Customers) != 2 {
		t.Errorf("customers %v and items %v", shop.Customers, shop.Items)
	}
	if shop.Ratings != nil || len(shop.Parts) > 0 {
		t.Errorf("the shop has ratings: %+v, %+v", shop.Ratings, shop.Parts)
	}
}

// Ratings of both types come in hundredths of a star.
func TestReadFractionalRatings(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	putRatings(t, store, lake.RangeKey("run", 0), training.FractionalRatings, rating(103, "A", 450), rating(103, "B", 50), rating(104, "A", 325))
	if _, err := store.PutJSON(t.Context(), lake.ManifestKey("run"), lake.Manifest{Snapshot: "run", Ranges: 1, Rows: 3}); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t, store, "run")
	if want := []uint16{450, 50, 325}; err != nil || !reflect.DeepEqual(got.Ratings.Ratings, want) {
		t.Errorf("ratings %+v, %v; want %v", got.Ratings, err, want)
	}
}

func TestASnapshotThatIsGone(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	if _, err := Latest(t.Context(), store); !errors.Is(err, ErrNoSnapshot) {
		t.Errorf("no pointer: %v", err)
	}
	if _, err := readAll(t, store, "gone"); !errors.Is(err, objectstore.ErrNotFound) {
		t.Errorf("no manifest: %v", err)
	}
}

func TestRowsOutOfOrderAreRefused(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	put(t, store, lake.RangeKey("run", 0), rating(112, "A", 1), rating(103, "A", 1))
	if _, err := store.PutJSON(t.Context(), lake.ManifestKey("run"), lake.Manifest{Snapshot: "run", Ranges: 1, Rows: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(t, store, "run"); err == nil {
		t.Error("read without an error")
	}
}
