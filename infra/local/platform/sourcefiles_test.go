package platform

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/lake"
	"recsys/shared/store/objectstore"
)

// A folder's files keep their names, those of folders in it too. Hidden ones stay.
func TestAFolderOfFilesIsGiven(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	folder := t.TempDir()
	for _, name := range []string{"orders.csv", "2026/11/orders.csv", ".git/config", ".hidden.csv"} {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("customer,product\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := putFolder(t.Context(), store, folder)
	if err != nil || files != 2 {
		t.Fatalf("%d files, %v", files, err)
	}
	var keys []string
	if err := store.List(t.Context(), lake.SourcePrefix, func(o objectstore.Object) error { keys = append(keys, o.Key); return nil }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"source/2026/11/orders.csv", "source/orders.csv"}; !slices.Equal(keys, want) {
		t.Errorf("got %q, want %q", keys, want)
	}
	if _, err := putFolder(t.Context(), store, filepath.Join(folder, "none")); err == nil {
		t.Error("a folder that is not there was read")
	}
}
