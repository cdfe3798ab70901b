// Command export writes lists for everybody, from the version that is active: the best products for each customer, and the products
// that are similar to each product. Mail programs, shops and warehouses read them as files, or through Athena.
//
// It is a door of package answers, as the stream and the API are. So a list is the answer to a customer without a session, with one
// difference: it has no trending products. Lists are exact, because the version's catalogue is searched in memory.
//
// Input: workflow.ExportInput. Output: workflow.ExportPlan or workflow.Exported. Reads the active version's tables as recsys_reader,
// and its lake.CatalogueKey and lake.NeighboursKey. Writes, in this order, lake.ExportPlanKey (once), of each range
// lake.ExportPartKey and lake.ExportReportKey, then lake.ExportManifestKey (once), lake.LatestExportKey (compare and swap) and the
// Glue tables. Removes old exports. Errors: InvalidInput, InvalidEmbeddings. Retried: ObjectStoreUnavailable, VectorStoreUnavailable,
// CatalogUnavailable. The state machine ends in ExportFailed, and the active version answers all the same.
//
// A crash is safe at each point. Before the pointer, readers see the export before.
package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
	"recsys/shared/serving/answers"
	"recsys/shared/store/objectstore"
)

// Handler exports lists.
type Handler struct {
	Lake    *objectstore.Store
	DB      *pgxpool.Pool
	Catalog Catalog
	Options settings.Exporting
	answers *answers.Service
}

// patience bounds each statement. A batch of customers takes far less.
const patience = time.Minute

// inMemory is the most numbers of a catalogue, products × dimension. They take 8 bytes each of the function's 3,008 MiB.
const inMemory = 200_000_000

// New makes the handler from settings and from clients that the process shares.
func New(s settings.Export, db *pgxpool.Pool, lake, artifacts *objectstore.Store, catalog Catalog) *Handler {
	ranking := s.Ranking
	ranking.TrendingHalfLife, ranking.TrendingItems = 0, false // a list is read days later
	ranking.InMemoryUpTo = inMemory
	return &Handler{Lake: lake, DB: db, Catalog: catalog, Options: s.Exporting, answers: answers.New(db, artifacts, ranking, patience)}
}

// Handle does one part of an export. It returns a workflow.ExportPlan for the first part, and a workflow.Exported for the others.
func (h *Handler) Handle(ctx context.Context, in workflow.ExportInput) (any, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	switch in.Do {
	case workflow.PlanExport:
		return h.plan(ctx, in.Run)
	case workflow.ExportRange:
		return h.export(ctx, in.Run, *in.Range)
	default:
		return h.publish(ctx, in.Run)
	}
}

const superseded = "superseded"
