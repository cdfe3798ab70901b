package training

import (
	"bytes"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// NULL is not zero, and no number wraps.
func TestRawValuesStay(t *testing.T) {
	var content bytes.Buffer
	w := NewWriter[RawRating](&content)
	in := []RawRating{{"0", "S10", ""}, {"", "", "0"}, {"-7", "S10", "4.5"}, {"18446744073709551615", "S11", ""}}
	SetRatingType(w, FractionalRatings)
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
	if !slices.Equal(got, in) {
		t.Errorf("got %q, want %q", got, in)
	}
	if kind, err := RawRatingType(file); err != nil || kind != FractionalRatings {
		t.Errorf("the type of the ratings is %q, %v", kind, err)
	}
}
