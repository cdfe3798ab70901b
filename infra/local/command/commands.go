package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/db/provision"
	"recsys/infra/local/platform"
)

// runOnce starts everything, shows one execution and one stream of activity, and stops.
func runOnce(ctx context.Context, o options, out io.Writer) (err error) {
	c := newConsole(out)
	p, err := o.start(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if err := o.show(ctx, c, p); err != nil {
		return err
	}
	c.say("\nLook around in %s. Run again at any time, or `%s` to keep it up.", display(o.stateDir), o.command("serve"))
	return nil
}

// serve is run that stays up.
func serve(ctx context.Context, o options, out io.Writer) (err error) {
	c := newConsole(out)
	p, err := o.start(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if err := p.Publish(); err != nil {
		return err
	}
	page, err := p.ServeConsole(ctx)
	if err != nil {
		return err
	}
	c.say("\nThe console: %s", page.URL())
	if err := o.show(ctx, c, p); err != nil && ctx.Err() == nil {
		c.block("\nerror: " + printableLines(err.Error(), "  "))
		c.say("The servers stay up, so that you can look.")
	}
	c.endpoints(p.Endpoints, o.command)
	c.say("\n  The console, for a browser: %s", page.URL())
	select {
	case <-ctx.Done():
		c.say("\nstopping")
		return nil
	case err := <-p.Failed():
		return err
	}
}

// start runs the workflow once more: on the platform that serve has up, or on one of its own.
func start(ctx context.Context, o options, out io.Writer) error {
	return o.with(ctx, newConsole(out), func(c *console, client *platform.Client) error {
		if err := o.handOver(ctx, c, client); err != nil {
			return err
		}
		return o.execute(ctx, c, client)
	})
}

// putRecords puts a file's records on the stream and shows the answers.
func putRecords(ctx context.Context, o options, out io.Writer) error {
	return o.with(ctx, newConsole(out), func(c *console, client *platform.Client) error { return o.stream(ctx, c, client) })
}

// reset deletes the content of the state directory except downloads.
func reset(_ context.Context, o options, out io.Writer) error {
	err := platform.Reset(o.stateDir)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(out, "%s holds no state: nothing to do\n", display(o.stateDir))
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is empty again; downloads stay\n", display(o.stateDir))
	return nil
}

// start starts a platform of this process's own.
func (o options) start(ctx context.Context, c *console) (*platform.Platform, error) {
	c.say("Starting. The state is in %s", display(o.stateDir))
	cache, err := provision.Open(provision.Config{Progress: c.progress})
	if err != nil {
		return nil, err
	}
	return platform.Start(ctx, platform.Config{
		StateDir: o.stateDir, SourceSQL: o.sourceSQL, SourceEngine: o.sourceEngine, SourceDatabase: o.sourceDatabase, ShopFile: o.shop, SourceFiles: o.sourceFiles, Options: o.parsed,
		Environment: platform.FromEnvironment(), Cache: cache, Progress: c.progress,
	})
}

// with hands over the platform that serve has up, or else one that is stopped afterwards.
func (o options) with(ctx context.Context, c *console, do func(*console, *platform.Client) error) (err error) {
	client, err := platform.Attach(ctx, o.stateDir)
	if err == nil && (len(o.sourceSQL) > 0 || o.sourceEngine != "" || o.sourceDatabase != "" || o.sourceFiles != "" || o.shop != "") {
		return errors.New("--source-sql, --source-engine, --source-database, --source-files and --shop cannot be loaded into the servers of serve: stop serve first, or choose another --state-dir")
	}
	if err == nil && len(o.settings) > 0 {
		return errors.New("-c cannot change the servers of serve: stop serve first, and give it the options")
	}
	if err == nil {
		return do(c, client)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p, err := o.start(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return do(c, p.Client)
}

// show runs the workflow and streams activity.
func (o options) show(ctx context.Context, c *console, p *platform.Platform) error {
	if err := o.handOver(ctx, c, p.Client); err != nil {
		return err
	}
	if err := o.execute(ctx, c, p.Client); err != nil {
		return err
	}
	if o.events != "" || p.SampleShop() {
		return o.stream(ctx, c, p.Client)
	}
	return o.ownActivity(ctx, c, p.Client)
}

// handOver hands over the folder of --artifacts. Without it, an earlier hand-over stays. Where there is nothing, the
// workflow trains a model of its own.
func (o options) handOver(ctx context.Context, c *console, client *platform.Client) error {
	if o.artifacts != "" {
		return client.UploadFolder(ctx, o.artifacts)
	}
	before, err := client.HandedOver(ctx)
	if err != nil {
		return err
	}
	c.handOver(before)
	return nil
}

func (o options) execute(ctx context.Context, c *console, client *platform.Client) error {
	at := time.Now()
	name := platform.RunName(at)
	c.heading("Workflow, run " + name)
	output, err := client.Execute(ctx, stepfunctions.Execution{
		Name: name, StartTime: at, Input: json.RawMessage(o.input), OnEvent: c.event,
	})
	if err != nil {
		return fmt.Errorf("run %s failed: %w", name, err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, output, "  ", "  "); err != nil {
		return fmt.Errorf("reading the execution's output: %w", err)
	}
	c.block("  " + pretty.String())
	if err := o.training(ctx, c, client); err != nil {
		return err
	}
	if err := o.evaluation(ctx, c, client, name, output); err != nil {
		return err
	}
	return o.exported(c, name, output)
}
