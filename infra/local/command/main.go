// Command command is the program that the launcher, infra/local, builds and becomes. It runs the whole platform on one
// machine: real MySQL, real PostgreSQL with pgvector, the AWS protocols on loopback, and AWS's own binaries and state
// machine file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"recsys/infra/local/db/mysql"
	"recsys/infra/local/db/provision"
	"recsys/infra/local/platform"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/shopfile"
)

const usage = `The recommender pipelines on this machine, with no AWS account.

Usage: go run ./infra/local [command] [flags]

Commands
  run               (default) start everything, run the workflow, stream activity, print what happened, stop
  serve             the same and stay up: prints endpoints and lines to paste; Ctrl-C stops
  start             run the workflow once more, on what serve has up, or on its own
  put-records FILE  put activity records (JSON lines, gzip or a KPL aggregate) on Kinesis and show the recommendations
  invoke STEP       run one function on an event and print its answer; see invoke --help
  shop-check        compare a shop file with its database and show what a run would read; runs nothing
  generate          write a sample shop of any size: shop.sql, training.csv, products.csv, truth.json, sessions.jsonl
  doctor            say what a deployment to AWS lacks, before it and after it; see doctor --help
  console           serve the console of a deployment; see console --help
  reset             delete the state directory's data (downloads stay)
  help              print this

`

// options are the flags of every command. Each command registers those that it reads.
type options struct {
	sourceSQL      files
	sourceEngine   mysql.Engine
	sourceDatabase string
	sourceFiles    string
	shop           string
	source         string           // a DSN, of shop-check
	settings       named            // as they are given
	parsed         settings.Options // and with their defaults
	artifacts      string
	events         string
	stateDir       string
	input          string
	step           string // of invoke
	event          string // the file for step

	defaultDir string // .local in the repository
}

// commands but generate, doctor, console and help, which start and change nothing here.
var commands = map[string]func(context.Context, options, io.Writer) error{
	"run": runOnce, "serve": serve, "start": start, "put-records": putRecords, "invoke": invoke, "reset": reset,
	"shop-check": shopCheck,
}

// files is a flag that may be repeated.
type files []string

func (f *files) String() string         { return fmt.Sprint([]string(*f)) }
func (f *files) Set(value string) error { *f = append(*f, value); return nil }

// named is a flag of NAME=VALUE that may be repeated.
type named map[string]string

func (n *named) String() string { return "" }

func (n *named) Set(pair string) error {
	name, value, found := strings.Cut(pair, "=")
	if !found {
		return errors.New("want NAME=VALUE")
	}
	if *n == nil {
		*n = named{}
	}
	(*n)[name] = strings.TrimSpace(value)
	return nil
}

// errUsage is a mistake on the command line: the text is printed already.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "stopped")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "error:", printableLines(err.Error(), "  "))
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	command := "run"
	if len(args) > 0 && len(args[0]) > 0 && args[0][0] != '-' {
		command, args = args[0], args[1:]
	}
	switch command {
	case "generate":
		return generate(args, out, errOut)
	case "doctor", "console":
		return other(ctx, command, args, out, errOut)
	case "help":
		command, args = "run", []string{"--help"}
	}
	do, known := commands[command]
	if !known {
		return mistake(errOut, "there is no command %q", command)
	}
	options, err := parse(command, args, out, errOut)
	if err != nil {
		return err
	}
	if err := options.checkPaths(); err != nil {
		return err
	}
	return do(ctx, options, out)
}

// parse reads flags and, anywhere between them, arguments.
func parse(command string, args []string, out, errOut io.Writer) (o options, err error) {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.Usage = func() {}
	root, outside := provision.Root() // outside of the repository there is help only
	o.defaultDir = filepath.Join(root, ".local")
	o.register(flags, command)
	var rest []string
	for more := args; ; {
		if err := flags.Parse(more); errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(out, usage, help[command], "Flags\n")
			flags.SetOutput(out)
			flags.PrintDefaults()
			fmt.Fprint(out, environmentHelp, "\nOptions of -c, with their defaults\n", settings.OptionHelp())
			return o, flag.ErrHelp
		} else if err != nil {
			fmt.Fprintln(errOut, "see go run ./infra/local --help")
			return o, errUsage
		}
		if flags.NArg() == 0 {
			break
		}
		rest, more = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
	if outside != nil {
		return o, outside
	}
	if o.stateDir == "" {
		return o, mistake(errOut, "--state-dir is empty")
	}
	if err := o.take(command, rest, root); err != nil {
		return o, mistake(errOut, "%v", err)
	}
	if o.parsed, err = settings.ParseOptions(o.settings); err != nil {
		return o, mistake(errOut, "-c: %v", err)
	}
	if err := workflow.CheckInput([]byte(o.input)); err != nil {
		return o, mistake(errOut, "--input: %v", err)
	}
	return o, o.absolute()
}

// take keeps the arguments that are no flags. root is the repository.
func (o *options) take(command string, arguments []string, root string) error {
	switch {
	case command == "put-records" && (len(arguments) != 1 || arguments[0] == ""):
		return fmt.Errorf("put-records takes one file of activity records, got %q", arguments)
	case command == "put-records":
		o.events = arguments[0]
		return nil
	case command == "invoke":
		return o.takeStep(arguments, root)
	case len(arguments) > 0:
		return fmt.Errorf("%s takes no argument, got %q", command, arguments)
	}
	return nil
}

// absolute makes paths that mean the same to a later command.
func (o *options) absolute() (err error) {
	for _, path := range []*string{&o.stateDir, &o.artifacts, &o.shop, &o.sourceFiles} {
		if *path == "" || path == &o.shop && *path == platform.NoShopFile {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	return nil
}

// command is a line to paste that runs another command on the same state.
func (o options) command(words string) string {
	line := "go run ./infra/local " + words
	if o.stateDir != o.defaultDir {
		line += " --state-dir " + quote(display(o.stateDir))
	}
	return line
}

// register gives a command the flags that it reads, and no other.
func (o *options) register(flags *flag.FlagSet, command string) {
	flags.StringVar(&o.stateDir, "state-dir", o.defaultDir, "`DIR` for databases, buckets and logs")
	flags.Lookup("state-dir").DefValue = ".local in the repository"
	o.input = "{}"
	if command == "reset" {
		return
	}
	if command == "shop-check" {
		o.registerSource(flags)
		flags.StringVar(&o.source, "source", "", "`DSN` of a database that runs already, user:password@tcp(host:port)/database; it is only read. MYSQL_DSN does the same")
		return
	}
	flags.Var(&o.settings, "c", "an option as `NAME=VALUE`, such as sessionWeight=0.5, for as long as this command runs; may be repeated. cdk deploy takes the same, see docs/aws.md")
	if command == "put-records" || command == "invoke" {
		return
	}
	o.registerSource(flags)
	flags.StringVar(&o.sourceFiles, "source-files", "", "`DIR` of CSV, NDJSON or Parquet files in place of a database, for a shop file that names files; they stay for the next start")
	flags.StringVar(&o.artifacts, "artifacts", "", "`DIR` with a data scientist's embeddings/, model/ and scalers/, instead of training a model of our own")
	flags.StringVar(&o.input, "input", o.input, "the execution's input as `JSON`: {} or any of stages (all, training-data, embeddings), train (true, false), acceptShrunkSource (true), rollback (true, alone), activate (the number of a kept version, alone)")
	if command != "start" {
		flags.StringVar(&o.events, "events", "", "`FILE` of activity records, one JSON object a line, instead of the sample's")
	}
}

// registerSource gives a command the flags about the shop and its dumps.
func (o *options) registerSource(flags *flag.FlagSet) {
	flags.Var(&o.sourceSQL, "source-sql", "a MySQL dump `FILE` to load instead of what is there, at first the sample shop; may be repeated, in the order of loading")
	flags.Func("source-engine", "`ENGINE` of the private database, mysql or mariadb (default: the one that wrote the dump, or else mysql)", func(name string) (err error) {
		o.sourceEngine, err = mysql.ParseEngine(name)
		return err
	})
	flags.StringVar(&o.sourceDatabase, "source-database", "", "`NAME` of the dump's database that holds the shop (default: the only one with its tables)")
	flags.StringVar(&o.shop, "shop", "", "a shop `FILE` that describes a shop with tables of its own, such as docs/shops/sakila.yaml; stays for the next start; none: the tables of the sample shop again")
}

// checkPaths finds a mistyped path before anything starts.
func (o options) checkPaths() error {
	paths := append([]string{}, o.sourceSQL...)
	for _, file := range []string{o.events, o.event} {
		if file != "" {
			paths = append(paths, file)
		}
	}
	if o.artifacts != "" {
		for _, key := range lake.RequiredArtifacts {
			paths = append(paths, filepath.Join(o.artifacts, filepath.FromSlash(key)))
		}
	}
	faults := []error{platform.CheckStateDir(o.stateDir)}
	if o.shop != "" && o.shop != platform.NoShopFile {
		_, err := shopfile.Load(o.shop)
		faults = append(faults, err)
	}
	if o.sourceFiles != "" {
		if info, err := os.Stat(o.sourceFiles); err != nil {
			faults = append(faults, err)
		} else if !info.IsDir() {
			faults = append(faults, fmt.Errorf("%s is a file, want a folder", o.sourceFiles))
		}
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil {
			faults = append(faults, err)
		} else if info.IsDir() {
			faults = append(faults, fmt.Errorf("%s is a folder, want a file", path))
		}
	}
	return errors.Join(faults...)
}

const environmentHelp = `
Environment
  MYSQL_DSN                 user:password@tcp(host:port)/database: extract from this MySQL instead of a private one
  DATABASE_URL              postgres://user@host:port/database: use this PostgreSQL with pgvector; the user may create roles
  AWS_ENDPOINT_URL_S3       and _KINESIS, _FIREHOSE, _GLUE: use servers that already run
`

func mistake(errOut io.Writer, format string, args ...any) error {
	fmt.Fprintf(errOut, format+"; see go run ./infra/local --help\n", args...)
	return errUsage
}
