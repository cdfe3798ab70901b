package main

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The launcher has to be compiled before it can print a line, so it imports nothing outside of the standard library and no
// network.
func TestTheLauncherIsSmall(t *testing.T) {
	listed, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(listed))
	for _, name := range packages {
		if name != "recsys/infra/local" && (strings.Contains(name, ".") || strings.HasPrefix(name, "recsys/") || name == "net") {
			t.Errorf("the launcher imports %s", name)
		}
	}
	if len(packages) < 20 || len(packages) > 100 {
		t.Errorf("%d packages", len(packages))
	}
}

// The program takes the launcher's place with its arguments, outputs and exit code.
func TestTheProgramTakesTheLaunchersPlace(t *testing.T) {
	launcher := filepath.Join(t.TempDir(), "launcher")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", launcher, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	call := func(args ...string) (out, errOut string, code int) {
		command := exec.CommandContext(t.Context(), launcher, args...)
		var stdout, stderr bytes.Buffer
		command.Stdout, command.Stderr = &stdout, &stderr
		if err := command.Run(); err != nil {
			failed := (*exec.ExitError)(nil)
			if !errors.As(err, &failed) {
				t.Fatal(err)
			}
			code = failed.ExitCode()
		}
		return stdout.String(), stderr.String(), code
	}
	if out, errOut, code := call("help"); code != 0 || !strings.Contains(out, "Usage: go run ./infra/local") {
		t.Errorf("help ends with %d and prints %s%s", code, out, errOut)
	}
	if _, errOut, code := call("frobnicate", "a b"); code != 2 || !strings.Contains(errOut, `no command "frobnicate"`) {
		t.Errorf("a wrong command ends with %d and prints %s", code, errOut)
	}
}

func TestErrorsOfTheCompilerAreShown(t *testing.T) {
	var out bytes.Buffer
	packages := make(chan string, 9)
	split(strings.NewReader("go: downloading x v1\nfmt\nrecsys/shared\n# recsys/infra\nmain.go:3:1: syntax error"), packages, &out)
	if got := len(packages); got != 2 {
		t.Errorf("%d packages", got)
	}
	if got, want := out.String(), "go: downloading x v1\n# recsys/infra\nmain.go:3:1: syntax error\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestProgress(t *testing.T) {
	for _, test := range []struct {
		done, all int
		want      string
	}{
		{0, 500, "  … building: 0 of 500 packages"},
		{100, 500, "  … building: 100 of 500 packages, about 40 s more"},
		{501, 500, "  … building: 501 of 501 packages, about 1 s more"},
	} {
		if got := progress(test.done, test.all, 10*time.Second); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
	none := make(chan string)
	close(none)
	show(none, time.Now(), io.Discard) // ends
}
