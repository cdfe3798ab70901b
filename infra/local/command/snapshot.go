package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"recsys/infra/local/platform"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/interactions"
)

// training tells what is in the training data, and where it lies.
func (o options) training(ctx context.Context, c *console, client *platform.Client) error {
	manifest, err := client.Snapshot(ctx)
	if errors.Is(err, interactions.ErrNoSnapshot) {
		return nil // nothing is published: the output above says why
	}
	if err != nil {
		return err
	}
	c.say("  training data: %s rows in %s", grouped(manifest.Rows), o.object(platform.LakeBucket, lake.SnapshotPrefix(manifest.Snapshot)))
	for _, line := range contents(manifest) {
		c.say("  %s", line)
	}
	return nil
}

// contents are lines about a snapshot of a shop with a file: how much of what it has.
func contents(manifest lake.Manifest) (lines []string) {
	shop := manifest.Shape()
	if shop.IsLab() {
		return nil
	}
	lines = append(lines, fmt.Sprintf("shop %s: %s customers with interactions, %s products; interactions: %s",
		shop.Name, grouped(manifest.Customers), grouped(manifest.Products), counted(manifest.Kinds)))
	if manifest.Newest != nil {
		lines = append(lines, "the newest interaction is of "+manifest.Newest.UTC().Format("2006-01-02 15:04"))
	}
	if len(manifest.Skipped) > 0 {
		lines = append(lines, "skipped, as the rules say: "+counted(manifest.Skipped))
	}
	if len(manifest.Rejected) > 0 {
		lines = append(lines, "rejected, see quarantine: "+counted(manifest.Rejected))
	}
	return lines
}

// counted shows counts by name.
func counted(counts map[string]int64) string {
	words := make([]string, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, grouped(counts[name])+" "+name)
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// published is the shop of the published snapshot, for people.
type published struct {
	shop     shape.Shop
	names    map[string]string // of products, by id
	manifest lake.Manifest     // without one it is empty
}

func readPublished(ctx context.Context, client *platform.Client) (p published, err error) {
	p.manifest, err = client.Snapshot(ctx)
	if errors.Is(err, interactions.ErrNoSnapshot) {
		return published{shop: shape.Lab}, nil
	}
	if err != nil {
		return p, err
	}
	p.shop = p.manifest.Shape()
	p.names, err = client.ProductNames(ctx, p.manifest)
	return p, err
}

// item shows a product by its name, or else by its id.
func (p published) item(id string) string {
	if name := p.names[id]; name != "" {
		return name
	}
	return id
}

// about is the member of a record that tells the most about a customer in one word.
func (p published) about() string {
	if p.shop.IsLab() {
		return "city"
	}
	return p.shop.Group
}
