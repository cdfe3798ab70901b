package platform

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/shops"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
	"recsys/shared/stream/activity"
)

// The databases of shop platforms run by their shop files: to a model that beats popularity, and to answers with products
// that the shop sells and that the customer has not bought.
func TestShopPlatforms(t *testing.T) {
	if !testbed.Long() {
		t.Skip("runs five whole shops: go test ./infra/local/platform -run ShopPlatforms -long")
	}
	shop, err := shops.New(shops.Small())
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []shops.Platform{shops.WooCommerce, shops.Magento, shops.PrestaShop, shops.UUID, shops.Text} {
		t.Run(kind.Name, func(t *testing.T) { shopRuns(t, kind, shop) })
	}
}

func shopRuns(t *testing.T, kind shops.Platform, shop *shops.Shop) {
	p := startPlatform(t, func(c *Config) {
		c.SourceSQL, c.ShopFile = []string{dumpOf(t, kind, shop)}, shopFileOf(t, kind)
		c.Options.Search.Search = "off"
		c.Options.RowsPerRange = 1_000
	})
	out := mustExecute(t, p, "shop", 0, `{}`)
	wanted, manifest := expected(kind, shop), readManifest(t, p, "shop")
	if out.TrainingData.Status != "published" || manifest.Rows != wanted.rows || manifest.Kinds["purchase"] != wanted.rows ||
		manifest.Skipped["guest"] != wanted.guests || manifest.Skipped["unknown-product"] != wanted.deleted || out.TrainingData.Rejected != wanted.undated {
		t.Errorf("got %+v, skipped %v, rejected %v, want %+v", out.TrainingData, manifest.Skipped, manifest.Rejected, wanted)
	}
	found := out.Embeddings.Evaluation
	if !found.Promote || found.NDCG10 < 2*found.Popularity10 || out.Embeddings.Index.Status != "activated" {
		t.Errorf("evaluation: %+v", found)
	}
	checkRows(t, p, kind, shop)
	checkAnswers(t, p, kind, shop)
	if again := mustExecute(t, p, "again", 1, `{}`); again.TrainingData.Status != "published" || again.Embeddings.Upload.Status != "unchanged" {
		t.Errorf("a second run: %+v", again)
	}
	t.Logf("| %s | %d | %d | %d | %.3f | %.3f | %.3f |", kind.Name, manifest.Rows, manifest.Customers, manifest.Products,
		found.NDCG10, found.Popularity10, found.Random10)
}

func dumpOf(t *testing.T, kind shops.Platform, shop *shops.Shop) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), kind.Name+".sql")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := kind.Write(file, shop); err != nil {
		t.Fatal(err)
	}
	return path
}

// shopFileOf returns the shop file of the documents, or of the package that makes the shop.
func shopFileOf(t *testing.T, kind shops.Platform) string {
	t.Helper()
	path := docsShop(t, kind.Name+".yaml")
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join("..", "testbed", "shops", "testdata", kind.Name+".yaml")
	}
	return path
}

// counted says how many rows the queries give, by what becomes of them.
type counted struct{ rows, guests, deleted, undated int64 }

func expected(kind shops.Platform, shop *shops.Shop) (n counted) {
	for _, bought := range shop.Purchases() {
		lines := int64(bought.Lines)
		if kind.Name == shops.WooCommerce.Name {
			lines = 1 // its query sums them
		}
		switch {
		case bought.Customer < 0:
			n.guests += lines
		case undated(kind, bought):
			n.undated += lines
		case shop.Products[bought.Product].Deleted:
			n.deleted += lines
		default:
			n.rows += lines
		}
	}
	return n
}

// undated reports whether the purchase has the zero date, so that the pipeline rejects it.
func undated(kind shops.Platform, bought shops.Purchase) bool {
	return kind.Undated != nil && kind.Undated(bought.Order)
}

func readManifest(t *testing.T, p *Platform, run string) (manifest lake.Manifest) {
	t.Helper()
	content, err := os.ReadFile(p.path("s3", LakeBucket, lake.ManifestKey(run)))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &manifest); err != nil {
		t.Fatal(err)
	}
	return manifest
}

// checkRows compares the snapshot with the purchases, as DuckDB reads it: times are UTC, ids the shop's own.
func checkRows(t *testing.T, p *Platform, kind shops.Platform, shop *shops.Shop) {
	t.Helper()
	wanted := map[string]float64{}
	for _, bought := range shop.Purchases() {
		if bought.Customer >= 0 && !undated(kind, bought) && !shop.Products[bought.Product].Deleted {
			key := fmt.Sprint(kind.CustomerID(bought.Customer), " ", kind.ProductID(bought.Product), " ", bought.At.Format(time.DateTime))
			wanted[key] += float64(bought.Quantity)
		}
	}
	got := map[string]float64{}
	for _, row := range readDataSet(t, p, "shop", "customer, product").Rows {
		at, _, _ := strings.Cut(fmt.Sprint(row["at"]), "+")
		quantity, err := strconv.ParseFloat(fmt.Sprint(row["quantity"]), 64)
		if err != nil {
			t.Fatal(err)
		}
		got[fmt.Sprint(row["customer"], " ", row["product"], " ", at)] += quantity
	}
	if !maps.Equal(got, wanted) {
		missing := slices.DeleteFunc(slices.Sorted(maps.Keys(wanted)), func(key string) bool { return got[key] == wanted[key] })
		t.Errorf("%d purchases in the snapshot, want %d; missing or wrong: %.5q", len(got), len(wanted), missing[:min(5, len(missing))])
	}
}

// checkAnswers asks for customers that bought something, and for a stranger who looks at a product.
func checkAnswers(t *testing.T, p *Platform, kind shops.Platform, shop *shops.Shop) {
	t.Helper()
	bought := map[int]map[string]bool{} // products by customer
	for _, one := range shop.Purchases() {
		if one.Customer < 0 || one.Customer > 20 || undated(kind, one) {
			continue
		}
		if bought[one.Customer] == nil {
			bought[one.Customer] = map[string]bool{}
		}
		bought[one.Customer][kind.ProductID(one.Product)] = true
	}
	asked := slices.Sorted(maps.Keys(bought))
	var records strings.Builder
	for _, customer := range asked {
		fmt.Fprintf(&records, "{\"customer\":%q}\n", kind.CustomerID(customer))
	}
	fmt.Fprintf(&records, "{\"session_id\":\"stranger\",\"country\":%q,\"browse_history\":[{\"product\":%q}]}\n", shop.Customers[0].Country.Code, kind.ProductID(1))

	since := time.Now()
	events, err := p.PutRecords(t.Context(), strings.NewReader(records.String()))
	if err != nil {
		t.Fatal(err)
	}
	answers, _, err := p.Answers(t.Context(), events, since, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	names, sold := productNames(t, p, "shop"), map[string]bool{}
	for i, product := range shop.Products {
		sold[kind.ProductID(i)] = kind.Sells(product)
	}
	for i, answer := range answers {
		if len(answer.Recommended) != 5 || answer.Recommendation.ModelVersion != 1 || answer.Rejected != "" {
			t.Errorf("answer %d: %+v", i, answer)
		}
		if i < len(asked) && answer.Recommendation.Strategy != activity.StoredVector && answer.Recommendation.Strategy != activity.Model {
			t.Errorf("customer %s is answered by %s", kind.CustomerID(asked[i]), answer.Recommendation.Strategy)
		}
		var recommended []string
		for _, item := range answer.Recommended {
			recommended = append(recommended, names[item.ID])
			if i < len(asked) && bought[asked[i]][item.ID] || names[item.ID] == "" || !sold[item.ID] {
				t.Errorf("answer %d recommends %s (%s)", i, item.ID, names[item.ID])
			}
		}
		if i%10 == 0 {
			t.Logf("%s by %s: %s", kind.Name, answer.Recommendation.Strategy, strings.Join(recommended, "; "))
		}
	}
}

// productNames reads the run's list of products.
func productNames(t *testing.T, p *Platform, run string) map[string]string {
	t.Helper()
	described := readManifest(t, p, run).Shape()
	list, err := training.OpenCatalogue(t.Context(), p.Store(LakeBucket), described, lake.ProductsKey(run))
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	place := slices.IndexFunc(described.ProductColumns, func(c shape.Column) bool { return c.Role == shape.Name })
	names := map[string]string{}
	for {
		product, err := list.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names[product.ID] = training.Text(product.Values[place])
	}
}
