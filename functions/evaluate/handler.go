// Command evaluate measures a loaded version on ratings that were held out of its training. It compares it with the most
// popular items, random ones, item kNN and the active version, writes the report, and decides if the version may become active.
//
// Input: workflow.EvaluateInput. Output: workflow.Evaluated. Reads the newest snapshot, and the embeddings of the
// version and of the active one, under lake.VersionPrefix. Writes lake.EvaluationReportKey, lake.EvaluationPageKey,
// and the evaluation in the version's row. It drops the tables and deletes the artifacts of a refused version.
// Errors: InvalidInput, SchemaMismatch, InvalidEmbeddings. Retried: ObjectStoreUnavailable, VectorStoreUnavailable.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/evaluation"
	"recsys/shared/runtime/metrics"
	"recsys/shared/shop/interactions"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// Handler evaluates versions.
type Handler struct {
	Lake      *objectstore.Store
	Artifacts *objectstore.Store
	DB        *pgxpool.Pool
	HeldOut   lake.HoldOut
	// MaxCustomers is about the number of customers that measure a version. Of more, a sample is drawn, because an
	// evaluation has to end in time. 0: all.
	MaxCustomers int
	// Trained and HandedOver are the gates, by where a version's artifacts come from.
	Trained, HandedOver evaluation.Gate
}

// Handle evaluates one version. The row keeps the outcome: a run that is tried again ends with the same.
func (h *Handler) Handle(ctx context.Context, in workflow.EvaluateInput) (workflow.Evaluated, error) {
	if err := in.Validate(); err != nil {
		return workflow.Evaluated{}, err
	}
	version, found, err := vectorstore.OfVersion(ctx, h.DB, in.Version)
	if err != nil {
		return workflow.Evaluated{}, err
	}
	if !found || version.Status == vectorstore.Loading || version.Status == vectorstore.Failed && version.Evaluation == nil {
		return workflow.Evaluated{}, failure.Invalidf("version %d has not been loaded, or has failed", in.Version)
	}
	if superseded, err := h.superseded(ctx, version); err != nil || superseded {
		return workflow.Evaluated{Status: "superseded", Promote: true, Version: in.Version, Reason: "A newer version is active."}, err
	}
	out, err := h.outcome(ctx, in.Run, version)
	if err != nil || out.Promote {
		return out, err
	}
	metrics.Count(ctx, metrics.NotPromoted, 1)
	return out, h.discard(ctx, version, out.Reason)
}

// superseded is true of a version that a newer one has overtaken: it may be dropped already, and never answers.
func (h *Handler) superseded(ctx context.Context, version vectorstore.Record) (bool, error) {
	active, found, err := vectorstore.Current(ctx, h.DB)
	return found && version.Status == vectorstore.Loaded && active.Version > version.Version, err
}

// outcome is in the version's row, or is measured now.
func (h *Handler) outcome(ctx context.Context, run workflow.Run, version vectorstore.Record) (out workflow.Evaluated, err error) {
	if version.Evaluation != nil {
		if err := json.Unmarshal(version.Evaluation, &out); err != nil {
			return out, fmt.Errorf("reading the evaluation of version %d: %w", version.Version, err)
		}
		return out, nil
	}
	evaluated, err := h.evaluate(ctx, run, version)
	if err != nil {
		return workflow.Evaluated{}, err
	}
	out = evaluated.Evaluated
	slog.InfoContext(ctx, "evaluated", "version", out.Version, "status", out.Status, "ndcg10", out.NDCG10, "popularity10", out.Popularity10,
		"random10", out.Random10, "active10", out.Active10, "reason", out.Reason)
	return out, vectorstore.SetEvaluation(ctx, h.DB, version.Version, evaluated)
}

// discard leaves nothing of a version that was refused but its row and its report.
func (h *Handler) discard(ctx context.Context, version vectorstore.Record, why string) error {
	return vectorstore.Discard(ctx, h.DB, version.Version, version.Artifacts, "not promoted: "+why, func() error {
		_, err := h.Artifacts.DeletePrefix(ctx, lake.VersionPrefix(version.Version))
		return err
	})
}

// evaluated is the outcome with all figures, for the version's row.
type evaluated struct {
	workflow.Evaluated
	Figures map[string]evaluation.Result `json:"figures,omitempty"` // of "candidate", "popularity", "random", "neighbours" and "active"
}

func (h *Handler) evaluate(ctx context.Context, run workflow.Run, version vectorstore.Record) (evaluated, error) {
	latest, err := interactions.Latest(ctx, h.Lake)
	if errors.Is(err, interactions.ErrNoSnapshot) {
		return evaluated{Evaluated: h.unmeasured(version)}, nil
	}
	if err != nil {
		return evaluated{}, err
	}
	manifest, err := interactions.ReadManifest(ctx, h.Lake, latest.Snapshot)
	if err != nil {
		return evaluated{}, err
	}
	m := measurement{handler: h, run: run}
	if err := m.prepare(ctx, version, manifest); err != nil {
		return evaluated{}, err
	}
	return m.measure(ctx)
}

// unmeasured is the outcome where no training data is published: artifacts can be handed over before any is.
func (h *Handler) unmeasured(version vectorstore.Record) workflow.Evaluated {
	out := workflow.Evaluated{
		Status: "not-evaluated", Version: version.Version, Promote: h.gate(version).Mode != evaluation.Enforce,
		Reason: "No training data is published, so there is nothing to measure the version with.",
	}
	if !out.Promote {
		out.Status = "not-promoted"
	}
	return out
}

func (h *Handler) gate(version vectorstore.Record) evaluation.Gate {
	if version.Origin == vectorstore.Trained {
		return h.Trained
	}
	return h.HandedOver
}
