// Command local builds and becomes infra/local/command, which runs the whole platform on one machine. It imports little, so
// that it is compiled within seconds and can tell how far the real program is.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// program is the package of the real program.
const program = "recsys/infra/local/command"

// flags are those of the functions (aws/lambda/build.go), so that both share what is compiled.
var flags = []string{"-trimpath", "-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w"}

func main() {
	err := launch(os.Args[1:], os.Stderr)
	if failed := (*exec.ExitError)(nil); !errors.As(err, &failed) { // the compiler has said why
		fmt.Fprintln(os.Stderr, "error:", err)
	}
	os.Exit(1)
}

// launch returns only if the real program does not start.
func launch(args []string, out io.Writer) error {
	dir, err := cache()
	if err != nil {
		return err
	}
	// Go closes the lock's file when the program takes this process's place. Until then nobody replaces the program.
	if err := lock(filepath.Join(dir, "lock")); err != nil {
		return err
	}
	path := filepath.Join(dir, "local")
	if err := build(path, out); err != nil {
		return err
	}
	if err := syscall.Exec(path, append([]string{path}, args...), os.Environ()); err != nil {
		return fmt.Errorf("starting %s: %w", path, err)
	}
	return nil
}

// cache returns the folder for the program, which is next to the functions'.
func cache() (string, error) {
	module, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("asking the go command for the repository: %w", err)
	}
	dir := filepath.Join(filepath.Dir(strings.TrimSpace(string(module))), ".local", "cache", "command")
	return dir, os.MkdirAll(dir, 0o755)
}

func lock(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	for {
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			return err
		}
	}
}

// goTool is a call of the go command that compiles as for a function.
func goTool(args ...string) *exec.Cmd {
	command := exec.Command("go", append(append([]string{args[0]}, flags...), args[1:]...)...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	return command
}
