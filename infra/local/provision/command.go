package provision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// run runs a program in dir with variables added to the environment, and returns what it printed.
// Its error holds the last lines that the program printed, and in plain words the causes that are known.
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
	return "", fmt.Errorf("%s: %w", cause(program, printed), errors.Join(err, errors.New(lastLines(printed, 6))))
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

func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
