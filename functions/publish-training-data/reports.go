package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/shop/runshop"
	"recsys/shared/shop/training"
)

// Limits on objects that are read whole, in bytes. A partition takes about 60 in a report and in the manifest: these
// are for some millions of customers.
const (
	maxPlan     = 1 << 20
	maxReport   = 64 << 20
	maxManifest = 512 << 20
)

// readers is how many reports are fetched at once.
const readers = 8

// manifest adds up the reports of partition-write for every range of the plan.
func (h Handler) manifest(ctx context.Context, plan workflow.Plan) (lake.Manifest, error) {
	reports := make([]lake.RangeReport, len(plan.Ranges))
	fetch, fetching := errgroup.WithContext(ctx)
	fetch.SetLimit(readers)
	for i, span := range plan.Ranges {
		fetch.Go(func() error {
			_, err := h.Lake.GetJSON(fetching, lake.RangeReportKey(plan.ID, span.Index), maxReport, &reports[i])
			return err
		})
	}
	if err := fetch.Wait(); err != nil {
		return lake.Manifest{}, err
	}
	shop, err := runshop.Read(ctx, h.Lake, plan.ID)
	if err != nil {
		return lake.Manifest{}, err
	}
	manifest := sum(plan, shop, reports)
	return manifest, once(manifest.Partitions)
}

func sum(plan workflow.Plan, shop shape.Shop, reports []lake.RangeReport) lake.Manifest {
	manifest := lake.Manifest{
		Snapshot: plan.ID, StartedAt: plan.StartedAt, Ranges: len(reports), Source: plan.Source, Products: plan.Products,
		Rejected: map[string]int64{}, RatingType: string(training.Ratings(shop)), Partitions: []lake.Partition{},
		Shop: &shop, Skipped: map[string]int64{}, Kinds: map[string]int64{},
	}
	for _, report := range reports {
		manifest.Rows += report.Rows
		manifest.Partitions = append(manifest.Partitions, report.Partitions...)
		if report.Part != nil {
			manifest.Parts = append(manifest.Parts, *report.Part)
			manifest.Customers += report.Part.Customers
		}
		if report.Newest != nil && (manifest.Newest == nil || report.Newest.After(*manifest.Newest)) {
			manifest.Newest = report.Newest
		}
		add(manifest.Rejected, report.Rejected)
		add(manifest.Skipped, report.Skipped)
		add(manifest.Kinds, report.Kinds)
	}
	manifest.Customers += int64(len(manifest.Partitions))
	slices.SortFunc(manifest.Partitions, func(a, b lake.Partition) int {
		return cmp.Compare(a.CustomerNumber, b.CustomerNumber)
	})
	return manifest
}

// once refuses partitions of which two belong to one customer: the object of the later one has replaced the other's.
func once(partitions []lake.Partition) error {
	for i := 1; i < len(partitions); i++ {
		if customer := partitions[i].CustomerNumber; customer == partitions[i-1].CustomerNumber {
			return failure.SchemaMismatch.Errorf(
				"customer %d has rows in several ranges: all rows of a customer must have the same key in {{range KEY}}; mend the range_key of the shop file", customer)
		}
	}
	return nil
}

// tolerate fails a run of which too much went to quarantine: TooManyRejectedRows with the counts by reason.
func (h Handler) tolerate(manifest lake.Manifest) error {
	rejected := total(manifest.Rejected)
	rows := rejected + manifest.Rows
	if float64(rejected) <= h.MaxRejectedFraction*float64(rows) {
		return nil
	}
	var reasons []string
	for _, reason := range slices.Sorted(maps.Keys(manifest.Rejected)) {
		reasons = append(reasons, fmt.Sprintf("%s %d", reason, manifest.Rejected[reason]))
	}
	return failure.TooManyRejectedRows.Errorf(
		"%d of %d rows were rejected, more than the fraction %v: %s; the rows are in %s",
		rejected, rows, h.MaxRejectedFraction, strings.Join(reasons, ", "), h.Lake.URI(lake.QuarantinePrefix(manifest.Snapshot)))
}

func add(to, counts map[string]int64) {
	for name, count := range counts {
		to[name] += count
	}
}

func total(counts map[string]int64) (sum int64) {
	for _, count := range counts {
		sum += count
	}
	return sum
}
