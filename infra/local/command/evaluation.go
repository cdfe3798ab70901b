package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"recsys/infra/local/platform"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/evaluation/report"
	"recsys/shared/store/objectstore"
)

// maxReport bounds a report, in bytes.
const maxReport = 8 << 20

// evaluation shows the figures of the run's report and where the page lies. If there is none, it shows the fate of
// the embeddings.
func (o options) evaluation(ctx context.Context, c *console, client *platform.Client, run string, output json.RawMessage) error {
	var found report.Report
	_, err := client.Store(platform.LakeBucket).GetJSON(ctx, lake.EvaluationReportKey(run), maxReport, &found)
	if errors.Is(err, objectstore.ErrNotFound) {
		return o.withoutReport(c, output)
	}
	if err != nil {
		return err
	}
	c.say("\nEvaluation on %s %s of %s customers: %s", grouped(int64(found.Candidate.Result.HeldOut)), heldOut(found),
		grouped(int64(found.Candidate.Result.Customers)), verdict(found))
	c.block(figures(found))
	for _, remark := range append(append([]string{found.Decision.Reason}, found.Decision.Remarks...), found.Remarks...) {
		c.say("  %s", remark)
	}
	c.say("  report: %s", o.object(platform.LakeBucket, lake.EvaluationPageKey(run)))
	return nil
}

// heldOut names the pairs that are held out, and how if that is not by hash.
func heldOut(found report.Report) string {
	if found.HoldOut.By == lake.ByTime {
		return found.Shop.Unit() + ", each customer's last ones,"
	}
	return "held-out " + found.Shop.Unit()
}

func verdict(found report.Report) string {
	switch d := found.Decision; {
	case d.Passed:
		return "promoted"
	case d.Promote:
		return "not passed, and promoted, since the gate only reports"
	case found.Active != nil:
		return fmt.Sprintf("not promoted, version %d stays active", found.Active.Version)
	}
	return "not promoted; no version is active, so best-sellers answer"
}

// withoutReport says why there was nothing to measure.
func (o options) withoutReport(c *console, output json.RawMessage) error {
	var ended struct {
		Embeddings struct {
			Upload workflow.Uploaded
			Index  workflow.Indexed
		}
	}
	if err := json.Unmarshal(output, &ended); err != nil {
		return fmt.Errorf("reading the execution's output: %w", err)
	}
	upload, index := ended.Embeddings.Upload, ended.Embeddings.Index
	switch {
	case upload.Status == "unchanged":
		c.say("  the embeddings are those of before: version %d stays active", upload.Version)
	case upload.Status == "rolled-back":
		c.say("  these embeddings are version %d, which was rolled back. They are not loaded again: hand over others", upload.Version)
	case upload.Status == "no-artifacts":
		c.say("  nothing is handed over and nothing was trained: --artifacts DIR hands over, --input '{\"train\":true}' trains")
	case index.Status == "rolled-back", index.Status == "activated":
		c.say("  version %d is active again", index.Version)
	}
	return nil
}

// figures shows the candidate beside all that it was compared with, at the length of list that the gate decides on.
func figures(found report.Report) string {
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(columns, "\tNDCG@10\trecall@10\tMRR\tcoverage@10\tnovelty@10\t")
	row := func(name string, r evaluation.Result) {
		at := r.At[1]
		fmt.Fprintf(columns, "%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.1f\t\n", name, at.NDCG, at.Recall, r.MRR, at.Coverage, at.Novelty)
	}
	row(fmt.Sprintf("version %d", found.Candidate.Version), found.Candidate.Result)
	if found.Active != nil {
		row(fmt.Sprintf("version %d, active before", found.Active.Version), found.Active.Result)
	}
	if found.Neighbours != nil {
		row("item kNN", *found.Neighbours)
	}
	row("most popular", found.Popularity)
	row("random", found.Random)
	columns.Flush()
	lines := strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
	return "  " + strings.Join(lines, "\n  ")
}
