// Command train learns embeddings of customers and items from the newest snapshot. The method is implicit alternating
// least squares (package als), with a linear map that gives unseen customers and unrated products a vector. First it
// searches the options that rank the shop's own ratings best (package search). Then it fits twice: without the
// held-out ratings, for evaluate to measure, and on everything, to answer with.
//
// Input: workflow.TrainInput. Output: workflow.Trained. Reads lake.LatestKey and the snapshot, and lake.SuccessKey,
// to see if anything is handed over. Writes: lake.TrainingPlanKey (once), lake.CheckpointKey after each iteration,
// lake.TrainedArtifacts under lake.TrainedPrefix of the run, where they start no other run, lake.NeighbourArtifacts if neighbours
// rank next to the vectors, and lake.TrainedKey last.
// Errors: InvalidInput, SchemaMismatch. Retried: OutOfTime, ObjectStoreUnavailable (an attempt goes on after the last checkpoint and
// ends with the same bytes).
package main

import (
	"context"
	"errors"
	"log/slog"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/als"
	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/search"
	"recsys/shared/runtime/metrics"
	"recsys/shared/runtime/step"
	"recsys/shared/shop/interactions"
	"recsys/shared/store/objectstore"
)

// Handler trains models.
type Handler struct {
	Lake      *objectstore.Store
	Artifacts *objectstore.Store
	// ByDefault trains where the execution's input does not say whether to.
	ByDefault bool
	HeldOut   lake.HoldOut
	Options   als.Options
	// Neighbours is the item-item model that ranks next to the vectors: settings.Search.ItemNeighbours.
	Neighbours string
	// Search looks for better options than Options on the ratings that are not held out.
	Search bool
	// Memory is the function's, in bytes. 0: the search does not bound its candidates by it.
	Memory int64
}

// Fewer than these teach nothing.
const (
	minCustomers = 2
	minItems     = 2
	minRatings   = 10
)

// maxNote bounds the small objects that an earlier attempt has left, in bytes.
const maxNote = 1 << 20

// Handle trains a model, or says by a status why it does not. A run that is tried again goes on where it stopped.
func (h *Handler) Handle(ctx context.Context, in workflow.TrainInput) (workflow.Trained, error) {
	if err := in.Validate(); err != nil {
		return workflow.Trained{}, err
	}
	var done workflow.Trained
	switch _, err := h.Lake.GetJSON(ctx, lake.TrainedKey(in.ID), maxNote, &done); {
	case err == nil:
		h.removeCheckpoints(ctx, in.ID)
		return done, nil
	case !errors.Is(err, objectstore.ErrNotFound):
		return workflow.Trained{}, err
	}
	why, err := h.refuse(ctx, in)
	if err != nil {
		return workflow.Trained{}, err
	}
	if why != "" {
		slog.InfoContext(ctx, "nothing is trained", "run", in.ID, "status", why)
		return workflow.Trained{Status: why}, nil
	}
	plan, err := h.plan(ctx, in.Run)
	if errors.Is(err, interactions.ErrNoSnapshot) {
		slog.InfoContext(ctx, "nothing is trained", "run", in.ID, "reason", err)
		return workflow.Trained{Status: "no-training-data"}, nil
	}
	if err != nil {
		return workflow.Trained{}, err
	}
	return h.train(ctx, in, plan)
}

// refuse says by a status of workflow.Trained why this run trains nothing, or "" where it does. Without a word in the
// input a run of all stages trains, but not past a person who hands over models of their own.
func (h *Handler) refuse(ctx context.Context, in workflow.TrainInput) (status string, err error) {
	asked, err := workflow.ParseInput(in.Input)
	if err != nil {
		return "", err
	}
	if asked.Train != nil && *asked.Train {
		return "", nil
	}
	if asked.Train != nil || !h.ByDefault || asked.Stages == "embeddings" {
		return "not-asked", nil
	}
	_, err = h.Artifacts.Head(ctx, lake.SuccessKey)
	if errors.Is(err, objectstore.ErrNotFound) {
		return "", nil
	}
	return "handed-over", err
}

// plan names a run's snapshot for training: lake.TrainingPlanKey.
type plan struct {
	workflow.Run
	Snapshot string `json:"snapshot"`
}

// plan is written by the run's first attempt: a snapshot that is published meanwhile changes nothing.
func (h *Handler) plan(ctx context.Context, run workflow.Run) (p plan, err error) {
	_, err = h.Lake.GetJSON(ctx, lake.TrainingPlanKey(run.ID), maxNote, &p)
	if !errors.Is(err, objectstore.ErrNotFound) {
		return p, err
	}
	latest, err := interactions.Latest(ctx, h.Lake)
	if err != nil {
		return p, err
	}
	p = plan{run, latest.Snapshot}
	_, err = h.Lake.PutJSON(ctx, lake.TrainingPlanKey(run.ID), p, objectstore.IfAbsent())
	if errors.Is(err, objectstore.ErrPrecondition) { // by an attempt that is still at work
		_, err = h.Lake.GetJSON(ctx, lake.TrainingPlanKey(run.ID), maxNote, &p)
	}
	return p, err
}

// train fits twice and writes the artifacts, and last of all that they are there.
func (h *Handler) train(ctx context.Context, in workflow.TrainInput, plan plan) (workflow.Trained, error) {
	snapshot, heldOut, err := h.read(ctx, plan.Snapshot)
	if errors.Is(err, objectstore.ErrNotFound) {
		return workflow.Trained{}, failure.Invalidf("snapshot %s was removed while run %s trained on it: start another run (%w)", plan.Snapshot, plan.ID, err)
	}
	if err != nil {
		return workflow.Trained{}, err
	}
	ratings := snapshot.Ratings
	if len(snapshot.Customers) < minCustomers || len(snapshot.Items) < minItems || len(ratings.Columns) < minRatings {
		slog.WarnContext(ctx, "too few ratings to train on", "snapshot", snapshot.Name, "ratings", len(ratings.Columns))
		return workflow.Trained{Status: "too-few-ratings", Snapshot: snapshot.Name}, nil
	}
	w := work{h, plan, knownOf(snapshot), output{h.Artifacts, plan.ID, snapshot}, heldOut}
	options, tried, err := h.choose(ctx, plan, snapshot, w.known.with(snapshot.Parts[0].Train), heldOut)
	if err != nil {
		return workflow.Trained{}, err
	}
	neighbours := h.neighbours(tried)
	if err := w.measured(ctx, options, neighbours, tried); err != nil {
		return workflow.Trained{}, err
	}
	losses, err := w.served(ctx, options, neighbours)
	if err != nil {
		return workflow.Trained{}, err
	}
	if why, err := h.overtaken(ctx, in, plan); err != nil || why != "" {
		slog.InfoContext(ctx, "the trained model is no longer wanted", "run", plan.ID, "status", why)
		return workflow.Trained{Status: why, Snapshot: snapshot.Name}, err
	}
	return h.finish(ctx, plan, snapshot, losses)
}

// work is what both halves of a training share.
type work struct {
	*Handler
	plan    plan
	known   known
	out     output
	heldOut lake.HoldOut
}

// measured writes the artifacts that evaluate measures: without the held-out ratings, and how they came about.
func (w work) measured(ctx context.Context, options als.Options, neighbours *lake.Neighbours, tried *lake.Search) error {
	snapshot, rest := w.known.snapshot, w.known.snapshot.Parts[0].Train
	factors, losses, err := w.fit(ctx, w.plan, forEvaluation, w.known.with(rest), options)
	if err != nil {
		return err
	}
	if err := w.out.vectors(ctx, lake.EvaluationItemsKey, lake.EvaluationUsersKey, factors); err != nil {
		return err
	}
	if err := w.writeNeighbours(ctx, forEvaluation, rest, neighbours); err != nil {
		return err
	}
	return w.out.training(ctx, lake.Training{
		HeldOut: w.heldOut, Options: described(options, neighbours), Loss: losses, Search: tried, Shop: snapshot.Shop.Hash, Neighbours: neighbours,
		Customers: len(snapshot.Customers), Items: len(snapshot.Items), Ratings: int64(len(snapshot.Ratings.Columns)),
	})
}

// served writes the artifacts that answer customers, from all ratings, and returns the losses.
func (w work) served(ctx context.Context, options als.Options, neighbours *lake.Neighbours) ([]float64, error) {
	ratings := w.known.snapshot.Ratings
	factors, losses, err := w.fit(ctx, w.plan, forServing, w.known.with(ratings), options)
	if err != nil {
		return nil, err
	}
	if err := w.out.vectors(ctx, lake.ItemEmbeddingsKey, lake.UserEmbeddingsKey, factors); err != nil {
		return nil, err
	}
	if err := w.out.model(ctx, w.known.encoders, factors); err != nil {
		return nil, err
	}
	return losses, w.writeNeighbours(ctx, forServing, ratings, neighbours)
}

// read reads the snapshot with all of its interactions and without the held-out ones, and returns how they are held out.
func (h *Handler) read(ctx context.Context, name string) (*interactions.Snapshot, lake.HoldOut, error) {
	manifest, err := interactions.ReadManifest(ctx, h.Lake, name)
	if err != nil {
		return nil, lake.HoldOut{}, err
	}
	heldOut := h.HeldOut.In(manifest)
	wanted := interactions.Wanted{Ratings: true, HoldOuts: []lake.HoldOut{heldOut}}
	if h.Search && heldOut.By == lake.ByTime {
		wanted.Validations = search.TimeShares[:search.FoldsOf(int(manifest.Rows))]
	}
	snapshot, err := interactions.Read(ctx, h.Lake, manifest, wanted)
	if err != nil || heldOut.By != lake.ByTime || judges(snapshot) >= evaluation.Fewest {
		return snapshot, heldOut, err
	}
	slog.InfoContext(ctx, "hardly any customer came twice: pairs are held out by hash", "snapshot", name, "customers", judges(snapshot))
	wanted = interactions.Wanted{Ratings: true, HoldOuts: []lake.HoldOut{h.HeldOut}}
	snapshot, err = interactions.Read(ctx, h.Lake, manifest, wanted)
	return snapshot, h.HeldOut, err
}

// judges returns the number of customers that a model can be judged by.
func judges(snapshot *interactions.Snapshot) int {
	return evaluation.HoldOut{Train: snapshot.Parts[0].Train, HeldOut: snapshot.Parts[0].HeldOut}.Customers()
}

// overtaken reports why a model trained by default is no longer wanted, as a status of workflow.Trained. Either a person has
// handed one over, or a newer snapshot is published and its own run will train.
func (h *Handler) overtaken(ctx context.Context, in workflow.TrainInput, plan plan) (status string, err error) {
	asked, err := workflow.ParseInput(in.Input)
	if err != nil || asked.Train != nil {
		return "", err
	}
	if status, err = h.refuse(ctx, in); err != nil || status != "" {
		return status, err
	}
	latest, err := interactions.Latest(ctx, h.Lake)
	if err == nil && latest.Snapshot != plan.Snapshot {
		status = "superseded"
	}
	return status, err
}

// finish notes that all is there.
func (h *Handler) finish(ctx context.Context, plan plan, snapshot *interactions.Snapshot, losses []float64) (workflow.Trained, error) {
	out := workflow.Trained{
		Status: "trained", Artifacts: lake.TrainedPrefix(plan.ID), Snapshot: snapshot.Name,
		Customers: len(snapshot.Customers), Items: len(snapshot.Items), Ratings: int64(len(snapshot.Ratings.Columns)),
		Iterations: len(losses), Loss: losses[len(losses)-1],
	}
	if _, err := h.Lake.PutJSON(ctx, lake.TrainedKey(plan.ID), out); err != nil {
		return workflow.Trained{}, err
	}
	h.removeCheckpoints(ctx, plan.ID)
	metrics.Count(ctx, metrics.Rows, out.Ratings)
	slog.InfoContext(ctx, "trained", "run", plan.ID, "snapshot", out.Snapshot, "customers", out.Customers, "items", out.Items,
		"ratings", out.Ratings, "iterations", out.Iterations, "loss", out.Loss)
	return out, nil
}

// removeCheckpoints removes objects that only a further attempt would have needed.
func (h *Handler) removeCheckpoints(ctx context.Context, run string) {
	tidying, stop := step.Tidying(ctx)
	defer stop()
	if _, err := h.Lake.DeletePrefix(tidying, lake.CheckpointsPrefix(run)); err != nil {
		slog.WarnContext(ctx, "checkpoints are left to expire", "run", run, "error", err)
	}
}
