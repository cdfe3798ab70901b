package sampleshop

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestWriteFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	if err := WriteFiles(dir, small(), 7); err != nil {
		t.Fatal(err)
	}
	want := []string{ProductsFile, SessionsFile, ShopFile, TrainingFile, TruthFile}
	first := contents(t, dir, want)

	if err := WriteFiles(dir, Options{}, 7); err == nil {
		t.Error("options that are not valid: no error")
	}
	if !slices.Equal(first, contents(t, dir, want)) {
		t.Error("an error changed the files")
	}
	if err := WriteFiles(dir, Default(), 7); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(first, contents(t, dir, want)) {
		t.Error("another shop did not replace the files")
	}
}

// contents of the files of a folder, which must be those wanted and no more.
func contents(t *testing.T, dir string, want []string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names, texts []string
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		names, texts = append(names, e.Name()), append(texts, string(text))
	}
	if !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
	return texts
}
