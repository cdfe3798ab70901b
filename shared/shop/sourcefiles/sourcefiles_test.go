package sourcefiles

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/shopfile"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

func give(t *testing.T, store *objectstore.Store, name string, content []byte) {
	t.Helper()
	if _, err := store.Put(t.Context(), lake.SourcePrefix+name, bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
}

// parsed returns the shop of a shop file.
func parsed(t *testing.T, content string) shape.Shop {
	t.Helper()
	shop, err := shopfile.Parse([]byte(content), "shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return shop
}

// read reads the files with ranges of so many rows, and returns the split after Write.
func read(t *testing.T, store *objectstore.Store, shop shape.Shop, rowsPerRange int64) *Split {
	t.Helper()
	split, err := Source{store}.Read(t.Context(), shop, rowsPerRange, 400)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = split.Close() })
	if err := split.Write(t.Context(), store, "run"); err != nil {
		t.Fatal(err)
	}
	return split
}

// rows returns the raw rows of a table's range, their texts parted by bars.
func rows(t *testing.T, store *objectstore.Store, split *Split, table training.TableName, index int) (lines []string) {
	t.Helper()
	file, err := training.OpenRaw(t.Context(), store, split.Shop, table, lake.RawKey("run", string(table), index))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for {
		raw, err := file.Next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Join(raw, "|"))
	}
}

func want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s %q, want %q", what, got, want)
	}
}

const plain = `
timezone: Europe/Berlin
interactions:
  orders: {type: purchase, files: "orders*", names: {customer: User, product: item id, at: when}}
  reviews: {type: rating, files: reviews.ndjson.gz}
customers: {files: people.csv, names: {customer: id}, columns: {city: category, age: number}, group: city}
products: {files: things.parquet, names: {product: sku, title: label}, columns: {title: name, price: price, stock: stock}}
`

// thing is a product of another warehouse.
type thing struct {
	SKU   int64   `parquet:"sku"`
	Label string  `parquet:"label,optional"`
	Price int64   `parquet:"price,decimal(2:10)"`
	Stock *int32  `parquet:"stock,optional"`
	Score float64 `parquet:"score"`
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// setup puts a shop of each format: CSV with a mark, quotes and a semicolon, NDJSON in gzip, and Parquet.
func setup(t *testing.T) (*objectstore.Store, shape.Shop) {
	t.Helper()
	store, _ := s3test.ForTest(t, "lake")
	give(t, store, "orders-1.csv", []byte("\ufeffuser,\"item id\",when,quantity\r\n10,2,2010-10-19T23:55:27Z,1\r\n9,\"1\",2010-07-01 12:00,2\r\n,1,,1\r\n"))
	give(t, store, "orders-2.csv", []byte("USER;item id;when;quantity\n9;2;1287532527;\\N\n"))
	give(t, store, "reviews.ndjson.gz", zipped(t, "{\"customer\":10,\"product\":2,\"rating\":4.5,\"at\":null}\n\n{\"customer\":\"9\",\"product\":\"1\",\"rating\":3,\"at\":\"2011-01-01\",\"tags\":[1]}\n"))
	give(t, store, "people.csv", []byte("id,city,age\n10,\"Oslo, Norway\",\n9,\"He said \"\"hi\"\"\",41.5\n"))
	var file bytes.Buffer
	seven := int32(7)
	if err := parquet.Write(&file, []thing{{SKU: 2, Label: "A car", Price: 4881, Stock: &seven}, {SKU: 1, Price: -5}}); err != nil {
		t.Fatal(err)
	}
	give(t, store, "things.parquet", file.Bytes())
	return store, parsed(t, plain)
}

// Every format ends in the same raw files: sorted by number, times in UTC, NULL as nothing.
func TestEachFormatIsRead(t *testing.T) {
	store, shop := setup(t)
	split := read(t, store, shop, 100)
	if split.Shop.Customer.Type != shape.Int || split.Shop.Product.Type != shape.Int || split.Shop.ProductColumns[1].Type != "decimal(18,4)" {
		t.Errorf("the types are %+v", split.Shop)
	}
	var columns []string
	for _, column := range split.Shop.InteractionColumns {
		columns = append(columns, column.Name)
	}
	want(t, "columns", columns, "type", "at", "quantity", "rating")
	want(t, "interactions", rows(t, store, split, training.InteractionTable, 0),
		"|1|purchase||1|",
		"9|1|purchase|2010-07-01 10:00:00|2|", "9|1|rating|2010-12-31 23:00:00||3", "9|2|purchase|2010-10-19 23:55:27||",
		"10|2|purchase|2010-10-19 23:55:27|1|", "10|2|rating|||4.5")
	want(t, "customers", rows(t, store, split, training.CustomerTable, 0), `9|He said "hi"|41.5`, "10|Oslo, Norway|")
	want(t, "products", rows(t, store, split, training.ProductTable, 0), "1||-0.05|", "2|A car|48.81|7")
	if found := split.Survey(); found.Interactions != 6 || found.Products != 2 || len(split.Ranges()) != 1 || split.Ranges()[0].UpTo != nil {
		t.Errorf("found %+v in %+v", found, split.Ranges())
	}
}

// A row is in the range of its customer, ranges ascend, and the same files give the same bytes.
func TestRangesOfFiles(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	var content strings.Builder
	content.WriteString("customer,product\n")
	const customers, each = 500, 8
	for i := range customers * each {
		fmt.Fprintf(&content, "%d,p%d\n", i*7919%customers-250, i%13)
	}
	give(t, store, "clicks.csv", []byte(content.String()))
	split := read(t, store, parsed(t, "interactions: {clicks: {type: view, files: clicks.csv}}"), 1000)
	ranges := split.Ranges()
	if len(ranges) != 4 || ranges[0].After != nil || ranges[3].UpTo != nil || *ranges[0].UpTo != *ranges[1].After {
		t.Fatalf("ranges %+v", ranges)
	}
	total, last := 0, -1000
	for _, span := range ranges {
		lines := rows(t, store, split, training.InteractionTable, span.Index)
		if len(lines) < 800 || len(lines) > 1200 {
			t.Errorf("range %d has %d rows", span.Index, len(lines))
		}
		for _, line := range lines {
			var customer int
			if _, err := fmt.Sscanf(line, "%d|", &customer); err != nil || customer < last {
				t.Fatalf("%q after %d: %v", line, last, err)
			}
			last = customer
		}
		total += len(lines)
	}
	if total != customers*each {
		t.Errorf("%d rows of %d", total, customers*each)
	}
	before, _, err := store.Get(t.Context(), lake.RawKey("run", "ratings", 2), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	again := read(t, store, parsed(t, "interactions: {clicks: {type: view, files: clicks.csv}}"), 1000)
	after, _, err := store.Get(t.Context(), lake.RawKey("run", "ratings", 2), 1<<20)
	if err != nil || !bytes.Equal(before, after) || again.Shop.Source.Fingerprint != split.Shop.Source.Fingerprint {
		t.Errorf("the second time differs, %v", err)
	}
}

// The rows of a customer lie together, and in one range, however the files spell the id.
func TestSpellingsOfACustomerLieTogether(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	give(t, store, "sales.csv", []byte("customer,product\nac-2,p2\nAC-2,p1\nac-1,p2\nAC-1,p1\nAC-3,p1\nac-3,p2\nAc-1,p3\n"))
	split := read(t, store, parsed(t, "interactions: {sales: {type: purchase, files: sales.csv}}"), 3)
	var lines []string
	for _, span := range split.Ranges() {
		lines = append(lines, rows(t, store, split, training.InteractionTable, span.Index)...)
	}
	want(t, "rows", lines, "AC-1|p1|purchase", "Ac-1|p3|purchase", "ac-1|p2|purchase", "AC-2|p1|purchase", "ac-2|p2|purchase",
		"AC-3|p1|purchase", "ac-3|p2|purchase")
	if len(split.Ranges()) < 2 {
		t.Errorf("ranges %+v: want several", split.Ranges())
	}
}

// The types of ids are those that all of them have.
func TestTheTypeOfIDs(t *testing.T) {
	for _, test := range []struct {
		ids  []string
		want shape.Type
	}{
		{[]string{"1", "-7", " 2147483647 ", ""}, shape.Int}, {[]string{"1", "2147483648"}, shape.BigInt}, {[]string{"9223372036854775808"}, shape.Text},
		{[]string{"1", "01"}, shape.Text}, {[]string{"1", "1.0"}, shape.Text}, {[]string{"a"}, shape.Text}, {nil, shape.Text},
	} {
		var kind idKind
		for _, id := range test.ids {
			kind.add(id)
		}
		if got := kind.of(""); got != test.want || kind.of(shape.BigInt) != shape.BigInt {
			t.Errorf("%q are %s, want %s", test.ids, got, test.want)
		}
	}
}

// E-mail addresses do not enter the lake's raw files.
func TestHashedIDsOfFiles(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	give(t, store, "i.csv", []byte("customer,product\nAnn@shop.example,1\n ann@SHOP.example ,2\n"))
	give(t, store, "c.csv", []byte("customer,city\nann@shop.example,Oslo\n"))
	split := read(t, store, parsed(t, "interactions: {i: {type: view, files: i.csv}}\ncustomers: {id: hashed, files: c.csv, columns: {city: category}}"), 100)
	hash := shape.ID{Hashed: true}.Stored("ann@shop.example")
	want(t, "interactions", rows(t, store, split, training.InteractionTable, 0), hash+"|1|view", hash+"|2|view")
	want(t, "customers", rows(t, store, split, training.CustomerTable, 0), hash+"|Oslo")
}

func TestTimesOfFiles(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"2019-01-01T10:00:00+02:00": "2019-01-01 08:00:00", "2019-01-01 10:00:00 -0500": "2019-01-01 15:00:00", "2019-01-01 10:00:00 UTC": "2019-01-01 10:00:00",
		"2019-01-01 10:00:00": "2019-01-01 15:00:00", "2019-07-01": "2019-07-01 04:00:00", "20190701": "2019-07-01 04:00:00", "2019-01-01 10:00:00.1234567Z": "2019-01-01 10:00:00.123456",
		"1287532527": "2010-10-19 23:55:27", "1287532527123": "2010-10-19 23:55:27.123", "1287532527123456": "2010-10-19 23:55:27.123456", "0": "1970-01-01 00:00:00",
		"": "", "0000-00-00 00:00:00": "0000-00-00 00:00:00", "2019-02-30": "2019-02-30", "2019-01-01 10:00:00 PST": "2019-01-01 10:00:00 PST",
	} {
		if got := utc(text, zone); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// Files that do not fit name the shop file's line, the file, and the remedy.
func TestFilesThatDoNotFit(t *testing.T) {
	for name, test := range map[string]struct{ file, content, shop, want string }{
		"no such file":      {"a.csv", "customer,product\n", "interactions: {i: {type: view, files: b.csv}}", `no file is named like "b.csv": 1 files lie under s3://lake/source/`},
		"no such column":    {"a.csv", "user,product\n1,2\n", "interactions: {i: {type: view, files: a.csv}}", "no column customer: the file has user, product"},
		"a mistaken name":   {"a.csv", "customer,product\n1,2\n", "interactions: {i: {type: view, files: a.csv, names: {at: time}}}", "no column time"},
		"no type":           {"a.csv", "customer,product\n1,2\n", "interactions: {i: {files: a.csv}}", "no column type"},
		"no key ever":       {"a.ndjson", `{"user":1,"product":2}`, "interactions: {i: {type: view, files: a.ndjson}}", "no column customer: the file has"},
		"two columns":       {"a.csv", "Customer,CUSTOMER,product\n1,2,3\n", "interactions: {i: {type: view, files: a.csv}}", "several columns are called customer but for case"},
		"an empty file":     {"a.csv", "", "interactions: {i: {type: view, files: a.csv}}", "an empty file"},
		"too few cells":     {"a.csv", "customer,product\n1\n", "interactions: {i: {type: view, files: a.csv}}", "row 1: record on line 2: wrong number of fields"},
		"no JSON":           {"a.ndjson", "{", "interactions: {i: {type: view, files: a.ndjson}}", "row 1: unexpected end of JSON"},
		"no gzip":           {"a.csv.gz", "customer", "interactions: {i: {type: view, files: a.csv.gz}}", "unpacking: "},
		"no Parquet":        {"a.parquet", "customer", "interactions: {i: {type: view, files: a.parquet}}", "opening a Parquet file: "},
		"another format":    {"a.xlsx", "customer", "interactions: {i: {type: view, files: a.xlsx}}", `the name ends in ".xlsx"`},
		"a line of 1 MiB":   {"a.ndjson", `{"customer":"` + strings.Repeat("x", maxLine) + `"}`, "interactions: {i: {type: view, files: a.ndjson}}", "token too long"},
		"a customer's list": {"a.csv", "customer,product\n1,2\n", "interactions: {i: {type: view, files: a.csv}}\ncustomers: {files: a.csv, columns: {city: category}}", "no column city"},
	} {
		store, _ := s3test.ForTest(t, "lake")
		give(t, store, test.file, []byte(test.content))
		_, err := Source{store}.Read(t.Context(), parsed(t, test.shop), 100, 400)
		if !errors.Is(err, failure.SchemaMismatch) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "shop file shop, line ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
