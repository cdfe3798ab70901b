package training

import (
	"bytes"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// NULL is not zero: the raw files have to keep them apart.
func TestRawNullsStayNull(t *testing.T) {
	var content bytes.Buffer
	w := NewWriter[RawRating](&content)
	in := []RawRating{{number(0), "S10", nil}, {nil, "", number(0)}, {number(-7), "S10", number(6)}, {number(1 << 40), "S11", nil}}
	for _, rating := range in {
		if err := w.Append(rating); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(content.Bytes()), int64(content.Len()))
	if err != nil {
		t.Fatal(err)
	}
	scanner := NewScanner[RawRating](file)
	defer scanner.Close()
	var got []RawRating
	for range in {
		rating, err := scanner.Next()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, *rating)
	}
	same := func(a, b *int64) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }
	for i, want := range in {
		if !same(got[i].CustomerNumber, want.CustomerNumber) || !same(got[i].ProductRating, want.ProductRating) ||
			got[i].ProductCode != want.ProductCode {
			t.Errorf("row %d changed", i)
		}
	}
}
