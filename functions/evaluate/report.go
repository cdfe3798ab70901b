package main

import (
	"bytes"
	"context"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/evaluation"
	"recsys/shared/store/objectstore"
)

func (m *measurement) report(candidate evaluation.Contender, popularity, random evaluation.Result, active *evaluation.Contender,
	training lake.Training, decision evaluation.Decision) *evaluation.Report {
	report := &evaluation.Report{
		Run: m.run.ID, Snapshot: m.snapshot.Name,
		EvaluatedAt: m.run.StartedAt, // and not the clock's time: a second attempt writes the same report
		HoldOut: evaluation.HoldOut{
			Seed: m.handler.HeldOut.Seed, Fraction: m.handler.HeldOut.Fraction, Remaining: len(m.train.Columns),
		},
		Loss:      training.Loss,
		Candidate: candidate, Active: active, Popularity: popularity, Random: random, Decision: decision, Remarks: m.remarks,
	}
	for _, option := range training.Options {
		report.Options = append(report.Options, evaluation.Option(option))
	}
	return report
}

// writeReport puts the report into the lake, for programs and for people, and returns the page's address.
func (h *Handler) writeReport(ctx context.Context, run workflow.Run, report *evaluation.Report) (page string, err error) {
	var text, html bytes.Buffer
	if err := report.WriteJSON(&text); err != nil {
		return "", err
	}
	if err := report.WriteHTML(&html); err != nil {
		return "", err
	}
	if _, err := h.Lake.Put(ctx, lake.EvaluationReportKey(run.ID), bytes.NewReader(text.Bytes()), objectstore.ContentType("application/json")); err != nil {
		return "", err
	}
	key := lake.EvaluationPageKey(run.ID)
	_, err = h.Lake.Put(ctx, key, bytes.NewReader(html.Bytes()), objectstore.ContentType("text/html; charset=utf-8"))
	return h.Lake.URI(key), err
}

// outcome is the report in short.
func outcome(report *evaluation.Report, page string) evaluated {
	out := workflow.Evaluated{
		Status: "passed", Promote: report.Decision.Promote, Version: report.Candidate.Version, Reason: report.Decision.Reason,
		NDCG10: report.Candidate.Result.NDCG10(), Popularity10: report.Popularity.NDCG10(), Random10: report.Random.NDCG10(), Report: page,
	}
	figures := map[string]evaluation.Result{
		"candidate": report.Candidate.Result, "popularity": report.Popularity, "random": report.Random,
	}
	if report.Active != nil {
		out.Active10 = report.Active.Result.NDCG10()
		figures["active"] = report.Active.Result
	}
	switch {
	case !report.Decision.Promote:
		out.Status = "not-promoted"
	case !report.Decision.Passed:
		out.Status = "reported"
	}
	return evaluated{out, figures}
}
