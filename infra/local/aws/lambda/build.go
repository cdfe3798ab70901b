package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Build compiles every function of the repository as for AWS, but for this machine's processor, and lays them out as
// <outDir>/<function>/bootstrap. It returns the functions' names. Processes that build into the same folder wait for
// each other. Functions without a change are neither compiled nor linked again.
func Build(ctx context.Context, repoRoot, outDir string) ([]string, error) {
	outDir, err := filepath.Abs(outDir)
	if err != nil {
		return nil, fmt.Errorf("building the functions: %w", err)
	}
	bin := filepath.Join(outDir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return nil, fmt.Errorf("building the functions: %w", err)
	}
	lock := flock.New(filepath.Join(outDir, "lock"))
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return nil, fmt.Errorf("building the functions: locking %s: %w", lock.Path(), err)
	}
	defer lock.Unlock()

	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc",
		"-ldflags=-s -w", "-o", bin+string(filepath.Separator), "./functions/...")
	command.Dir = repoRoot
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the functions: %w\n%s", err, bytes.TrimSpace(output))
	}

	mains, err := filepath.Glob(filepath.Join(repoRoot, "functions", "*", "main.go"))
	if err != nil {
		return nil, fmt.Errorf("building the functions: %w", err)
	}
	names := make([]string, 0, len(mains))
	for _, main := range mains {
		name := filepath.Base(filepath.Dir(main))
		if err := link(filepath.Join(bin, name), filepath.Join(outDir, name, "bootstrap")); err != nil {
			return nil, fmt.Errorf("laying out function %s: %w", name, err)
		}
		names = append(names, name)
	}
	return names, nil
}

// link makes target another name of the file source. It replaces an earlier target in one step, so a running process
// keeps the file that it was started from.
func link(source, target string) error {
	if same(source, target) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	fresh := target + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Link(source, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, target)
}

func same(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}
