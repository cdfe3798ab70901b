package daemon_test

import (
	"os"
	"path/filepath"
	"testing"

	"recsys/infra/local/daemon"
)

// What root's servers may do in folders that are closed to them: read, and nothing else.
func TestServersOfRootReadAndDoNotWrite(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root's servers run as another user")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "mine")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	shell := func(script string) error {
		return daemon.Run(t.Context(), nil, "given", "/bin/sh", "-c", script, file)
	}
	if err := shell(`test "$(cat "$0")" = mine && test "$(cat)" = given`); err != nil {
		t.Errorf("it cannot read: %v", err)
	}
	if err := shell(`echo theirs > "$0"`); err == nil {
		t.Error("it wrote into a file of root's")
	}
	if err := shell(`rm -f "$0"`); err == nil {
		t.Error("it removed a file of root's")
	}
}
