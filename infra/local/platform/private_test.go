package platform

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// openToOthers returns the entries under dir that another user of the machine could read, write or pass through.
func openToOthers(tb testing.TB, dir string) (open []string) {
	tb.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			open = append(open, info.Mode().String()+" "+path)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return open
}

// A state directory of an earlier version, all of it open, is closed by the next start.
func TestCustomersDataIsClosedToOtherUsers(t *testing.T) {
	p := &Platform{config: Config{StateDir: t.TempDir()}}
	for _, name := range []string{"s3/recsys-lake/runs/x/raw.parquet", "firehose/recommendations/segment", "kinesis/000003.log"} {
		path := p.path(filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("kept"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	tool := p.path("lambda", "bin", "extract")
	if err := errors.Join(os.MkdirAll(filepath.Dir(tool), 0o755), os.WriteFile(tool, nil, 0o755)); err != nil {
		t.Fatal(err)
	}
	if err := p.closeToOthers(); err != nil {
		t.Fatal(err)
	}
	for _, name := range withCustomers {
		if open := openToOthers(t, p.path(name)); open != nil {
			t.Error(open)
		}
	}
	kept, err := os.ReadFile(p.path("kinesis", "000003.log"))
	if err != nil || string(kept) != "kept" {
		t.Errorf("a file is %q: %v", kept, err)
	}
	if info, err := os.Stat(tool); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("a program no longer runs: %v %v", info.Mode(), err)
	}
}
