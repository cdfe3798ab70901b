package training

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/shape"
)

// NULL is not zero, and no number wraps.
func TestRawValuesStay(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "raw.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := NewRawWriter(shape.Lab, file, InteractionTable)
	in := []Raw{{"0", "S10", ""}, {"", "", "0"}, {"-7", "S10", "4.5"}, {"18446744073709551615", "S11", ""}}
	for _, rating := range in {
		if err := w.AppendRaw(rating); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	store, _ := s3test.ForTest(t, "lake")
	if _, err := store.PutFile(t.Context(), "raw", file); err != nil {
		t.Fatal(err)
	}
	table, err := OpenRaw(t.Context(), store, shape.Lab, InteractionTable, "raw")
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	for i, want := range in {
		if got, err := table.Next(); err != nil || !slices.Equal(got, want) {
			t.Errorf("row %d: got %q, %v; want %q", i, got, err, want)
		}
	}
}
