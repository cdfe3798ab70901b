package platform

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recsys/infra/local/db/provision"
	"recsys/infra/local/testbed"
	"recsys/shared/contract/lake"
)

// ordersShop writes a dump of a shop that has orders and no ratings. Customers of three groups buy from their group's shelf.
func ordersShop(t *testing.T) string {
	t.Helper()
	chance := rand.New(rand.NewPCG(1, 0))
	var dump strings.Builder
	dump.WriteString(`CREATE DATABASE shop;
USE shop;
CREATE TABLE customers (id BIGINT UNSIGNED PRIMARY KEY, email VARCHAR(100), city VARCHAR(50), country VARCHAR(50));
CREATE TABLE products (id BIGINT UNSIGNED PRIMARY KEY, name VARCHAR(100), category VARCHAR(50), price DECIMAL(8,2), stock INT);
CREATE TABLE orders (id BIGINT UNSIGNED PRIMARY KEY, customer_id BIGINT UNSIGNED, status VARCHAR(20), created_at TIMESTAMP, INDEX (customer_id));
CREATE TABLE order_items (order_id BIGINT UNSIGNED, product_id BIGINT UNSIGNED, quantity INT, price DECIMAL(8,2), PRIMARY KEY (order_id, product_id));
`)
	for c := range 60 {
		fmt.Fprintf(&dump, "INSERT INTO customers VALUES (%d, 'c%d@example.com', 'Oslo', 'Norway');\n", c+1, c)
	}
	for p := range 30 {
		fmt.Fprintf(&dump, "INSERT INTO products VALUES (%d, 'Product %d', 'shelf %d', %d.50, 5);\n", p+1, p, p%3, p+1)
	}
	for o := range 240 {
		customer, status := fmt.Sprint(o%60+1), "paid"
		switch o % 20 {
		case 18:
			customer = "NULL" // a guest
		case 19:
			status = "cancelled"
		}
		fmt.Fprintf(&dump, "INSERT INTO orders VALUES (%d, %s, '%s', '2025-%02d-01 10:00:00');\n", o+1, customer, status, o/60*3+1)
		for _, place := range chance.Perm(10)[:3] {
			fmt.Fprintf(&dump, "INSERT INTO order_items VALUES (%d, %d, 2, 9.50);\n", o+1, place*3+o%3+1)
		}
		if o%20 == 0 {
			fmt.Fprintf(&dump, "INSERT INTO order_items VALUES (%d, 999, 1, 1.00);\n", o+1) // was deleted
		}
	}
	path := filepath.Join(t.TempDir(), "orders.sql")
	if err := os.WriteFile(path, []byte(dump.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// docsShop returns the path of a file that the documents offer.
func docsShop(t *testing.T, name string) string {
	t.Helper()
	root, err := provision.Root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "docs", "shops", name)
}

// runShop runs a shop by its file once, and sends records of its own customers. It returns the outcome, the manifest and the answers.
func runShop(t *testing.T, change func(*Config)) (*Platform, outcome, lake.Manifest, []Answer) {
	t.Helper()
	p := startPlatform(t, change)
	out := mustExecute(t, p, "shop", 0, `{}`)
	manifest, err := p.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	records, err := p.OwnActivity(t.Context(), manifest, 10)
	if err != nil {
		t.Fatal(err)
	}
	since := time.Now()
	events, err := p.PutRecords(t.Context(), bytes.NewReader(records))
	if err != nil {
		t.Fatal(err)
	}
	answers, _, err := p.Answers(t.Context(), events, since, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	names, err := p.ProductNames(t.Context(), manifest)
	if err != nil || len(names) == 0 {
		t.Errorf("names %v, %v", names, err)
	}
	for _, answer := range answers {
		if answer.Rejected != "" || len(answer.Recommended) != 5 || answer.Member("customer") == "" {
			t.Errorf("answer %+v", answer)
		}
		for _, item := range answer.Recommended {
			if names[item.ID] == "" {
				t.Errorf("product %s has no name", item.ID)
			}
		}
	}
	return p, out, manifest, answers
}

// A shop with orders and no ratings runs by its file. Orders of guests and of deleted products are skipped and counted, and
// cancelled ones are not read.
func TestAShopOfOrders(t *testing.T) {
	t.Parallel()
	p, out, manifest, answers := runShop(t, func(c *Config) {
		c.SourceSQL, c.ShopFile, c.Options.Search.Search = []string{ordersShop(t)}, docsShop(t, "orders.yaml"), "off"
	})
	if out.TrainingData.Status != "published" || out.TrainingData.Rejected != 0 || out.Embeddings.Evaluation.Status != "passed" || out.Embeddings.Index.Status != "activated" {
		t.Errorf("got %+v", out)
	}
	if skipped := map[string]int64{"guest": 36, "unknown-product": 12}; !maps.Equal(manifest.Skipped, skipped) {
		t.Errorf("skipped %v, want %v", manifest.Skipped, skipped)
	}
	if kinds := map[string]int64{"purchase": manifest.Rows}; !maps.Equal(manifest.Kinds, kinds) || manifest.Newest == nil {
		t.Errorf("interactions %v, newest %v", manifest.Kinds, manifest.Newest)
	}
	if len(answers) != 10 || answers[0].Recommendation.ModelVersion != 1 || answers[0].Member("country") != "Norway" {
		t.Errorf("answers %+v", answers)
	}
	read := readDataSet(t, p, "shop", `customer, product, "at"`)
	for column, kind := range map[string]string{"snapshot": "VARCHAR", "part": "VARCHAR", "customer": "BIGINT", "product": "BIGINT",
		"shelf": "VARCHAR", "price": "DECIMAL(8,2)", "stock": "INTEGER", "type": "VARCHAR", "at": "TIMESTAMP", "quantity": "DECIMAL(12,4)", "value": "DECIMAL(18,4)"} {
		if got := read.Columns[column]; !strings.HasPrefix(got, kind) {
			t.Errorf("column %s is %q, want %s", column, got, kind)
		}
	}
	if _, there := read.Columns["title"]; there {
		t.Error("the products' names are in training rows")
	}
	if int64(len(read.Rows)) != manifest.Rows || manifest.Rows != 240*3-36-36 {
		t.Errorf("%d rows, the manifest says %d", len(read.Rows), manifest.Rows)
	}
}

// The public sample databases by their files. Sakila's rentals are random, so no model of it may pass. Chinook has 59 customers and
// hardly a track that two of them bought, and classicmodels has few orders, so their verdicts are chance.
func TestPublicShops(t *testing.T) {
	if !testbed.Long() {
		t.Skip("SKIPPED: runs three whole shops: go test ./infra/local/platform -run PublicShops -long")
	}
	for _, shop := range []struct {
		file            string
		dumps           []string
		rows, customers int64
		products        int64
		evaluation      string
	}{
		{"sakila.yaml", []string{"shops/sakila/sakila-mv-schema.sql", "shops/sakila/sakila-mv-data.sql"}, 16_044, 599, 1_000, "not-promoted"},
		{"chinook.yaml", []string{"shops/chinook/Chinook_MySql.sql"}, 2_240, 59, 3_503, ""},
		{"classicmodels-orders.yaml", []string{"classicmodels/mysqlsampledatabase.sql"}, 2_903, 98, 110, ""},
	} {
		t.Run(shop.file, func(t *testing.T) {
			var dumps []string
			for _, name := range shop.dumps {
				dumps = append(dumps, reference(t, name))
			}
			p, out, manifest, _ := runShop(t, func(c *Config) { c.SourceSQL, c.ShopFile = dumps, docsShop(t, shop.file) })
			if manifest.Rows != shop.rows || manifest.Customers != shop.customers || manifest.Products != shop.products || out.TrainingData.Rejected != 0 ||
				len(manifest.Skipped) != 0 || manifest.Newest == nil {
				t.Errorf("manifest %+v, %+v", manifest, out)
			}
			if out.Training.Status != "trained" || shop.evaluation != "" && out.Embeddings.Evaluation.Status != shop.evaluation {
				t.Errorf("got %+v", out)
			}
			if read := readDataSet(t, p, "shop", `customer, product, "at"`); int64(len(read.Rows)) != shop.rows {
				t.Errorf("DuckDB reads %d rows", len(read.Rows))
			}
			report := out.Embeddings.Evaluation
			t.Logf("%s: %d rows, %d customers, %d products, NDCG@10 %.3f, popular %.3f, random %.3f, %s",
				shop.file, manifest.Rows, manifest.Customers, manifest.Products, report.NDCG10, report.Popularity10, report.Random10, report.Status)
		})
	}
}
