// Command doctor predicts before a deployment why it would fail, and reports after it if everything is connected:
//
//	go run ./infra/local doctor --env prod
//
// It asks AWS with your credentials and changes nothing. Reads cdk.json and infra/environments. It ends with 1 if
// something fails. A call that the credentials do not allow is "unknown" and no failure.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	stacks "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"recsys/infra/deployment"
)

// doctor knows the deployment and its place.
type doctor struct {
	config deployment.Config
	here   deployment.Place
	aws    aws.Config
	// stack is the deployed stack, with the ids of its resources by type, or nil.
	stack     *stacks.Stack
	resources map[string][]string
}

// check is one question.
type check struct {
	name string
	ask  func(context.Context) Finding
}

// patience bounds one check, retries included.
const patience = 30 * time.Second

// errFails tells of a finding that is printed already.
var errFails = errors.New("something fails")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout); {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errFails):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	flags.SetOutput(out)
	options := givenOptions{}
	flags.Func("env", "the `name` of a file in infra/environments; default: stage dev", func(name string) error { options["env"] = name; return nil })
	flags.Func("c", "an option as `NAME=VALUE`, as for cdk deploy; may be repeated", options.set)
	if err := flags.Parse(args); err != nil {
		return err
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("reading the AWS configuration: %w", err)
	}
	d := &doctor{aws: cfg}
	if err := d.look(ctx); err != nil {
		return err
	}
	if d.config, err = deployment.FromFiles(options, d.here); err != nil {
		return err
	}
	if err := d.findStack(ctx); err != nil {
		return fmt.Errorf("looking for the stack %s: %w", d.config.Name, err)
	}
	return d.examine(ctx, out)
}

// look finds out whose account it is.
func (d *doctor) look(ctx context.Context) error {
	if d.aws.Region == "" {
		return errors.New("no region is set: set AWS_REGION, or `aws configure set region`")
	}
	who, err := sts.NewFromConfig(d.aws).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return fmt.Errorf("asking AWS whose credentials these are (set AWS_PROFILE, or log in): %w", err)
	}
	d.here = deployment.Place{Account: aws.ToString(who.Account), Region: d.aws.Region}
	return nil
}

func (d *doctor) examine(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "Stack %s, stage %s, account %s, region %s\n\n", d.config.Name, d.config.Stage, d.here.Account, d.here.Region)
	failed := report(out, "The account", ask(ctx, d.before()))
	if d.stack == nil {
		fmt.Fprintln(out, "\nNothing is deployed yet.")
	} else {
		failed = report(out, "\nThe deployment", ask(ctx, d.after())) || failed
	}
	if failed {
		return errFails
	}
	return nil
}

func ask(ctx context.Context, checks []check) []Finding {
	findings := make([]Finding, len(checks))
	for i, c := range checks {
		ctx, cancel := context.WithTimeout(ctx, patience)
		findings[i] = c.ask(ctx)
		findings[i].Check = c.name
		cancel()
	}
	return findings
}

// givenOptions is the CDK's context: options by name.
type givenOptions map[string]any

func (c givenOptions) set(pair string) error {
	name, value, found := strings.Cut(pair, "=")
	if !found {
		return errors.New("want NAME=VALUE")
	}
	c[name] = value
	return nil
}
