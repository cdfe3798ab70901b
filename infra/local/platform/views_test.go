package platform

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recsys/infra/local/db/provision"
	"recsys/infra/local/testbed"
)

// ordersShop writes a dump of a shop that has orders and no ratings. Customers of three groups buy from their group's shelf.
func ordersShop(t *testing.T) string {
	t.Helper()
	chance := rand.New(rand.NewPCG(1, 0))
	var dump strings.Builder
	dump.WriteString(`CREATE DATABASE shop;
USE shop;
CREATE TABLE customers (id INT UNSIGNED PRIMARY KEY, email VARCHAR(100), city VARCHAR(50), state VARCHAR(50) NOT NULL, postcode VARCHAR(20), country VARCHAR(50));
CREATE TABLE products (id INT UNSIGNED PRIMARY KEY, sku VARCHAR(40) NOT NULL UNIQUE, name VARCHAR(100), category VARCHAR(50), price DECIMAL(8,2), stock INT);
CREATE TABLE orders (id INT UNSIGNED PRIMARY KEY, customer_id INT UNSIGNED, status VARCHAR(20), placed_at DATETIME);
CREATE TABLE order_items (order_id INT UNSIGNED, product_id INT UNSIGNED, quantity INT, PRIMARY KEY (order_id, product_id));
`)
	for c := range 60 {
		fmt.Fprintf(&dump, "INSERT INTO customers VALUES (%d, 'c%d@example.com', 'Oslo', '', '0150', 'Norway');\n", c+1, c)
	}
	for p := range 30 {
		fmt.Fprintf(&dump, "INSERT INTO products VALUES (%d, 'SKU-%03d', 'Product %d', 'shelf %d', %d.50, 5);\n", p+1, p, p, p%3, p+1)
	}
	for o := range 240 {
		customer, status := fmt.Sprint(o%60+1), "paid"
		switch o % 20 {
		case 18:
			customer = "NULL" // a guest
		case 19:
			status = "cancelled"
		}
		fmt.Fprintf(&dump, "INSERT INTO orders VALUES (%d, %s, '%s', '2026-01-01 00:00:00');\n", o+1, customer, status)
		for _, place := range chance.Perm(10)[:3] {
			fmt.Fprintf(&dump, "INSERT INTO order_items VALUES (%d, %d, 1);\n", o+1, place*3+o%3+1)
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

// A shop without ratings runs by three views, and the orders of guests and cancelled ones count for nothing.
func TestOrdersBecomeRatingsByViews(t *testing.T) {
	t.Parallel()
	p := startPlatform(t, func(c *Config) {
		c.SourceSQL, c.SourceDatabase, c.Options.Search.Search = []string{ordersShop(t), docsShop(t, "orders.sql")}, "recsys", "off"
	})
	out := mustExecute(t, p, "orders", 0, `{}`)
	if out.TrainingData.Status != "published" || out.TrainingData.Rejected != 0 || out.Embeddings.Evaluation.Status != "passed" || out.Embeddings.Index.Status != "activated" {
		t.Errorf("got %+v", out)
	}
	rows := 0
	for _, row := range readSnapshot(t, p, "orders").Rows {
		rows++
		if line, customer := row["productLine"], row["customerNumber"].(string); line == "none" || customer == "" {
			t.Errorf("row %v", row)
		}
	}
	if rows < 300 || rows > 60*10 {
		t.Errorf("%d rows", rows)
	}
}

// The views of the public sample databases. Sakila's rentals are random, so no model of it may pass. Chinook has 59 customers and
// hardly a track that two of them bought, so its verdict is chance.
func TestPublicShopsByViews(t *testing.T) {
	if !testbed.Long() {
		t.Skip("runs two whole shops: go test ./infra/local/platform -run PublicShops -long")
	}
	for _, shop := range []struct {
		views      string
		dumps      []string
		rows       int64
		evaluation string
	}{
		{"sakila.sql", []string{"shops/sakila/sakila-mv-schema.sql", "shops/sakila/sakila-mv-data.sql"}, 15_828, "not-promoted"},
		{"chinook.sql", []string{"shops/chinook/Chinook_MySql.sql"}, 2_240, ""},
	} {
		t.Run(shop.views, func(t *testing.T) {
			var dumps []string
			for _, name := range shop.dumps {
				dumps = append(dumps, reference(t, name))
			}
			p := startPlatform(t, func(c *Config) {
				c.SourceSQL = append(dumps, docsShop(t, shop.views))
			})
			out := mustExecute(t, p, "public", 0, `{}`)
			if out.TrainingData.Rows != shop.rows || out.TrainingData.Rejected != 0 || out.Training.Status != "trained" ||
				shop.evaluation != "" && out.Embeddings.Evaluation.Status != shop.evaluation {
				t.Errorf("got %+v", out)
			}
		})
	}
}
