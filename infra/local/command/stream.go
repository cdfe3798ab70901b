package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"recsys/infra/local/platform"
	"recsys/infra/local/sample"
	"recsys/shared/shop/interactions"
	"recsys/shared/stream/activity"
)

// stream puts the activity of the sample or of a file on Kinesis and shows the answers.
func (o options) stream(ctx context.Context, c *console, client *platform.Client) error {
	events, err := o.activity()
	if err != nil {
		return err
	}
	defer events.Close()
	c.heading("Stream")
	return o.put(ctx, c, client, events)
}

// ownRecords is how many records ownActivity makes.
const ownRecords = 20

// ownActivity makes records of the shop's own customers and products, because nobody has given any.
func (o options) ownActivity(ctx context.Context, c *console, client *platform.Client) error {
	c.heading("Stream")
	manifest, err := client.Snapshot(ctx)
	var records []byte
	if err == nil {
		records, err = client.OwnActivity(ctx, manifest, ownRecords)
	}
	if err != nil && !errors.Is(err, interactions.ErrNoSnapshot) {
		return err
	}
	if len(records) == 0 {
		c.say("  the training data has no customer to make a record of")
		return nil
	}
	first, _, _ := bytes.Cut(records, []byte("\n"))
	c.say("  records of the shop's own customers, such as this one. Put others with `%s`:", o.command("put-records FILE"))
	c.say("  %s", string(first))
	return o.put(ctx, c, client, bytes.NewReader(records))
}

// put puts records on Kinesis and shows the answers.
func (o options) put(ctx context.Context, c *console, client *platform.Client, events io.Reader) error {
	since := time.Now()
	ids, err := client.PutRecords(ctx, events)
	if err != nil {
		return err
	}
	c.say("  ▶ %d records put on Kinesis", len(ids))
	if len(ids) == 0 {
		c.say("  %s holds none: there is nothing to answer", display(o.events))
		return nil
	}
	answers, keys, err := client.Answers(ctx, ids, since, func(done int) {
		if done < len(ids) {
			c.progress(fmt.Sprintf("%d of %d done", done, len(ids)))
		}
	})
	if err != nil {
		return err
	}
	took := time.Since(since)
	shop, err := readPublished(ctx, client)
	if err != nil {
		return err
	}
	return o.answers(c, shop, answers, keys, took)
}

// answers shows the outcome of the records. If none was answered, it is an error.
func (o options) answers(c *console, shop published, answers []platform.Answer, keys []string, took time.Duration) error {
	reasons := map[string]int{}
	for _, answer := range answers {
		if answer.Rejected != "" {
			reason, _, _ := strings.Cut(answer.Rejected, " at byte ")
			reasons[reason]++
		}
	}
	strategies := platform.ByStrategy(answers)
	rejected := strategies["rejected"]
	delete(strategies, "rejected")
	if rejected > 0 {
		c.say("  ✘ %d rejected (%s): %s", rejected, shares(reasons), o.object(platform.RecommendationsBucket, "rejected"))
	}
	if rejected == len(answers) {
		return fmt.Errorf("all %d records are rejected", rejected)
	}
	c.say("  ✔ %d answers after %.1f s: %s", len(answers)-rejected, took.Seconds(), shares(strategies))
	if strategies[string(activity.None)] == len(answers)-rejected {
		c.say("  no version is active and no training data is published: there is nothing to recommend from")
	}
	for _, key := range keys {
		c.say("  recommendations: %s", o.object(platform.RecommendationsBucket, key))
	}
	c.block("\n" + table(shop, answers, 3))
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

// maxShares is how many counts are shown.
const maxShares = 5

// shares shows counts, the largest first.
func shares(counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", counts[name], name)
	}
	if len(names) > maxShares {
		names = append(names[:maxShares], "…")
	}
	return strings.Join(names, ", ")
}

// table shows the recommendations for the first customers.
func table(shop published, answers []platform.Answer, customers int) string {
	rows := [][]string{{"customer", shop.about(), "strategy", "recommended (score)"}}
	for _, answer := range answers {
		if len(rows) > customers {
			break
		}
		if answer.Rejected != "" {
			continue
		}
		items := make([]string, 0, len(answer.Recommended))
		for _, item := range answer.Recommended {
			items = append(items, fmt.Sprintf("%s (%.2f)", cell(shop.item(item.ID)), item.Score))
		}
		rows = append(rows, []string{
			cell(answer.Member("customer", "customer_number")), cell(answer.Member(shop.about())), cell(string(answer.Recommendation.Strategy)), strings.Join(items, "  "),
		})
	}
	return aligned(rows)
}
