package shopfile

import (
	"path/filepath"
	"strings"
	"testing"
)

// shipped are the shop files of the documents.
func shipped(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../../docs/shops/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("files %v, %v", files, err)
	}
	return files
}

func TestShippedFilesAreRight(t *testing.T) {
	for _, path := range shipped(t) {
		shop, err := Load(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if want := strings.TrimSuffix(filepath.Base(path), ".yaml"); shop.Name != want || shop.IsLab() {
			t.Errorf("%s: shop %+v", path, shop)
		}
	}
}

func TestWithoutAFileItIsTheLab(t *testing.T) {
	for _, load := range []func(string) (string, bool){
		func(path string) (string, bool) {
			shop, err := Load(path)
			return shop.Name, err == nil && shop.IsLab()
		},
		func(path string) (string, bool) {
			shop, err := LoadDeployed(path)
			return shop.Name, err == nil && shop.IsLab()
		},
	} {
		if name, lab := load(""); !lab {
			t.Errorf("shop %q", name)
		}
	}
	if _, err := LoadDeployed("missing.yaml"); err == nil || !strings.Contains(err.Error(), "opening the shop file") {
		t.Errorf("error %v", err)
	}
}
