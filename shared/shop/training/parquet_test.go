package training

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/shape"
)

type rat = big.Rat

func pointer(n int64) *int64 { return &n }

func hundredth(n int64) *big.Rat { return big.NewRat(n, 100) }

// The schema is a contract with Athena, Spark, DuckDB and trainers.
func TestSchemaIsTheContracts(t *testing.T) {
	const want = `message Row {
	required binary city (STRING);
	optional binary state (STRING);
	optional binary postalCode (STRING);
	required binary country (STRING);
	optional int64 creditLimit (DECIMAL(10,2));
	required binary productCode (STRING);
	required binary productLine (STRING);
	required binary productScale (STRING);
	required int32 quantityInStock (INT(32,true));
	required int64 buyPrice (DECIMAL(10,2));
	required int64 MSRP (DECIMAL(10,2));
	required int32 productRating (INT(32,true));
	required int32 customerNumber (INT(32,true));
}`
	for name, got := range map[string]string{"table": RowSchema(shape.Lab).String(), "struct of the tests": parquet.SchemaOf(trainingtest.Row{}).String()} {
		if got != want {
			t.Errorf("the %s has %s", name, got)
		}
	}
	example := PartitionSchema(shape.Lab)
	if got := example.String(); got != parquet.SchemaOf(trainingtest.Example{}).String() {
		t.Errorf("the table has %s", got)
	}
	if rest := strings.Replace(strings.TrimSuffix(example.String(), "}"), "message Example", "message Row", 1); !strings.HasPrefix(want, rest) {
		t.Errorf("an Example is no Row without its last column: %s", rest)
	}
	catalog := []CatalogColumn{
		{"city", "string"}, {"state", "string"}, {"postalcode", "string"}, {"country", "string"},
		{"creditlimit", "decimal(10,2)"}, {"productcode", "string"}, {"productline", "string"},
		{"productscale", "string"}, {"quantityinstock", "int"}, {"buyprice", "decimal(10,2)"},
		{"msrp", "decimal(10,2)"}, {"productrating", "int"},
	}
	if got := Catalog(shape.Lab); !slices.Equal(got, catalog) {
		t.Errorf("the catalog has %v", got)
	}
	for table, want := range map[TableName]any{InteractionTable: trainingtest.RawRating{}, CustomerTable: trainingtest.RawCustomer{}, ProductTable: trainingtest.RawProduct{}} {
		if got := rawSchema(shape.Lab, table).String(); got != parquet.SchemaOf(want).String() {
			t.Errorf("raw %s have %s", table, got)
		}
	}
}

// A file of rows has the same bytes, whether its rows are structs or values.
func TestRowsOfTheTableAreThoseOfTheStruct(t *testing.T) {
	const rows = rowGroup + 100
	for _, ratings := range []RatingType{WholeRatings, FractionalRatings} {
		var structs, values bytes.Buffer
		byStruct, byValue := NewWriterOf[trainingtest.Row](&structs, ratings), NewRowWriter(shape.Lab.WithRatings(shape.Type(ratings)), &values)
		for i := range int32(rows) {
			row := trainingtest.Row{City: "Oslo", Country: "Norway", ProductCode: fmt.Sprint("S", i%7), ProductLine: "Cars", ProductScale: "1:10",
				QuantityInStock: i, BuyPrice: int64(i) * 100, MSRP: 5, ProductRating: 50, CustomerNumber: i / 10}
			if i%3 > 0 {
				row.PostalCode, row.CreditLimit = "0150", pointer(int64(i))
			}
			if err := errors.Join(byStruct.Append(row), byValue.Append(parquet.SchemaOf(row).Deconstruct(nil, row))); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(byStruct.Close(), byValue.Close()); err != nil {
			t.Fatal(err)
		}
		if byValue.Rows() != rows || !bytes.Equal(structs.Bytes(), values.Bytes()) {
			t.Errorf("%s: %d rows; %d bytes of structs, %d of values", ratings, byValue.Rows(), structs.Len(), values.Len())
		}
	}
}

// Only productRating differs where ratings are fractional, and readers get the very numbers that were written.
func TestFractionalRatings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.parquet")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := NewWriterOf[trainingtest.Row](file, FractionalRatings)
	want := []int32{50, 350, 425, 500}
	for _, rating := range want {
		if err := w.Append(trainingtest.Row{ProductRating: rating}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	opened, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	whole := strings.Replace(parquet.SchemaOf(trainingtest.Row{}).String(), "productRating (INT(32,true))", "productRating (DECIMAL(3,2))", 1)
	if got := opened.Schema().String(); got != whole || RatingsOf(opened) != FractionalRatings {
		t.Errorf("the ratings are %s in %s", RatingsOf(opened), got)
	}
	scanner := NewScanner[trainingtest.Row](opened)
	defer scanner.Close()
	for _, rating := range want {
		if row, err := scanner.Next(); err != nil || row.ProductRating != rating {
			t.Errorf("got %+v, %v; want %d", row, err, rating)
		}
	}
	if last := Catalog(shape.Lab.WithRatings("decimal(3,2)"))[11]; last != (CatalogColumn{"productrating", "decimal(3,2)"}) {
		t.Errorf("the catalog has %v", last)
	}
}

func write(tb testing.TB, rows int) *os.File {
	tb.Helper()
	file, err := os.Create(filepath.Join(tb.TempDir(), "rows.parquet"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { file.Close() })
	w := NewWriter[trainingtest.Row](file)
	for i := range rows {
		if err := w.Append(row(i)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := SetRejected(w, map[Reason]int64{NoRating: 2}); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return file
}

// row has a NULL in every third credit limit and in every second state.
func row(i int) trainingtest.Row {
	r := trainingtest.Row{City: "Oslo", PostalCode: "4110", Country: "Norway", ProductCode: "S10", ProductLine: "Cars", ProductScale: "1:10",
		QuantityInStock: int32(i), BuyPrice: 4881, MSRP: 9570, ProductRating: int32(i%5 + 1), CustomerNumber: int32(i / 20)}
	if i%3 > 0 {
		r.CreditLimit = pointer(int64(i))
	}
	if i%2 > 0 {
		r.State = "Troms"
	}
	return r
}

// NULL stays NULL, and rows keep their values while the scanner goes on.
func TestScannerReturnsTheWrittenRows(t *testing.T) {
	const n = 3*batch + 1
	file, err := Open(write(t, n))
	if err != nil {
		t.Fatal(err)
	}
	if facts, err := ReadFacts(file); err != nil || len(facts.Rejected) != 1 || facts.Rejected[NoRating] != 2 {
		t.Errorf("facts %+v, %v", facts, err)
	}
	scanner := NewScanner[trainingtest.Row](file)
	defer scanner.Close()
	var got []trainingtest.Row
	for {
		row, err := scanner.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, *row)
	}
	if len(got) != n {
		t.Fatalf("%d rows, want %d", len(got), n)
	}
	for i, r := range got {
		want := row(i)
		if (r.CreditLimit == nil) != (want.CreditLimit == nil) || r.CreditLimit != nil && *r.CreditLimit != *want.CreditLimit {
			t.Fatalf("row %d: another credit limit", i)
		}
		r.CreditLimit, want.CreditLimit = nil, nil
		if r != want {
			t.Fatalf("row %d: got %+v, want %+v", i, r, want)
		}
	}
}

func TestSameRowsGiveTheSameBytes(t *testing.T) {
	read := func(file *os.File) []byte {
		content, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	if !bytes.Equal(read(write(t, 5000)), read(write(t, 5000))) {
		t.Error("two files of the same rows differ")
	}
}

func TestOpenRefusesOtherFilesThanParquet(t *testing.T) {
	for _, content := range []string{"", "PAR1", "PAR1PAR1", "hello, world, this is a text", "PAR1\xff\xff\xff\x7fPAR1"} {
		path := filepath.Join(t.TempDir(), "broken.parquet")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(file); err == nil {
			t.Errorf("%q was opened", content)
		}
		file.Close()
	}
}

const benchmarkRows = 100_000

func BenchmarkWriter(b *testing.B) {
	rows := make([]trainingtest.Row, benchmarkRows)
	for i := range rows {
		rows[i] = row(i)
	}
	b.ReportAllocs()
	for b.Loop() {
		w := NewWriter[trainingtest.Row](io.Discard)
		for _, row := range rows {
			if err := w.Append(row); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchmarkRows/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkRowWriter writes the same rows as values, as transform does.
func BenchmarkRowWriter(b *testing.B) {
	schema, rows := parquet.SchemaOf(trainingtest.Row{}), make([]parquet.Row, benchmarkRows)
	for i := range rows {
		rows[i] = schema.Deconstruct(nil, row(i))
	}
	b.ReportAllocs()
	for b.Loop() {
		w := NewRowWriter(shape.Lab, io.Discard)
		for _, row := range rows {
			if err := w.Append(row); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchmarkRows/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkScanner(b *testing.B) {
	file, err := Open(write(b, benchmarkRows))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		scanner := NewScanner[trainingtest.Row](file)
		for {
			if _, err := scanner.Next(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		scanner.Close()
	}
	b.ReportMetric(float64(b.N)*benchmarkRows/b.Elapsed().Seconds(), "rows/s")
}
