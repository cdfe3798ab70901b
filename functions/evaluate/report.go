package main

import (
	"bytes"
	"context"

	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/evaluation/report"
	"recsys/shared/store/objectstore"
)

func (m *measurement) report(candidate evaluation.Contender, by evaluation.References, decision evaluation.Decision) *report.Report {
	training := m.candidate.training
	found := &report.Report{
		Run: m.run.ID, Snapshot: m.snapshot.Name,
		EvaluatedAt: m.run.StartedAt, // and not the clock's time: a second attempt writes the same report
		HoldOut: report.HoldOut{
			Seed: m.rule.Seed, Fraction: m.rule.Fraction, By: m.rule.By, Until: m.rule.Until, Remaining: len(m.Train.Columns),
		},
		Shop: report.Shop{Customers: len(m.snapshot.Customers), Products: len(m.snapshot.Items), Interactions: m.snapshot.Kinds},
		Loss: training.Loss, Search: training.Search,
		Candidate: candidate, Active: by.Active, Popularity: by.Popularity, Random: by.Random, Neighbours: by.Neighbours,
		Decision: decision, Remarks: m.remarks,
	}
	for _, option := range training.Options {
		found.Options = append(found.Options, report.Option(option))
	}
	return found
}

// writeReport puts the report into the lake, for programs and for people, and returns the page's address.
func (h *Handler) writeReport(ctx context.Context, run workflow.Run, found *report.Report) (page string, err error) {
	var text, html bytes.Buffer
	if err := found.WriteJSON(&text); err != nil {
		return "", err
	}
	if err := found.WriteHTML(&html); err != nil {
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
func outcome(found *report.Report, page string) evaluated {
	out := workflow.Evaluated{
		Status: "passed", Promote: found.Decision.Promote, Version: found.Candidate.Version, Reason: found.Decision.Reason,
		NDCG10: found.Candidate.Result.NDCG10(), Popularity10: found.Popularity.NDCG10(), Random10: found.Random.NDCG10(), Report: page,
	}
	figures := map[string]evaluation.Result{
		"candidate": found.Candidate.Result, "popularity": found.Popularity, "random": found.Random,
	}
	if found.Neighbours != nil {
		figures["neighbours"] = *found.Neighbours
	}
	if found.Active != nil {
		out.Active10 = found.Active.Result.NDCG10()
		figures["active"] = found.Active.Result
	}
	switch {
	case !found.Decision.Promote:
		out.Status = "not-promoted"
	case !found.Decision.Passed:
		out.Status = "reported"
	}
	return evaluated{out, figures}
}
