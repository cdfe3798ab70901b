package embeddings

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
)

func TestVectorsAreReadBackBitForBit(t *testing.T) {
	const dimension = 5
	random := rand.New(rand.NewPCG(3, 1))
	ids := []string{"-4", "0", "7", "2147483647"}
	vectors := make([]float32, len(ids)*dimension)
	for i := range vectors {
		vectors[i] = float32(random.NormFloat64() * math.Pow(10, float64(random.IntN(24)-12)))
	}
	clear(vectors[dimension : 2*dimension]) // the second one points nowhere
	var file bytes.Buffer
	if written, err := Write(&file, ids, shape.Int, vectors, dimension); err != nil || written != len(ids)-1 {
		t.Fatalf("%d written, %v", written, err)
	}
	reader := Users("users.csv", shape.Int, func() (io.ReadCloser, error) { return io.NopCloser(&file), nil }, new(Faults))
	for i, id := range ids {
		if i == 1 {
			continue
		}
		if !reader.Next() {
			t.Fatalf("no row for %s: %v", id, reader.Err())
		}
		if gotID, got := reader.Row(); gotID != id || !slices.Equal(got, vectors[i*dimension:(i+1)*dimension]) {
			t.Errorf("%s %v came back as %s %v", id, vectors[i*dimension:(i+1)*dimension], gotID, got)
		}
	}
	if reader.Next() || reader.Err() != nil {
		t.Errorf("more rows than written, or %v", reader.Err())
	}
}

// A code may be anything that the training data allows: 255 characters, with quotes, commas, tabs and lines' ends
// inside.
func TestItemsCodesAreReadBack(t *testing.T) {
	codes := []string{
		"S10, red", "æ", `5" pipe`, `"`, `""`, `a"",b`, "tab\there", "two\nlines", "two\r\nlines", "x\n\ny", "=1+1", "\x01", "[1]",
		strings.Repeat("\U0001F600", lake.MaxText), strings.Repeat(`"`, lake.MaxText), "id,embedding", "NULL", `\N`, `\"`,
	}
	vectors := make([]float32, len(codes))
	for i := range vectors {
		vectors[i] = float32(i + 1)
	}
	var file bytes.Buffer
	if written, err := Write(&file, codes, shape.Text, vectors, 1); err != nil || written != len(codes) {
		t.Fatalf("%d written, %v", written, err)
	}
	reader := Items("items.csv", func() (io.ReadCloser, error) { return io.NopCloser(&file), nil }, new(Faults))
	for i, code := range codes {
		if !reader.Next() {
			t.Fatalf("%q: %v", code, reader.Err())
		}
		if id, vector := reader.Row(); id != code || vector[0] != vectors[i] {
			t.Errorf("%q came back as %q %v", code, id, vector)
		}
	}
	if reader.Next() || reader.Err() != nil {
		t.Errorf("more rows than written, or %v", reader.Err())
	}
}
