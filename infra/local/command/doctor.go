package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"recsys/infra/local/db/provision"
)

// doctor runs infra/doctor. It is a program of its own, so that this one is built without the clients of a dozen services
// that one machine does not have.
func doctor(ctx context.Context, args []string, out, errOut io.Writer) error {
	root, err := provision.Root()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "go", append([]string{"run", "./infra/doctor"}, args...)...)
	command.Dir, command.Stdout, command.Stderr = root, out, errOut
	if err := command.Run(); err != nil {
		if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
			return errUsage // it has said why
		}
		return fmt.Errorf("running the doctor: %w", err)
	}
	return nil
}
