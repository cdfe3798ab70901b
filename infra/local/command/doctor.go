package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"recsys/infra/local/db/provision"
)

// other runs a program of its own on AWS, infra/doctor or infra/console. So this one is built without the clients of a dozen
// services that one machine does not have.
func other(ctx context.Context, program string, args []string, out, errOut io.Writer) error {
	root, err := provision.Root()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "go", append([]string{"run", "./infra/" + program}, args...)...)
	command.Dir, command.Stdout, command.Stderr = root, out, errOut
	if err := command.Run(); err != nil {
		if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
			return errUsage // it has said why
		}
		return fmt.Errorf("running infra/%s: %w", program, err)
	}
	return nil
}
