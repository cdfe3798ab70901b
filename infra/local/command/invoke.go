package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"recsys/infra/local/aws/lambda"
	"recsys/infra/local/platform"
)

// help is the text of --help that only one command has.
var help = map[string]string{"invoke": `Invoke
  go run ./infra/local invoke STEP [EVENT.json]

  STEP is one of ` + strings.Join(platform.StepNames(), ", ") + `.
  The default event is functions/STEP/event.json.
  The function runs on the servers that serve has up, or on servers of its own that stop afterwards.
  It does all its work, so it changes the state directory.
  Its answer is printed as JSON. If it fails, the error's name and message are printed and the exit status is 1.

`}

// takeStep reads the arguments of invoke: a step and, optionally, a file with its event.
func (o *options) takeStep(arguments []string, root string) error {
	if len(arguments) == 0 || len(arguments) > 2 {
		return fmt.Errorf("invoke takes a step and perhaps a file with its event, got %q", arguments)
	}
	if names := platform.StepNames(); !slices.Contains(names, arguments[0]) {
		return fmt.Errorf("there is no step %q here: want one of %s", arguments[0], strings.Join(names, ", "))
	}
	o.step, o.event = arguments[0], filepath.Join(root, "functions", arguments[0], "event.json")
	if len(arguments) == 2 {
		o.event = arguments[1]
	}
	return nil
}

// invoke runs one function and prints its answer.
func invoke(ctx context.Context, o options, out io.Writer) error {
	event, err := os.ReadFile(o.event)
	if err != nil {
		return fmt.Errorf("reading the event of %s: %w", o.step, err)
	}
	if !json.Valid(event) {
		return fmt.Errorf("the event in %s is not JSON", display(o.event))
	}
	return o.with(ctx, newConsole(out), func(c *console, client *platform.Client) error {
		c.heading(fmt.Sprintf("%s on %s", o.step, display(o.event)))
		answer, err := client.Invoke(ctx, o.step, event)
		if failed := (*lambda.InvocationError)(nil); errors.As(err, &failed) {
			c.say("  its log: %s", display(filepath.Join(o.stateDir, "lambda", "logs", o.step+".log")))
		}
		if err != nil {
			return fmt.Errorf("%s failed: %w", o.step, err)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, answer, "", "  "); err != nil {
			return fmt.Errorf("reading the answer of %s: %w", o.step, err)
		}
		c.block(pretty.String())
		return nil
	})
}
