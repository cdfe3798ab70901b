package provision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// run runs a program in dir with variables added to the environment, and returns its output. Its error holds the last
// lines that the program printed, and in plain words the causes that are known.
func run(ctx context.Context, dir string, variables []string, program string, args ...string) (string, error) {
	if _, err := exec.LookPath(program); err != nil {
		return "", fmt.Errorf("there is no %s on this machine", program)
	}
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = dir
	command.Env = append(append(os.Environ(), "LC_ALL=C"), variables...)
	command.WaitDelay = 5 * time.Second
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if err == nil {
		return stdout.String(), nil
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("running %s: %w", program, ctx.Err())
	}
	printed := stderr.String() + stdout.String()
	return "", fmt.Errorf("%s: %w", cause(program, printed), errors.Join(err, errors.New(complaint(printed))))
}

// cause names the usual reasons for which fetching fails.
func cause(program, printed string) string {
	switch {
	case contains(printed, "No space left on device", "ENOSPC"):
		return "the disk is full, free some space: " + program
	case contains(printed, "Could not resolve", "Temporary failure resolving", "Could not connect", "Connection timed out", "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT"):
		return "the network cannot be reached: " + program
	case contains(printed, "Permission denied", "EACCES", "Read-only file system", "EROFS"):
		return "the folder cannot be written, use a checkout of your own: " + program
	}
	return program + " failed"
}

func contains(text string, parts ...string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// complaint is a program's account of its failure: the first lines that npm and apt mark as errors, or the last lines
// of a program that marks none.
func complaint(printed string) string {
	const few = 8
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	marked := slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		text, npm := strings.CutPrefix(line, "npm error")
		return !(npm && strings.TrimSpace(text) != "") && !strings.HasPrefix(line, "E: ")
	})
	if len(marked) > 0 {
		return strings.Join(marked[:min(few, len(marked))], "\n")
	}
	return strings.Join(lines[max(0, len(lines)-few):], "\n")
}
