package platform

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A folder that somebody else made is neither written to nor emptied, even where names are the same.
func TestOnlyOwnFoldersAreStateDirectories(t *testing.T) {
	for _, test := range []struct {
		name    string
		entries []string
		refused bool
	}{
		{"empty", nil, false},
		{"what provision leaves", []string{"cache/x", "lock"}, false},
		{"source code", []string{"s3/server.go", "mysql/server.go"}, true},
		{"made by a start", []string{markerName, "s3/bucket", "notes.txt"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, entry := range test.entries {
				path := filepath.Join(dir, entry)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			for what, err := range map[string]error{"reset": Reset(dir), "start": makeStateDir(dir)} {
				if refused := err != nil && !errors.Is(err, fs.ErrNotExist); refused != test.refused {
					t.Errorf("%s: %v, want refused %t", what, err, test.refused)
				}
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if test.refused && len(entries) != len(test.entries) {
				t.Errorf("the folder holds %v", entries)
			}
		})
	}
	missing := filepath.Join(t.TempDir(), "missing")
	if err := Reset(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a reset of nothing: %v", err)
	}
	if _, err := os.Stat(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a reset of nothing made the folder: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := CheckStateDir(file); err == nil || !strings.Contains(err.Error(), "is no folder") {
		t.Errorf("a file: %v", err)
	}
}
