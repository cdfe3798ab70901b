package testbed

import (
	"os"
	"testing"

	"recsys/infra/local/db/daemon"
)

// TempDir is tb.TempDir for many or large files: it lies in memory if there is room, see daemon.TempDir.
func TempDir(tb testing.TB) string {
	tb.Helper()
	dir, err := daemon.TempDir("test-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	return dir
}
