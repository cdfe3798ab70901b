package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/evaluation"
	"recsys/shared/runtime/metrics"
	"recsys/shared/shop/interactions"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// measurement is one evaluation under way.
type measurement struct {
	handler   *Handler
	run       workflow.Run
	candidate contender
	active    *contender // nil: there is none to compare with
	activeSaw bool       // it was trained on the hold-out
	rule      lake.HoldOut
	snapshot  *interactions.Snapshot // without its pairs
	evaluation.HoldOut
	popularity []float64
	remarks    []string
}

// contender is a version that is measured.
type contender struct {
	vectorstore.Record
	training lake.Training // the zero value if it was handed over
}

// measure measures the version and all that it is compared with, and writes the report.
func (m *measurement) measure(ctx context.Context) (evaluated, error) {
	if err := m.remarkOnHandOver(m.candidate.Record); err != nil {
		return evaluated{}, err
	}
	candidate, err := m.figures(ctx, m.candidate)
	if err != nil {
		return evaluated{}, err
	}
	by, err := m.references(ctx)
	if err != nil {
		return evaluated{}, err
	}
	decision, err := m.handler.gate(m.candidate.Record).Decide(candidate, by)
	if err != nil {
		return evaluated{}, err
	}
	report := m.report(candidate, by, decision)
	page, err := m.handler.writeReport(ctx, m.run, report)
	if err != nil {
		return evaluated{}, err
	}
	send(ctx, candidate.Result)
	return outcome(report, page), nil
}

// references measures all that the version is compared with.
func (m *measurement) references(ctx context.Context) (by evaluation.References, err error) {
	if by.Popularity, err = m.evaluate(ctx, evaluation.Popularity(m.popularity)); err != nil {
		return by, err
	}
	if by.Random, err = m.evaluate(ctx, evaluation.Random(m.handler.HeldOut.Seed)); err != nil {
		return by, err
	}
	if by.Neighbours, err = m.measureNeighbours(ctx); err != nil {
		return by, err
	}
	by.Active, err = m.measureActive(ctx)
	return by, err
}

// remarkOnHandOver says in the report how the version's artifacts compare with the shop, as its load found.
func (m *measurement) remarkOnHandOver(version vectorstore.Record) error {
	if version.Compared == nil {
		return nil
	}
	var compared workflow.Compared
	if err := json.Unmarshal(version.Compared, &compared); err != nil {
		return fmt.Errorf("reading how version %d compares with the shop: %w", version.Version, err)
	}
	if agreeing := compared.ModelChecked - compared.ModelDiffers; compared.ModelChecked > 0 {
		m.remark("The model gives the vectors that were handed over for %d of %d sampled customers.", agreeing, compared.ModelChecked)
	}
	if compared.Note != "" {
		m.remarks = append(m.remarks, compared.Note)
	}
	return nil
}

// send makes the candidate's figures metrics.
func send(ctx context.Context, of evaluation.Result) {
	at := of.At[1]
	for name, value := range map[string]float64{
		metrics.NDCG: at.NDCG, metrics.HeldOutRecall: at.Recall, metrics.MRR: of.MRR, metrics.Coverage: at.Coverage, metrics.Novelty: at.Novelty,
	} {
		metrics.Ratio(ctx, name, value)
	}
}

// figures measures a version.
func (m *measurement) figures(ctx context.Context, of contender) (c evaluation.Contender, err error) {
	c = evaluation.Contender{Version: of.Version, Origin: evaluation.HandedOver, MayHaveSeen: m.mayHaveSeen(of)}
	if of.Origin == vectorstore.Trained {
		c.Origin = evaluation.Trained
	}
	scorer, err := m.scorer(ctx, of)
	if err != nil {
		return c, err
	}
	c.Result, err = m.evaluate(ctx, scorer)
	return c, err
}

// measureActive measures the active version. It returns nil if there is none that can be measured: an active version
// answers from the database without its files.
func (m *measurement) measureActive(ctx context.Context) (*evaluation.Contender, error) {
	if m.active == nil {
		return nil, nil
	}
	measured, err := m.figures(ctx, *m.active)
	if isUnmeasurable(err) {
		m.remarkUnmeasurable(ctx, m.active.Version, err)
		return nil, nil
	}
	return &measured, err
}

func isUnmeasurable(err error) bool {
	return errors.Is(err, objectstore.ErrNotFound) || errors.Is(err, failure.InvalidEmbeddings)
}

func (m *measurement) remarkUnmeasurable(ctx context.Context, version int64, err error) {
	slog.WarnContext(ctx, "the active version cannot be measured", "version", version, "error", err)
	m.remark("Version %d, which is active, cannot be measured: its files are gone or damaged. The candidate is compared with the baselines alone.", version)
}

func (m *measurement) remark(format string, args ...any) {
	m.remarks = append(m.remarks, fmt.Sprintf(format, args...))
}

func (m *measurement) evaluate(ctx context.Context, scorer evaluation.Scorer) (evaluation.Result, error) {
	return evaluation.Evaluate(ctx, m.HoldOut, scorer, 0)
}
