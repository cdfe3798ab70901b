package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"recsys/infra/local/platform"
	"recsys/shared/evaluation"
	"recsys/shared/lake"
	"recsys/shared/objectstore"
)

// maxReport bounds a report, in bytes.
const maxReport = 8 << 20

// evaluation shows the figures of the run's report, where there is one, and where the page lies.
func (o options) evaluation(ctx context.Context, c *console, client *platform.Client, run string) error {
	var report evaluation.Report
	_, err := client.Store(platform.LakeBucket).GetJSON(ctx, lake.EvaluationReportKey(run), maxReport, &report)
	if errors.Is(err, objectstore.ErrNotFound) {
		return nil // nothing new was there to be measured
	}
	if err != nil {
		return err
	}
	verdict := "promoted"
	if !report.Decision.Promote {
		verdict = "not promoted"
	}
	c.say("\nEvaluation on %s held-out ratings of %s customers: %s\n%s", grouped(int64(report.Candidate.Result.HeldOut)),
		grouped(int64(report.Candidate.Result.Customers)), verdict, figures(report))
	c.say("  %s", report.Decision.Reason)
	c.say("  report: %s", o.object(platform.LakeBucket, lake.EvaluationPageKey(run)))
	return nil
}

// figures shows the candidate beside all that it was compared with, at the length of list that the gate decides on.
func figures(report evaluation.Report) string {
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(columns, "\tNDCG@10\trecall@10\tMRR\tcoverage@10\tnovelty@10\t")
	row := func(name string, r evaluation.Result) {
		at := r.At[1]
		fmt.Fprintf(columns, "%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.1f\t\n", name, at.NDCG, at.Recall, r.MRR, at.Coverage, at.Novelty)
	}
	row(fmt.Sprintf("version %d", report.Candidate.Version), report.Candidate.Result)
	if report.Active != nil {
		row(fmt.Sprintf("active version %d", report.Active.Version), report.Active.Result)
	}
	row("most popular", report.Popularity)
	row("random", report.Random)
	columns.Flush()
	lines := strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
	return "  " + strings.Join(lines, "\n  ")
}
