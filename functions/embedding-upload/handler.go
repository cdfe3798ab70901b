// Command embedding-upload turns the artifacts that the run has trained, or that a data scientist handed over, into a new
// version of the vector database. The version is not yet active: evaluate measures it, and vector-index indexes and
// activates it.
//
// Input: workflow.UploadInput. Output: workflow.Uploaded. Reads lake.TrainedArtifacts, or lake.HandedOver. Reads
// lake.LatestKey, and of its snapshot lake.ManifestKey (the shop), lake.PopularityKey, every lake.RangeKey (the pairs of
// customer and item) and lake.ProductsKey (lines and stock). Writes lake.VersionKey copies of the artifacts, lake.CatalogueKey next
// to them, and the version's row and tables. Deletes the copies of a version that fails. Errors: InvalidInput, SchemaMismatch, InvalidEmbeddings.
// Retried: HandOverUnderway, Overtaken, ObjectStoreUnavailable, VectorStoreUnavailable.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/metrics"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// Handler loads versions.
type Handler struct {
	Artifacts *objectstore.Store
	Lake      *objectstore.Store
	DB        *pgxpool.Pool
	Metric    distance.Metric // of handed-over embeddings
	// EnforceModelCheck refuses a model that does not give the vectors that were handed over with it.
	EnforceModelCheck bool
}

// trainedMetric belongs to the embeddings of functions/train: an inner product is the preference that it predicts.
// Cosine with one more dimension, which brings all items to one length, gives the same order but was measured to be
// worse. With 12,000 items recall@10 is 0.96 at an ef_search of 20 by inner product, and at most 0.88 by cosine
// (functions/vector-index, TestTrainedVectorsAreFoundByInnerProduct).
const trainedMetric = distance.InnerProduct

// Handle loads the run's trained artifacts, or else the handed-over ones. It loads nothing if these are the active
// version already, or one that was rolled back. A run that is tried again gets the same version.
func (h *Handler) Handle(ctx context.Context, in workflow.UploadInput) (workflow.Uploaded, error) {
	if err := in.Validate(); err != nil {
		return workflow.Uploaded{}, err
	}
	// This comes first, for every outcome of the run: the active version must know the purchases and the stock.
	if err := h.refresh(ctx, in.Refresh); err != nil {
		return workflow.Uploaded{}, err
	}
	if in.Refresh {
		return workflow.Uploaded{Status: "refreshed"}, nil
	}
	earlier, tried, err := vectorstore.OfRun(ctx, h.DB, in.ID)
	if err != nil {
		return workflow.Uploaded{}, err
	}
	if tried && earlier.Status != vectorstore.Loading && earlier.Status != vectorstore.Failed {
		return uploaded("uploaded", earlier)
	}
	handOver, metric, nothing, err := h.find(ctx, in.Artifacts)
	if err != nil {
		return workflow.Uploaded{}, err
	}
	if nothing != "" {
		slog.InfoContext(ctx, "nothing is loaded", "run", in.ID, "status", nothing)
		return workflow.Uploaded{Status: nothing}, h.giveUp(ctx, earlier)
	}
	latest, err := latestSnapshot(ctx, h.Lake)
	if err != nil {
		return workflow.Uploaded{}, err
	}
	defer latest.Close()
	same, found, err := vectorstore.SameArtifacts(ctx, h.DB, handOver.etags(), metric, latest.of())
	if err != nil {
		return workflow.Uploaded{}, err
	}
	if !found {
		return h.upload(ctx, in.Run, handOver, metric, latest)
	}
	if err := h.giveUp(ctx, earlier); err != nil {
		return workflow.Uploaded{}, err
	}
	return h.unchanged(ctx, same)
}

// find finds the artifacts to load and their metric, or says by a status of workflow.Uploaded why there are none.
func (h *Handler) find(ctx context.Context, prefix string) (found handOver, metric distance.Metric, nothing string, err error) {
	if prefix != "" {
		found, err = trained(ctx, h.Artifacts, prefix)
		return found, trainedMetric, "", err
	}
	found, nothing, err = look(ctx, h.Artifacts)
	return found, h.Metric, nothing, err
}

// giveUp ends the version that an earlier attempt of the run was loading. After a new hand-over it never becomes
// whole.
func (h *Handler) giveUp(ctx context.Context, earlier vectorstore.Record) error {
	if earlier.Status != vectorstore.Loading {
		return nil
	}
	return h.fail(ctx, earlier.Version, earlier.Artifacts, "its artifacts were handed over anew while it was loaded")
}

// fail records why a version never will answer, and leaves nothing of it. The same artifacts are tried again by
// the next run, under another number, and refused with the same words for as long as they lie there.
func (h *Handler) fail(ctx context.Context, version int64, artifacts map[string]string, why string) error {
	return vectorstore.Discard(ctx, h.DB, version, artifacts, why, func() error {
		_, err := h.Artifacts.DeletePrefix(ctx, lake.VersionPrefix(version))
		return err
	})
}

// unchanged keeps the active version. same is the version of the artifacts: the active
// one, one that was rolled back, or a hand-over that a trained version has replaced.
func (h *Handler) unchanged(ctx context.Context, same vectorstore.Record) (workflow.Uploaded, error) {
	active, _, err := vectorstore.Current(ctx, h.DB)
	if err != nil {
		return workflow.Uploaded{}, err
	}
	if same.RolledBack && same.Version != active.Version {
		slog.WarnContext(ctx, "these artifacts were rolled back and are not loaded again: hand over others",
			"rolledBack", same.Version, "active", active.Version)
		return workflow.Uploaded{Status: "rolled-back", Version: same.Version}, nil
	}
	slog.InfoContext(ctx, "the artifacts have not changed", "active", active.Version)
	return uploaded("unchanged", active)
}

func (h *Handler) upload(ctx context.Context, run workflow.Run, handOver handOver, metric distance.Metric, latest *snapshot) (workflow.Uploaded, error) {
	version, err := vectorstore.Allocate(ctx, h.DB, run.ID, metric, handOver.etags(), handOver.hasModel())
	if err != nil {
		return workflow.Uploaded{}, err
	}
	loaded, err := h.fill(ctx, version, handOver, metric, latest)
	if isInvalid(err) {
		if failing := h.fail(ctx, version, handOver.etags(), err.Error()); failing != nil {
			return workflow.Uploaded{}, failing // tried again: it ends with err and a record of it
		}
	}
	if err != nil {
		return workflow.Uploaded{}, err
	}
	metrics.Count(ctx, metrics.Rows, loaded.ItemCount+loaded.UserCount)
	slog.InfoContext(ctx, "loaded", "version", version, "items", loaded.ItemCount, "users", loaded.UserCount,
		"dimension", loaded.Dimension, "model", handOver.hasModel(), "trained", handOver.isTrained())
	return uploaded("uploaded", loaded)
}

// fill copies the artifacts to the version and loads the copies: the originals may change at any time.
func (h *Handler) fill(ctx context.Context, version int64, handOver handOver, metric distance.Metric, latest *snapshot) (vectorstore.Record, error) {
	copies, err := handOver.copyTo(ctx, h.Artifacts, version)
	if err != nil {
		return vectorstore.Record{}, err
	}
	against, err := h.compare(ctx, handOver, latest)
	if err != nil {
		return vectorstore.Record{}, err
	}
	return load(ctx, h.DB, copies, handOver, metric, against, latest.rows())
}

// compare returns the shop for the comparison with a hand-over. Artifacts that train has made are made of the
// snapshot itself.
func (h *Handler) compare(ctx context.Context, handOver handOver, latest *snapshot) (*comparison, error) {
	c := &comparison{of: latest.of(), metric: h.Metric, enforceModel: h.EnforceModelCheck}
	if handOver.isTrained() {
		return c, nil
	}
	var err error
	if c.shop, err = readShop(ctx, h.Lake, latest); err == nil && c.shop == nil {
		c.remark("Nothing was compared with the shop: it has no whole snapshot yet.")
	}
	return c, err
}

func uploaded(status string, r vectorstore.Record) (workflow.Uploaded, error) {
	out := workflow.Uploaded{Status: status, Version: r.Version, Dimension: r.Dimension, Items: r.ItemCount, Users: r.UserCount}
	if r.Compared == nil { // by an earlier release
		return out, nil
	}
	if err := json.Unmarshal(r.Compared, &out.Compared); err != nil {
		return out, fmt.Errorf("reading how version %d compares with the shop: %w", r.Version, err)
	}
	return out, nil
}
