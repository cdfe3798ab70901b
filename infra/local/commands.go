package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"recsys/infra/local/platform"
	"recsys/infra/local/provision"
	"recsys/infra/local/sample"
	"recsys/infra/local/stepfunctions"
	"recsys/shared/lake"
	"recsys/shared/objectstore"
)

// runOnce starts everything, shows one execution and one stream of activity, and stops.
func runOnce(ctx context.Context, o options, out io.Writer) (err error) {
	c := newConsole(out)
	p, err := o.start(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if err := o.show(ctx, c, p.Client); err != nil {
		return err
	}
	c.say("\nLook around in %s; run again at any time, or `go run ./infra/local serve` to keep it up.", display(o.stateDir))
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
	if err := o.show(ctx, c, p.Client); err != nil && ctx.Err() == nil {
		c.say("\nerror: %v\nThe servers stay up, so that you can look.", err)
	}
	c.endpoints(p.Endpoints)
	<-ctx.Done()
	c.say("\nstopping")
	return nil
}

// start runs the workflow once more: on the platform that serve has up, or on one of its own.
func start(ctx context.Context, o options, out io.Writer) error {
	return o.with(ctx, newConsole(out), func(c *console, client *platform.Client) error {
		if o.artifacts != "" { // else those that were handed over before stay
			if err := o.upload(ctx, c, client); err != nil {
				return err
			}
		}
		return o.execute(ctx, c, client)
	})
}

// putRecords puts a file's records on the stream and shows what they are answered with.
func putRecords(ctx context.Context, o options, out io.Writer) error {
	return o.with(ctx, newConsole(out), func(c *console, client *platform.Client) error { return o.stream(ctx, c, client) })
}

// reset deletes what the state directory holds, downloads aside.
func reset(o options, out io.Writer) error {
	_, err := os.Stat(o.stateDir)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(out, "%s is not there: nothing to do\n", display(o.stateDir))
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the state directory: %w", err)
	}
	if err := platform.Reset(o.stateDir); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is empty again; downloads stay\n", display(o.stateDir))
	return nil
}

// start starts a platform of this process's own.
func (o options) start(ctx context.Context, c *console) (*platform.Platform, error) {
	c.say("Starting; state is in %s", display(o.stateDir))
	cache, err := provision.Open(provision.Config{Progress: c.progress})
	if err != nil {
		return nil, err
	}
	return platform.Start(ctx, platform.Config{
		StateDir: o.stateDir, SourceSQL: o.sourceSQL, KeepSource: o.keepSource,
		Environment: platform.FromEnvironment(), Cache: cache, Progress: c.progress,
	})
}

// with hands over the platform that serve has up, or else one that is stopped afterwards.
func (o options) with(ctx context.Context, c *console, do func(*console, *platform.Client) error) (err error) {
	client, err := platform.Attach(ctx, o.stateDir)
	if err == nil && len(o.sourceSQL) > 0 {
		return errors.New("--source-sql cannot be loaded into what serve has up: stop serve first, or choose another --state-dir")
	}
	if err == nil {
		return do(c, client)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	o.keepSource = true
	p, err := o.start(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return do(c, p.Client)
}

// show runs the workflow and streams activity.
func (o options) show(ctx context.Context, c *console, client *platform.Client) error {
	if err := o.upload(ctx, c, client); err != nil {
		return err
	}
	if err := o.execute(ctx, c, client); err != nil {
		return err
	}
	return o.stream(ctx, c, client)
}

func (o options) upload(ctx context.Context, c *console, client *platform.Client) error {
	if o.artifacts != "" {
		return client.UploadArtifacts(ctx, os.DirFS(o.artifacts))
	}
	uploaded, err := client.OfferArtifacts(ctx, sample.Artifacts())
	if err == nil && !uploaded {
		c.say("  the artifacts that somebody put into %s stay; --artifacts DIR replaces them", platform.ArtifactsBucket)
	}
	return err
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
	c.say("  %s", pretty.String())
	return o.training(ctx, c, client)
}

// training tells where the training data lies.
func (o options) training(ctx context.Context, c *console, client *platform.Client) error {
	var latest lake.Latest
	_, err := client.Store(platform.LakeBucket).GetJSON(ctx, lake.LatestKey, 1<<20, &latest)
	if errors.Is(err, objectstore.ErrNotFound) {
		return nil // nothing is published: the output above says why
	}
	if err != nil {
		return err
	}
	c.say("  training data: %s rows in %s", grouped(latest.Rows), o.object(platform.LakeBucket, lake.SnapshotPrefix(latest.Snapshot)))
	return nil
}

func (o options) stream(ctx context.Context, c *console, client *platform.Client) error {
	events, err := o.activity()
	if err != nil {
		return err
	}
	defer events.Close()
	c.heading("Stream")
	since := time.Now()
	ids, err := client.PutRecords(ctx, events)
	if err != nil {
		return err
	}
	c.say("  ▶ %d records put on Kinesis", len(ids))
	answers, keys, err := client.Answers(ctx, ids, since, func(done int) {
		if done < len(ids) {
			c.progress(fmt.Sprintf("%d of %d answered", done, len(ids)))
		}
	})
	if err != nil {
		return err
	}
	c.say("  ✔ %d answers after %.1f s: %s", len(answers), time.Since(since).Seconds(), shares(platform.ByStrategy(answers)))
	for _, key := range keys {
		c.say("  recommendations: %s", o.object(platform.RecommendationsBucket, key))
	}
	c.say("\n%s", table(answers, 3))
	return nil
}

func (o options) activity() (io.ReadCloser, error) {
	if o.events == "" {
		return io.NopCloser(bytes.NewReader(sample.Sessions())), nil
	}
	file, err := os.Open(o.events)
	if err != nil {
		return nil, fmt.Errorf("opening the activity records: %w", err)
	}
	return file, nil
}

// object is where a person finds an object: a file, or its address on an S3 of their own.
func (o options) object(bucket, key string) string {
	if platform.FromEnvironment().S3 != "" {
		return "s3://" + bucket + "/" + key
	}
	return display(filepath.Join(o.stateDir, "s3", bucket, filepath.FromSlash(key)))
}

func shares(counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", counts[name], name)
	}
	return strings.Join(names, ", ")
}

// table shows the recommendations for the first customers.
func table(answers []platform.Answer, customers int) string {
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "  customer\tcity\tstrategy\trecommended (score)")
	for _, answer := range answers {
		if customers == 0 {
			break
		}
		if answer.Rejected != "" {
			continue
		}
		customers--
		items := make([]string, 0, len(answer.Recommended))
		for _, item := range answer.Recommended {
			items = append(items, fmt.Sprintf("%s (%.2f)", item.ID, item.Score))
		}
		fmt.Fprintf(columns, "  %s\t%s\t%s\t%s\n", answer.CustomerNumber, answer.City, answer.Recommendation.Strategy, strings.Join(items, "  "))
	}
	columns.Flush()
	return strings.TrimRight(text.String(), "\n")
}

// display shortens a path below the working directory.
func display(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return path
}
