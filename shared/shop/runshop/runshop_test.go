package runshop

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/store/objectstore"
)

func TestARunKeepsItsShop(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	if _, err := Read(t.Context(), store, "run"); !errors.Is(err, failure.InvalidInput) || !strings.Contains(err.Error(), "runs/run/shop.json") {
		t.Errorf("nothing was planned: %v", err)
	}
	for range 2 { // the second is another attempt
		if err := Write(t.Context(), store, "run", shape.Lab); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := Read(t.Context(), store, "run"); err != nil || !reflect.DeepEqual(got, shape.Lab) {
		t.Errorf("got %+v, %v", got, err)
	}
	other := shape.Lab
	other.Hash = "changed"
	if err := Write(t.Context(), store, "run", other); !errors.Is(err, failure.SchemaMismatch) {
		t.Errorf("another shop: %v", err)
	}
	if got, err := Read(t.Context(), store, "run"); err != nil || got.Hash != "" {
		t.Errorf("the shop was replaced: %+v, %v", got, err)
	}
	if err := put(t.Context(), store, "run", nil); !errors.Is(err, failure.Overtaken) {
		t.Errorf("an attempt that came between: %v", err)
	}
	if _, err := store.Head(t.Context(), lake.ShapeKey("other")); !errors.Is(err, objectstore.ErrNotFound) {
		t.Errorf("another run: %v", err)
	}
}
