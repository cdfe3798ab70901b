package platform

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/lake"
)

// exportedList is what a run's export lists of customers hold.
type exportedList struct {
	lake.LatestExport
	products map[string]bool // in any list
	versions map[int64]bool
	rows     int
}

// readExport reads the export that the pointer names.
func readExport(t *testing.T, p *Platform) (e exportedList) {
	t.Helper()
	text, err := os.ReadFile(p.path("s3", LakeBucket, filepath.FromSlash(lake.LatestExportKey)))
	if err == nil {
		err = json.Unmarshal(text, &e.LatestExport)
	}
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(p.path("s3", LakeBucket, filepath.FromSlash(lake.ExportListPrefix(e.Export, lake.ExportedCustomers)), "*.parquet"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	e.products, e.versions = map[string]bool{}, map[int64]bool{}
	for _, file := range files {
		rows, err := parquet.ReadFile[struct {
			Product string `parquet:"product"`
			Version int64  `parquet:"version"`
		}](file)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			e.products[row.Product], e.versions[row.Version] = true, true
		}
		e.rows += len(rows)
	}
	return e
}

// An export is of the version that is active, whatever became of the run's own, and of the newest stock.
func TestEveryRunExportsTheActiveVersionWithTheNewestStock(t *testing.T) {
	t.Parallel()
	p := startPlatform(t, func(c *Config) { c.Options.Export, c.Options.IncludeRated = "all", true })
	runs := 0
	start := func(input string) {
		t.Helper()
		runs++
		if _, failed := execute(t, p, fmt.Sprint("run-", runs), runs, input); failed != nil {
			t.Fatal(failed)
		}
	}
	stock := func(product string, n int) {
		t.Helper()
		if err := changeSource(t.Context(), p, fmt.Sprintf("update products set quantityInStock = %d where productCode = '%s'", n, product)); err != nil {
			t.Fatal(err)
		}
	}
	var listed [2]string // two products that are in lists
	want := func(doing, run string, version int64, snapshot string, inStock ...bool) {
		t.Helper()
		e := readExport(t, p)
		if e.Export != run || e.Version != version || e.Snapshot != snapshot || len(e.versions) != 1 || !e.versions[version] || e.rows != 20*98 {
			t.Errorf("%s: %+v, %d rows of the versions %v; want version %d of snapshot %s by %s", doing, e.LatestExport, e.rows, e.versions, version, snapshot, run)
		}
		for i, is := range inStock {
			if e.products[listed[i]] != is {
				t.Errorf("%s: %s is in a list: %t", doing, listed[i], !is)
			}
		}
	}
	upload(t, p, handOverOf(t, 1))
	start(`{}`)
	want("a new version", "run-1", 1, "run-1")
	copy(listed[:], slices.Sorted(maps.Keys(readExport(t, p).products)))

	stock(listed[0], 0)
	start(`{}`)
	want("a night without changes", "run-2", 1, "run-2", false, true)

	p.config.Options.GateHandedOver, p.config.Options.Margin = "enforce", 10
	if err := p.Register(); err != nil {
		t.Fatal(err)
	}
	upload(t, p, vectorsOf(sampleItems(t), 8, 1).files)
	start(`{}`)
	want("a refused version", "run-3", 1, "run-3", false, true)

	p.config.Options.GateHandedOver = "report"
	if err := p.Register(); err != nil {
		t.Fatal(err)
	}
	upload(t, p, handOverOf(t, 2))
	start(`{}`)
	want("another version", "run-4", 3, "run-4", false, true)

	stock(listed[0], 10)
	stock(listed[1], 0)
	start(`{"stages":"training-data"}`)
	want("training data alone", "run-4", 3, "run-4", false, true)
	start(`{"rollback":true}`)
	want("a rollback", "run-6", 1, "run-5", true, false)
}
