package functions

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"recsys/infra/local/testbed/mysqltest"
	"recsys/shared/contract/workflow"
)

// maxResident is the most memory of a step at its peak, for any size of range: 256 MiB.
const maxResident = 256 << 20

// BenchmarkFiveMillionRatings runs each step once, as a process, over 5 million ratings in one range (50,000
// customers, 100 products). It reports rows/s and the peak of the resident set (VmHWM). It takes minutes: go test
// ./functions -run '^$' -bench FiveMillion -benchtime 1x
func BenchmarkFiveMillionRatings(b *testing.B) {
	benchmarkRange(b, 50_000, 100)
}

// BenchmarkTenMillionRatings is twice that: the peaks have to stay where they are.
func BenchmarkTenMillionRatings(b *testing.B) {
	benchmarkRange(b, 20_000, 500)
}

func benchmarkRange(b *testing.B, customers, products int) {
	server := mysqltest.ForTest(b)
	dsn, err := server.NewDatabase(b.Context(), "big")
	if err != nil {
		b.Fatal(err)
	}
	fillShop(b, dsn, customers, products)
	ratings := int64(customers * products)
	s := setup(b, dsn, ratings+1)
	for b.Loop() {
		run := runAt("big", 0)
		var plan workflow.Plan
		b.ReportMetric(timed(b, ratings, func() { plan = must[workflow.Plan](b, s, "plan-extract", run) }), "plan-rows/s")
		in := workflow.RangeInput{Run: run, Range: plan.Ranges[0]}
		b.ReportMetric(timed(b, ratings, func() { must[workflow.Extracted](b, s, "extract", in) }), "extract-rows/s")
		b.ReportMetric(timed(b, ratings, func() { must[workflow.Transformed](b, s, "transform", in) }), "transform-rows/s")
		b.ReportMetric(timed(b, ratings, func() { must[workflow.Partitioned](b, s, "partition-write", in) }), "partition-rows/s")
		b.ReportMetric(timed(b, ratings, func() { must[workflow.Published](b, s, "publish-training-data", run) }), "publish-rows/s")
	}
	for _, step := range []string{"plan-extract", "extract", "transform", "partition-write", "publish-training-data"} {
		peak := s.PeakMemory(step)
		b.ReportMetric(float64(peak>>20), step+"-MiB")
		if peak > maxResident {
			b.Errorf("%s held %d MiB", step, peak>>20)
		}
	}
}

func timed(b *testing.B, rows int64, step func()) float64 {
	begin := time.Now()
	step()
	return float64(rows) / time.Since(begin).Seconds()
}

func must[Out any](b *testing.B, s stage, name string, in any) Out {
	b.Helper()
	out, err := invoke[Out](b.Context(), s, name, in)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// fillShop makes a shop in which every customer has rated every product, inside of the server.
func fillShop(tb testing.TB, dsn string, customers, products int) {
	tb.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		"CREATE TABLE numbers (n INT PRIMARY KEY)",
		"INSERT INTO numbers WITH RECURSIVE d(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM d WHERE n < 999) SELECT n FROM d",
		shopTables["customers"], shopTables["products"], shopTables["ratings"],
		fmt.Sprintf(`INSERT INTO customers SELECT n, CONCAT('City ', n MOD 300), IF(n MOD 3, NULL, 'State'), CONCAT('P', n MOD 5000),
			CONCAT('Country ', n MOD 30), n MOD 1000000 + 0.25 FROM
			(SELECT a.n * 1000 + b.n + 1 AS n FROM numbers a, numbers b WHERE a.n * 1000 + b.n < %d) c ORDER BY n`, customers),
		fmt.Sprintf(`INSERT INTO products SELECT CONCAT('S', LPAD(n, 6, '0')), CONCAT('Line ', n MOD 7), '1:18', n MOD 30000, n + 0.5, n + 1.75
			FROM numbers WHERE n < %d ORDER BY n`, products),
		`INSERT INTO ratings SELECT customerNumber, productCode, (customerNumber * 7 + quantityInStock * 13) MOD 5 + 1
			FROM customers STRAIGHT_JOIN products ORDER BY customerNumber, productCode`,
	} {
		if _, err := db.ExecContext(tb.Context(), statement); err != nil {
			tb.Fatalf("%.60s…: %v", statement, err)
		}
	}
}

// shopTables are the columns that the stage reads, in tables strict enough for good data.
var shopTables = map[string]string{
	"customers": `CREATE TABLE customers (customerNumber INT PRIMARY KEY, city VARCHAR(50) NOT NULL, state VARCHAR(50),
		postalCode VARCHAR(15), country VARCHAR(50) NOT NULL, creditLimit DECIMAL(10,2))`,
	"products": `CREATE TABLE products (productCode VARCHAR(15) PRIMARY KEY, productLine VARCHAR(50) NOT NULL,
		productScale VARCHAR(10) NOT NULL, quantityInStock SMALLINT NOT NULL, buyPrice DECIMAL(10,2) NOT NULL, MSRP DECIMAL(10,2) NOT NULL)`,
	"ratings": `CREATE TABLE ratings (customerNumber INT NOT NULL, productCode VARCHAR(15) NOT NULL, productRating SMALLINT NOT NULL,
		PRIMARY KEY (customerNumber, productCode))`,
}
