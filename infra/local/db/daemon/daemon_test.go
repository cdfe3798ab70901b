package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"recsys/infra/local/db/daemon"
)

// Root's servers may read in folders that are closed to them, and nothing else.
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

// Only an end that nobody wanted is a death.
func TestOnDeath(t *testing.T) {
	dir := t.TempDir()
	died := make(chan error, 1)
	start := func() *daemon.Process {
		process, err := daemon.Start(t.Context(), daemon.Config{
			Command: []string{"/bin/sh", "-c", "echo last words; exec sleep 1000"}, Log: filepath.Join(dir, "log"), Lock: filepath.Join(dir, "lock"),
		})
		if err != nil {
			t.Fatal(err)
		}
		process.OnDeath(func(err error) { died <- err })
		return process
	}
	stopped := start()
	if err := stopped.Stop(syscall.SIGTERM, time.Minute); err != nil {
		t.Fatal(err)
	}
	killed := start()
	if err := syscall.Kill(killed.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-died; !strings.Contains(err.Error(), "killed") {
		t.Errorf("%v", err)
	}
	if err := killed.Stop(syscall.SIGTERM, time.Minute); err != nil {
		t.Errorf("stopping what is dead: %v", err)
	}
	if len(died) > 0 {
		t.Errorf("a stop is told as a death: %v", <-died)
	}
}

func TestAServerOfSomebodyElseIsLeftAlone(t *testing.T) {
	other := daemon.Lifecycle{Name: "PostgreSQL", Variable: "DATABASE_URL"}
	if err := other.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	for name, err := range map[string]error{
		"start": other.Start(t.Context()), "pause": other.Pause(), "kill": other.Kill(), "restart": other.Restart(t.Context()),
	} {
		if err == nil || !strings.Contains(err.Error(), "the PostgreSQL of DATABASE_URL") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
