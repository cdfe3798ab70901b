package source

import (
	"database/sql"
	"fmt"
	"strconv"
	"testing"
	"time"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/shopfile"
	"recsys/shared/shop/training"
)

// The benchmark's shop has order lines of variants.
const (
	benchmarkOrders    = 300_000
	benchmarkLines     = 4 // of an order
	benchmarkCustomers = 60_000
	benchmarkRanges    = 4

	benchmarkFile = `
timezone: Europe/Paris
interactions:
  orders:
    type: purchase
    query: |
      SELECT o.customer_id AS customer, v.product_id AS product, o.created_at AS at, i.quantity, i.quantity * i.price AS value
      FROM orders o JOIN order_items i ON i.order_id = o.id JOIN variants v ON v.id = i.variant_id
      WHERE {{range o.customer_id}}
`
	bareStatement = `SELECT o.customer_id, v.product_id, o.created_at, i.quantity, i.quantity * i.price
		FROM orders o JOIN order_items i ON i.order_id = o.id JOIN variants v ON v.id = i.variant_id
		WHERE o.customer_id > %d AND o.customer_id <= %d ORDER BY o.customer_id, v.product_id, o.created_at, i.quantity, 5`
)

// BenchmarkOrders reads orders that are joined over three tables, range by range. "bare" reads the same ranges in the
// same order with the driver alone, on one connection. The two take turns, range by range, so that a busy machine slows both.
func BenchmarkOrders(b *testing.B) {
	for _, engine := range []mysql.Engine{mysql.MySQL, mysql.MariaDB} {
		b.Run(engine.String(), func(b *testing.B) { ordersNextToBare(b, mysqltest.Start(b, engine)) })
	}
}

func ordersNextToBare(b *testing.B, server *mysql.Server) {
	dsn, err := server.NewDatabase(b.Context(), "orders")
	if err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range benchmarkShop() {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatalf("%s: %v", statement, err)
		}
	}
	shop, err := shopfile.Parse([]byte(benchmarkFile), "shop.yaml")
	if err != nil {
		b.Fatal(err)
	}
	database, err := Open(b.Context(), settings.Source{DSN: dsn})
	if err != nil {
		b.Fatal(err)
	}
	defer database.Close()
	var bareTime, ownTime time.Duration
	b.ReportAllocs()
	for b.Loop() {
		for i := range benchmarkRanges {
			after, upTo := i*benchmarkCustomers/benchmarkRanges, (i+1)*benchmarkCustomers/benchmarkRanges
			start := time.Now()
			rows := bare(b, db, after, upTo)
			bareTime += time.Since(start)
			start = time.Now()
			if own := readRange(b, database, shop, after, upTo); own != rows || rows == 0 {
				b.Fatalf("%d rows, bare %d", own, rows)
			}
			ownTime += time.Since(start)
		}
	}
	rows := float64(benchmarkOrders * benchmarkLines * b.N)
	b.ReportMetric(rows/bareTime.Seconds(), "bare-rows/s")
	b.ReportMetric(rows/ownTime.Seconds(), "rows/s")
	b.ReportMetric(100*bareTime.Seconds()/ownTime.Seconds(), "%-of-bare")
}

// readRange counts the rows of a range, which it takes as raw rows.
func readRange(b *testing.B, database *Database, shop shape.Shop, after, upTo int) (rows int) {
	lower, upper := strconv.Itoa(after), strconv.Itoa(upTo)
	err := database.Snapshot(b.Context(), shop, func(s *Snapshot) error {
		return s.Interactions(b.Context(), workflow.Range{After: &lower, UpTo: &upper}, func(training.Raw) error { rows++; return nil })
	})
	if err != nil {
		b.Fatal(err)
	}
	return rows
}

// bare counts the rows of a range, which it takes as bytes.
func bare(b *testing.B, db *sql.DB, after, upTo int) int {
	rows, err := db.QueryContext(b.Context(), fmt.Sprintf(bareStatement, after, upTo))
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	var values [5]sql.RawBytes
	count := 0
	for rows.Next() {
		if err := rows.Scan(&values[0], &values[1], &values[2], &values[3], &values[4]); err != nil {
			b.Fatal(err)
		}
		count++
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return count
}

// benchmarkShop returns the statements of the shop. Every row follows from its number.
func benchmarkShop() []string {
	const products, variants = 3_000, 9_000
	return []string{
		"CREATE TABLE n (n INT PRIMARY KEY)",
		"INSERT INTO n WITH RECURSIVE d(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM d WHERE n < 999) SELECT n FROM d",
		"CREATE TABLE variants (id BIGINT UNSIGNED PRIMARY KEY, product_id BIGINT UNSIGNED)",
		fmt.Sprintf("INSERT INTO variants SELECT a.n * 1000 + b.n, (a.n * 1000 + b.n) %% %d FROM n a, n b WHERE a.n < %d", products, variants/1000),
		"CREATE TABLE orders (id BIGINT UNSIGNED PRIMARY KEY, customer_id BIGINT UNSIGNED NULL, status VARCHAR(20), created_at DATETIME, KEY (customer_id))",
		fmt.Sprintf("INSERT INTO orders SELECT a.n * 1000 + b.n, MOD((a.n * 1000 + b.n) * 7919, %d) + 1, 'paid', '2024-01-01' + INTERVAL MOD((a.n * 1000 + b.n) * 104729, 40000000) SECOND FROM n a, n b WHERE a.n < %d", benchmarkCustomers, benchmarkOrders/1000),
		"CREATE TABLE order_items (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, order_id BIGINT UNSIGNED, variant_id BIGINT UNSIGNED, quantity INT, price DECIMAL(10,2), KEY (order_id))",
		fmt.Sprintf("INSERT INTO order_items (order_id, variant_id, quantity, price) SELECT o.id, MOD(o.id * 31 + n.n * 577, %d), 1 + MOD(o.id + n.n, 3), 9.99 + MOD(o.id, 100) FROM orders o, n WHERE n.n < %d", variants, benchmarkLines),
		"ANALYZE TABLE orders, order_items, variants",
	}
}
