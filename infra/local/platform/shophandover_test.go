package platform

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/shops"
	"recsys/shared/contract/lake"
	"recsys/shared/stream/activity"
)

// A data scientist hands over vectors for a shop whose ids are texts. Each customer's vector is that of one product, which they
// have not bought and the shop sells. So that product is the first one of their list.
func TestHandOversToShopsWithTextIDs(t *testing.T) {
	if !testbed.Long() {
		t.Skip("runs two whole shops: go test ./infra/local/platform -run HandOversToShops -long")
	}
	shop, err := shops.New(shops.Small())
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []shops.Platform{shops.UUID, shops.Text} {
		t.Run(kind.Name, func(t *testing.T) {
			p := startPlatform(t, func(c *Config) {
				c.SourceSQL, c.ShopFile = []string{dumpOf(t, kind, shop)}, shopFileOf(t, kind)
			})
			mustExecute(t, p, "rows", 0, `{"stages":"training-data"}`)
			wanted := wantedProducts(kind, shop)
			activates(t, p, "hand-over", 1, oneHot(t, kind, shop, wanted), 1)
			var records, first []string
			for _, customer := range []int{0, 1, 2, 3, 5, 8} {
				record, err := json.Marshal(map[string]string{"customer": kind.CustomerID(customer)})
				if err != nil {
					t.Fatal(err)
				}
				records, first = append(records, string(record)), append(first, kind.ProductID(wanted[customer]))
			}
			for i, answer := range ask(t, p, records...) {
				if how := answer.Recommendation; how.Strategy != activity.StoredVector || how.ModelVersion != 1 || answer.Recommended[0].ID != first[i] {
					t.Errorf("%s: %+v by %+v, want %q first", records[i], answer.Recommended, how, first[i])
				}
			}
		})
	}
}

// wantedProducts returns a product that is sold and that the customer has not bought, for each customer.
func wantedProducts(kind shops.Platform, shop *shops.Shop) []int {
	bought := map[[2]int]bool{}
	for _, one := range shop.Purchases() {
		bought[[2]int{one.Customer, one.Product}] = true
	}
	wanted := make([]int, len(shop.Customers))
	for customer := range wanted {
		for product := customer % len(shop.Products); ; product = (product + 1) % len(shop.Products) {
			if kind.Sells(shop.Products[product]) && !bought[[2]int{customer, product}] {
				wanted[customer] = product
				break
			}
		}
	}
	return wanted
}

// oneHot is a hand-over in which each product has a direction of its own.
func oneHot(t *testing.T, kind shops.Platform, shop *shops.Shop, wanted []int) fstest.MapFS {
	t.Helper()
	file := func(n int, id func(int) string, direction func(int) int) *fstest.MapFile {
		var text strings.Builder
		out := csv.NewWriter(&text)
		rows := [][]string{{"id", "embedding"}}
		for i := range n {
			numbers := slices.Repeat([]string{"0"}, len(shop.Products))
			numbers[direction(i)] = "1"
			rows = append(rows, []string{id(i), "[" + strings.Join(numbers, ",") + "]"})
		}
		if err := out.WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		return &fstest.MapFile{Data: []byte(text.String())}
	}
	return fstest.MapFS{
		lake.ItemEmbeddingsKey: file(len(shop.Products), kind.ProductID, func(i int) int { return i }),
		lake.UserEmbeddingsKey: file(len(wanted), kind.CustomerID, func(i int) int { return wanted[i] }),
	}
}
