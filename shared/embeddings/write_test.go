package embeddings

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestWhatIsWrittenIsReadBackBitForBit(t *testing.T) {
	const dimension = 5
	random := rand.New(rand.NewPCG(3, 1))
	ids := []int32{-4, 0, 7, math.MaxInt32}
	vectors := make([]float32, len(ids)*dimension)
	for i := range vectors {
		vectors[i] = float32(random.NormFloat64() * math.Pow(10, float64(random.IntN(24)-12)))
	}
	clear(vectors[dimension : 2*dimension]) // the second one points nowhere
	var file bytes.Buffer
	if written, err := Write(&file, ids, vectors, dimension); err != nil || written != len(ids)-1 {
		t.Fatalf("%d written, %v", written, err)
	}
	reader := Users("users.csv", func() (io.ReadCloser, error) { return io.NopCloser(&file), nil }, new(Faults))
	for i, id := range ids {
		if i == 1 {
			continue
		}
		if !reader.Next() {
			t.Fatalf("no row for %d: %v", id, reader.Err())
		}
		if gotID, got := reader.Row(); gotID != id || !slices.Equal(got, vectors[i*dimension:(i+1)*dimension]) {
			t.Errorf("%d %v came back as %d %v", id, vectors[i*dimension:(i+1)*dimension], gotID, got)
		}
	}
	if reader.Next() || reader.Err() != nil {
		t.Errorf("more rows than written, or %v", reader.Err())
	}
}

func TestItemsCodesMayHoldACommaAndABlank(t *testing.T) {
	var file bytes.Buffer
	long := strings.Repeat("i", maxIDLength+1)
	if written, err := Write(&file, []string{"S10, red", "æ", `5"`, long}, []float32{1, 2, 3, 4}, 1); err != nil || written != 2 {
		t.Fatalf("%d written, %v", written, err)
	}
	want := "id,embedding\n\"S10, red\",\"[1]\"\n\"æ\",\"[2]\"\n"
	if file.String() != want {
		t.Errorf("got %q, want %q", file.String(), want)
	}
	reader := Items("items.csv", func() (io.ReadCloser, error) { return io.NopCloser(&file), nil }, new(Faults))
	if reader.Next(); reader.Err() != nil {
		t.Error(reader.Err())
	}
	if id, _ := reader.Row(); id != "S10, red" {
		t.Errorf("got %q", id)
	}
}
