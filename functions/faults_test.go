package functions

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"recsys/infra/local/testbed/mysqltest"
	"recsys/shared/contract/lake"
)

// looseTables take everything that must not become a training row.
var looseTables = []string{
	"CREATE TABLE customers (customerNumber BIGINT, city VARCHAR(50), state VARCHAR(50), postalCode VARCHAR(15), country VARCHAR(50), creditLimit DECIMAL(12,3)) CHARACTER SET latin1",
	"CREATE TABLE products (productCode VARCHAR(15), productLine VARCHAR(50), productScale VARCHAR(10), quantityInStock BIGINT, buyPrice DECIMAL(12,2), MSRP DECIMAL(12,2))",
	"CREATE TABLE ratings (customerNumber BIGINT, productCode VARCHAR(15), productRating INT)",
	"INSERT INTO customers VALUES (103, 'Málaga ', '', ' ', 'España', 0), (112, 'Oslo', NULL, NULL, NULL, 1), (114, 'Oslo', NULL, NULL, 'Norway', 123456789), (116, 'Oslo', NULL, NULL, 'Nor\\0way', 1)",
	"INSERT INTO products VALUES ('S10 ', 'Cars', '1:10', 7, 48.81, 95.70), ('S18', 'Cars', NULL, 7, 1, 2), ('S24', 'Cars', '1:24', 3000000000, 1, 2), ('S50', 'Cars', '1:50', 3, NULL, 2)",
}

// Bad ratings are counted by reason. Too many fail the run, and readers keep the snapshot before.
func TestBadRowsGoToQuarantine(t *testing.T) {
	server := mysqltest.ForTest(t)
	dsn, err := server.NewDatabase(t.Context(), "loose")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(statements ...string) {
		t.Helper()
		for _, statement := range statements {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	exec(looseTables...)
	exec("INSERT INTO ratings VALUES (103, 'S10', 5)")
	s := setup(t, dsn, 3)
	if out := mustRun(t, s, runAt("good", 0)); out.Rows != 1 || out.Partitions != 1 {
		t.Fatalf("published %+v", out)
	}
	if got := rows(t, s, "good"); got[0] != "Málaga|||España|0.00|S10|Cars|1:10|7|48.81|95.70|5|103" {
		t.Errorf("got %s", got[0])
	}
	pointer := latest(t, s)

	exec(`INSERT INTO ratings VALUES (103,'S10',5), (103,'S18',1), (103,'S24',1), (103,'S50',1), (103,'nothing',1), (103,'',1),
		(103,NULL,1), (103,'S10x',NULL), (103,'S10y',0), (103,'S10z',6), (112,'S10',1), (114,'S10',1), (115,'S10',1), (116,'S10',1),
		(NULL,'S10',1), (3000000000,'S10',1)`)
	text := wantError(t, s, runAt("bad", 1), "TooManyRejectedRows")
	want := map[string]int64{
		"duplicate-rating": 1, "incomplete-product": 1, "quantity-in-stock-out-of-range": 1, "no-price": 1, "unknown-product": 1,
		"no-product-code": 2, "no-rating": 1, "rating-out-of-range": 2, "incomplete-address": 1, "credit-limit-out-of-range": 1, "text-with-nul": 1,
		"unknown-customer": 1, "no-customer-number": 1, "customer-number-out-of-range": 1,
	}
	if got := quarantine(t, s, "bad"); !maps.Equal(got, want) {
		t.Errorf("quarantine holds %v, want %v", got, want)
	}
	for reason := range want {
		if !strings.Contains(text, reason) {
			t.Errorf("the error does not name %s: %s", reason, text)
		}
	}
	if latest(t, s) != pointer {
		t.Error("a failed run moved the pointer")
	}

	exec("ALTER TABLE products DROP COLUMN MSRP")
	if text := wantError(t, s, runAt("other", 2), "SchemaMismatch"); !strings.Contains(text, "products.MSRP") {
		t.Errorf("the error does not name the column: %s", text)
	}
	if latest(t, s) != pointer {
		t.Error("a failed run moved the pointer")
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	wantError(t, s, runAt("gone", 3), "SourceUnavailable")
}

// An empty table is no fault: the snapshot is empty.
func TestNoRatings(t *testing.T) {
	server := mysqltest.ForTest(t)
	dsn, err := server.NewDatabase(t.Context(), "empty")
	if err != nil {
		t.Fatal(err)
	}
	fillShop(t, dsn, 0, 0)
	if out := mustRun(t, setup(t, dsn, 100), runAt("empty", 0)); out.Status != "published" || out.Rows != 0 {
		t.Errorf("published %+v", out)
	}
}

func latest(t *testing.T, s stage) (latest lake.Latest) {
	t.Helper()
	if _, err := s.lake.GetJSON(t.Context(), lake.LatestKey, 1<<10, &latest); err != nil {
		t.Fatal(err)
	}
	return latest
}

// quarantine counts a run's rejected rows by reason.
func quarantine(t *testing.T, s stage, run string) map[string]int64 {
	t.Helper()
	counts := map[string]int64{}
	for _, object := range s.tree(t) {
		key, _, _ := strings.Cut(object, " ")
		if !strings.HasPrefix(key, lake.QuarantinePrefix(run)) {
			continue
		}
		content, _, err := s.lake.Get(t.Context(), key, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range slices.Collect(bytes.Lines(content)) {
			var row struct{ Reason string }
			if err := json.Unmarshal(line, &row); err != nil {
				t.Fatal(err)
			}
			counts[row.Reason]++
		}
	}
	return counts
}
