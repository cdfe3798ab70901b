package platform

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/provisiontest"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/source"
)

// example returns the block of a language in the worked example of docs/source.md. There is one of each.
func example(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile(docsShop(t, "../source.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## A worked example\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(section, -1)
	if len(blocks) != 1 {
		t.Fatalf("the worked example has %d blocks of %s", len(blocks), language)
	}
	return blocks[0][1]
}

// bookShop writes the tables of the worked example with some rows, and its shop file after a change.
func bookShop(t *testing.T, old, new string) Config {
	t.Helper()
	dir := t.TempDir()
	dump, file := filepath.Join(dir, "books.sql"), filepath.Join(dir, "books.yaml")
	tables := "CREATE DATABASE books;\nUSE books;\n" + example(t, "sql") + `
INSERT INTO reader VALUES (18446744073709551000, 'Bergen', 1980, 'a@example.com'), (7, 'Oslo', NULL, 'b@example.com');
INSERT INTO book VALUES ('9780000000001', 'The First', 'crime', 300, 9.90, 3, FALSE), ('9780000000002', 'The Second', 'poetry', 80, 12.00, NULL, TRUE);
INSERT INTO sale VALUES (1, 7, '2025-07-01 12:00:00', 'paid'), (2, NULL, '2025-01-01 12:00:00', 'paid'), (3, 7, '2025-01-01 12:00:00', 'cancelled');
INSERT INTO sale_line VALUES (1, '9780000000001', 2, 19.80), (2, '9780000000002', 1, 12.00), (3, '9780000000002', 1, 12.00);
INSERT INTO visit VALUES (7, '9780000000002', '2025-01-01 12:00:00');
`
	shop := example(t, "yaml")
	if !strings.Contains(shop, old) {
		t.Fatalf("the example has no %q", old)
	}
	for path, content := range map[string]string{dump: tables, file: strings.Replace(shop, old, new, 1)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Config{StateDir: testbed.TempDir(t), SourceEngine: mysql.MariaDB, Disposable: true, SourceSQL: []string{dump}, ShopFile: file}
}

// The worked example of the documents is right, and shop-check shows what a run would read of it. It leaves no shop file behind.
func TestTheWorkedExampleIsChecked(t *testing.T) {
	t.Parallel()
	config := bookShop(t, "id", "id")
	found, err := CheckShop(t.Context(), config)
	provisiontest.Require(t, err)
	if want := map[string]int64{"purchase": 2, "view": 1}; !maps.Equal(found.Kinds, want) || found.Interactions != 3 || found.Customers != 1 || found.Products != 2 {
		t.Errorf("found %+v", found)
	}
	if found.Shop.Customer.Type != shape.BigInt || found.Shop.Product.Type != shape.Text {
		t.Errorf("ids %+v, %+v", found.Shop.Customer, found.Shop.Product)
	}
	sales := slices.IndexFunc(found.Samples, func(s source.Sample) bool { return s.Query == "sales" })
	if sales < 0 || !slices.ContainsFunc(found.Samples[sales].Rows, func(row []string) bool { return slices.Contains(row, "2025-07-01 10:00:00") }) {
		t.Errorf("the sale at noon in Oslo is not at 10:00 UTC in %+v", found.Samples)
	}
	if _, err := os.Stat(filepath.Join(config.StateDir, "shop")); err == nil {
		t.Error("the shop file stays for the next run")
	}
}

// A mistake between file and database has its place and a remedy.
func TestAMistakeOfTheWorkedExampleIsFound(t *testing.T) {
	t.Parallel()
	_, err := CheckShop(t.Context(), bookShop(t, "s.sold_at AS at", "s.soldat AS at"))
	if failure.KindOf(err) != failure.SchemaMismatch {
		provisiontest.Require(t, err)
	}
	for _, want := range []string{"shop file books, line 7, query sales", "soldat"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v: want %s", err, want)
		}
	}
}

func TestShopCheckWantsAFile(t *testing.T) {
	if _, err := CheckShop(t.Context(), Config{StateDir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "want --shop FILE") {
		t.Errorf("error %v", err)
	}
}
