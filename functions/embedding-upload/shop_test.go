package main

import (
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"recsys/shared/contract/lake"
	"recsys/shared/shop/training"
	"recsys/shared/store/vectorstore"
)

// TestShop checks a version's facts about the shop: its codes, its stock and its popular items.
func TestShop(t *testing.T) {
	server := server(t)
	t.Run("a code is gone if the newest list of products does not hold it", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.publishRows("s1", nil, training.CatalogueRow{ProductCode: "S10_1678", ProductLine: "Ships", QuantityInStock: 3},
			training.CatalogueRow{ProductCode: "s72_3212", Reason: training.NoQuantity, StockUnknown: true},
			training.CatalogueRow{ProductCode: "ab00"}, training.CatalogueRow{ProductCode: "AB00"})
		b.publish("s1", noon, lake.ItemCount{Item: "came later", Group: "France", Count: 1})
		b.activate(b.upload(b.run()).Version)
		want := []string{"(AB00,,f)", "(S10_1678,S10_1678,f)", "(S10_1949,S10_1949,t)", "(S72_3212,,t)", "(ab00,,f)",
			`("came later","CAME LATER",f)`, "(s72_3212,S72_3212,f)"}
		if got := b.rows(vectorstore.CodeTable(1)); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
			t.Errorf("codes %v, want %v", got, want)
		}
		if got, want := b.rows(vectorstore.AttributeTable(1)), []string{`(AB00,"",0)`, "(S10_1678,Ships,3)", `(ab00,"",0)`}; !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("attributes %v, want %v: a stock that is unknown is no stock", got, want)
		}
		putParquet(b, lake.ProductsKey("s2"), []earlierProduct{{"S10_1678"}})
		b.publish("s2", noon.Add(time.Hour))
		b.upload(b.run())
		want = []string{"(S10_1678,S10_1678,f)", "(S10_1949,S10_1949,f)", "(S72_3212,S72_3212,f)"}
		if got := b.rows(vectorstore.CodeTable(1)); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("by a list of an earlier release: codes %v, want %v", got, want)
		}
		_, err := b.DB.Exec(t.Context(), `drop table `+vectorstore.CodeTable(1))
		b.Must(err)
		b.upload(b.run())
		if got := b.rows(vectorstore.CodeTable(1)); len(got) != 3 {
			t.Errorf("a version of an earlier release has the codes %v", got)
		}
	})
	t.Run("without a snapshot no code is gone", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.activate(b.upload(b.run()).Version)
		want := []string{"(S10_1678,S10_1678,f)", "(S10_1949,S10_1949,f)", "(S72_3212,S72_3212,f)"}
		if got := b.rows(vectorstore.CodeTable(1)); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("codes %v, want %v", got, want)
		}
	})
	t.Run("a refresh changes the rows of popularity that differ, and no others", func(t *testing.T) {
		b := setup(t, server)
		b.handOver(embeddingsOf(goodItems, goodUsers))
		b.publish("s1", noon, lake.ItemCount{Item: "S10_1678", Group: "France", Count: 5}, lake.ItemCount{Item: "S72_3212", Group: "Peru", Count: 1})
		b.activate(b.upload(b.run()).Version)
		places := func() (places map[string]string) {
			rows, err := b.DB.Query(t.Context(), `select country || '/' || item || '/' || count, ctid::text from `+vectorstore.PopularityTable(1))
			b.Must(err)
			places = map[string]string{}
			var row, place string
			_, err = pgx.ForEachRow(rows, []any{&row, &place}, func() error { places[row] = place; return nil })
			b.Must(err)
			return places
		}
		before := places()
		b.publish("s2", noon.Add(time.Hour), lake.ItemCount{Item: "S10_1678", Group: "France", Count: 5}, lake.ItemCount{Item: "S72_3212", Group: "Peru", Count: 2})
		b.upload(b.run())
		after := places()
		for _, row := range []string{"france/S10_1678/5", "/S10_1678/5", "/S10_1949/0"} {
			if after[row] == "" || after[row] != before[row] {
				t.Errorf("%s was at %q and is at %q", row, before[row], after[row])
			}
		}
		if len(after) != len(before) || after["peru/S72_3212/2"] == "" || after["/S72_3212/2"] == "" {
			t.Errorf("popularity %v", after)
		}
	})
}
