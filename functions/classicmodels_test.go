package functions

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/testbed/mysqltest"
	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

const reference = "../../shared/data/classicmodels"

// The original's database must become the original's training data, but for the blanks around strings.
func TestClassicModels(t *testing.T) {
	mysqltest.Each(t, classicModels)
}

func classicModels(t *testing.T, source *mysql.Server) {
	want := expected(t)
	loadFile(t, source, "mysqlsampledatabase.sql")
	loadFile(t, source, "ratings.sql")
	s := setup(t, source.DSNOf("classicmodels"), 500)

	out := mustRun(t, s, runAt("first", 0))
	if out.Status != "published" || out.Partitions != 98 || out.Rows != 2532 || out.Rejected != 0 {
		t.Errorf("published %+v", out)
	}
	if got := rows(t, s, "first"); !slices.Equal(got, want) {
		t.Errorf("%d rows differ from the %d of the reference; the first: %s, want %s",
			len(got), len(want), first(got, want), first(want, got))
	}
	var popularity lake.Popularity
	if _, err := s.lake.GetJSON(t.Context(), lake.PopularityKey("first"), 1<<20, &popularity); err != nil {
		t.Fatal(err)
	}
	var ratings int64
	for _, item := range popularity.Items {
		ratings += int64(item.Count)
	}
	if ratings != 2532 {
		t.Errorf("popularity counts %d ratings", ratings)
	}
	before := s.tree(t)
	mustRun(t, s, runAt("first", 0))
	if after := s.tree(t); !slices.Equal(before, after) {
		t.Errorf("the same run again changed objects: %s", first(after, before))
	}
}

func loadFile(tb testing.TB, server *mysql.Server, name string) {
	tb.Helper()
	file, err := os.Open(filepath.Join(reference, name))
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	if _, err := server.LoadSQL(tb.Context(), file); err != nil {
		tb.Fatal(err)
	}
}

// expected are the reference's rows, trimmed and sorted. Its columns are in the order of the contract, the customer
// last.
func expected(t *testing.T) []string {
	t.Helper()
	file, err := os.Open(filepath.Join(reference, "expected_ratings_ml_training.csv"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the reference data is not beside this checkout")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var header []string
	for _, column := range append(training.Catalog(shape.Lab), training.PartitionColumn(shape.Lab)) {
		header = append(header, column.Name)
	}
	if !slices.Equal(records[0], header) {
		t.Fatalf("columns %q, ours %q", records[0], header)
	}
	var lines []string
	for _, record := range records[1:] {
		for i := range record {
			record[i] = strings.TrimSpace(record[i])
		}
		lines = append(lines, strings.Join(record, "|"))
	}
	slices.Sort(lines)
	return lines
}

// rows are a snapshot's rows, read from its partitions by name and sorted.
func rows(t *testing.T, s stage, run string) []string {
	t.Helper()
	var manifest lake.Manifest
	if _, err := s.lake.GetJSON(t.Context(), lake.ManifestKey(run), 1<<20, &manifest); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, partition := range manifest.Partitions {
		table, err := training.OpenTable[trainingtest.Example](t.Context(), s.lake, lake.PartitionKey(run, partition.CustomerNumber))
		if err != nil {
			t.Fatal(err)
		}
		for {
			row, err := table.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, line(row, partition.CustomerNumber))
		}
		if err := table.Close(); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(lines)
	return lines
}

func line(row *trainingtest.Example, customer int32) string {
	limit := ""
	if row.CreditLimit != nil {
		limit = money(*row.CreditLimit)
	}
	return fmt.Sprintf("%s|%s|%s|%s|%s|%s|%s|%s|%d|%s|%s|%d|%d", row.City, row.State, row.PostalCode, row.Country, limit,
		row.ProductCode, row.ProductLine, row.ProductScale, row.QuantityInStock, money(row.BuyPrice), money(row.MSRP),
		row.ProductRating, customer)
}

func money(hundredths int64) string { return fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100) }

// tree lists every object with its content's hash.
func (s stage) tree(t *testing.T) (lines []string) {
	t.Helper()
	err := s.lake.List(t.Context(), "", func(object objectstore.Object) error {
		lines = append(lines, object.Key+" "+object.ETag)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// first is the first of a that is not in b.
func first(a, b []string) string {
	for _, line := range a {
		if !slices.Contains(b, line) {
			return line
		}
	}
	return "none"
}
