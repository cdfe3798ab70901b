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
	"recsys/shared/learn/sparse"
	"recsys/shared/runtime/metrics"
	"recsys/shared/shop/interactions"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// measurement is one evaluation under way.
type measurement struct {
	handler        *Handler
	run            workflow.Run
	snapshot       *interactions.Snapshot // without its ratings
	train, heldOut *sparse.Matrix
	remarks        []string
}

// of measures the version and all that it is compared with, and writes the report.
func (m *measurement) of(ctx context.Context, version vectorstore.Record) (evaluated, error) {
	if err := m.remarkOnHandOver(version); err != nil {
		return evaluated{}, err
	}
	candidate, training, err := m.contender(ctx, version)
	if err != nil {
		return evaluated{}, err
	}
	popularity, err := m.evaluate(ctx, evaluation.Popularity(m.train))
	if err != nil {
		return evaluated{}, err
	}
	random, err := m.evaluate(ctx, evaluation.Random(m.handler.HeldOut.Seed))
	if err != nil {
		return evaluated{}, err
	}
	active, err := m.active(ctx, version)
	if err != nil {
		return evaluated{}, err
	}
	decision, err := m.handler.gate(version).Decide(candidate, popularity, random, active)
	if err != nil {
		return evaluated{}, err
	}
	report := m.report(candidate, popularity, random, active, training, decision)
	page, err := m.handler.writeReport(ctx, m.run, report)
	if err != nil {
		return evaluated{}, err
	}
	send(ctx, candidate.Result)
	return outcome(report, page), nil
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
		m.remarks = append(m.remarks, fmt.Sprintf("The model gives the vectors that were handed over for %d of %d sampled customers.", agreeing, compared.ModelChecked))
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

// sample has about so many customers to measure by, drawn by a hash of their ids, if there are more.
func (m *measurement) sample(customers int) {
	all := len(m.snapshot.Customers)
	if customers == 0 || all <= customers {
		return
	}
	fraction := float64(customers) / float64(all)
	m.heldOut = m.heldOut.Thin(func(row int) bool {
		return sparse.HeldOut(m.handler.HeldOut.Seed, fraction, m.snapshot.Customers[row].ID, "")
	})
	m.remarks = append(m.remarks, fmt.Sprintf("Measured by a sample of about %d of %d customers.", customers, all))
}

// contender measures a version. Its training is the zero value where it was handed over.
func (m *measurement) contender(ctx context.Context, version vectorstore.Record) (c evaluation.Contender, training lake.Training, err error) {
	c = evaluation.Contender{Version: version.Version, Origin: evaluation.HandedOver, MayHaveSeen: true}
	if version.Origin == vectorstore.Trained {
		if _, err := m.handler.Artifacts.GetJSON(ctx, lake.VersionKey(version.Version, lake.TrainingKey), maxTraining, &training); err != nil {
			return c, training, err
		}
		c.Origin, c.MayHaveSeen = evaluation.Trained, training.HeldOut != m.handler.HeldOut
	}
	scorer, err := m.handler.scorer(ctx, version, m.snapshot)
	if err != nil {
		return c, training, err
	}
	c.Result, err = m.evaluate(ctx, scorer)
	return c, training, err
}

// maxTraining bounds lake.TrainingKey, in bytes.
const maxTraining = 1 << 20

// active measures the active version. It returns nil if there is none but the candidate itself, or none that can be
// measured: an active version answers from the database without its files.
func (m *measurement) active(ctx context.Context, candidate vectorstore.Record) (*evaluation.Contender, error) {
	version, found, err := vectorstore.Current(ctx, m.handler.DB)
	if err != nil || !found || version.Version == candidate.Version {
		return nil, err
	}
	contender, _, err := m.contender(ctx, version)
	if errors.Is(err, objectstore.ErrNotFound) || errors.Is(err, failure.InvalidEmbeddings) {
		slog.WarnContext(ctx, "the active version cannot be measured", "version", version.Version, "error", err)
		m.remarks = append(m.remarks, fmt.Sprintf("Version %d, which is active, cannot be measured: its files are gone or damaged. The candidate is compared with the baselines alone.", version.Version))
		return nil, nil
	}
	return &contender, err
}

func (m *measurement) evaluate(ctx context.Context, scorer evaluation.Scorer) (evaluation.Result, error) {
	return evaluation.Evaluate(ctx, m.train, m.heldOut, scorer, 0)
}
