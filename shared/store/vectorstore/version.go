package vectorstore

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
)

// Status is where a version stands.
type Status string

const (
	Loading Status = "loading" // numbered. Its tables are not there yet
	Loaded  Status = "loaded"  // tables are whole, no index yet
	Active  Status = "active"  // answers. At most one version
	Retired Status = "retired" // was active
	Failed  Status = "failed"  // its artifacts or its index were not good enough
)

// ActiveVersion holds the facts about the active version that an answer needs.
type ActiveVersion struct {
	Version   int64
	Dimension int
	Metric    distance.Metric
	EfSearch  int   // hnsw.ef_search that reaches the recall target
	ItemCount int64 // items with an embedding
	HasModel  bool  // there is a model under lake.VersionKey(Version, …) in the artifacts bucket
	Trained   bool  // by functions/train: the model is lake.LinearModelKey, else lake.ModelArtifacts
	// Safetensors: the weights are lake.SafetensorsKey and not lake.ModelKey.
	Safetensors bool
	// HasShop: RatedTable and AttributeTable are there. A version that an earlier release loaded gets them when it is
	// brought up to a snapshot.
	HasShop bool
	// HasCodes: CodeTable is there, in the same way.
	HasCodes bool
	// HasTrending: TrendingTable is there, since the bootstrap of this release.
	HasTrending bool
	// Shop describes the customers and products of the version's tables. Nil is shape.Lab.
	Shop *shape.Shop
	// BlendKind is the item-item model in NeighbourTable and BlendBeta its share of the score (package blend). "": the vectors
	// rank alone, and the table may be missing.
	BlendKind string
	BlendBeta float64
	// Catalogue is the sum of lake.VersionKey(Version, lake.CatalogueKey), see package blend. "": an earlier release wrote none.
	Catalogue string
	// Snapshot is the snapshot that the tables of the shop were filled from last, "" if there was none.
	Snapshot string
}

// WithoutModel is the number that stands for the shop alone, while no version is active: its tables of items and users
// are empty, so the popular items answer.
const WithoutModel = 0

// SelectActive reads the active version's row, or that of WithoutModel, or no row: for a caller that queues it in a batch
// of its own. Scan it with ScanActive.
const SelectActive = `select version, dimension, metric, ef_search, item_count, has_model, origin = '` + string(Trained) + `',
artifacts ? '` + lake.SafetensorsKey + `',
to_regclass('` + Schema + `.user_item_' || version) is not null and to_regclass('` + Schema + `.item_attribute_' || version) is not null,
to_regclass('` + Schema + `.item_code_' || version) is not null, to_regclass('` + TrendingTable + `') is not null, shop,
coalesce(blend_kind, ''), coalesce(blend_beta, 0), coalesce(catalogue, ''), coalesce(popularity_snapshot, '')
from ` + VersionTable + ` where status = 'active'
union all select 0, 1, 'cosine', 40, 0, false, false, false, true,
to_regclass('` + Schema + `.item_code_0') is not null, to_regclass('` + TrendingTable + `') is not null,
(select shop from ` + WithoutModelTable + ` limit 1), '', 0, '', ''
where to_regclass('` + Schema + `.user_item_0') is not null and not exists (select from ` + VersionTable + ` where status = 'active')`

// ScanActive reads the row of SelectActive. It is false when no version is active and nothing is known of the shop.
func ScanActive(row pgx.Row) (ActiveVersion, bool, error) {
	var v ActiveVersion
	err := row.Scan(&v.Version, &v.Dimension, &v.Metric, &v.EfSearch, &v.ItemCount, &v.HasModel, &v.Trained, &v.Safetensors, &v.HasShop, &v.HasCodes, &v.HasTrending, &v.Shop,
		&v.BlendKind, &v.BlendBeta, &v.Catalogue, &v.Snapshot)
	if errors.Is(err, pgx.ErrNoRows) {
		return v, false, nil
	}
	return v, err == nil, Wrap("reading the active version", err)
}

// Querier is a connection, a pool or a transaction.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// ReadActive asks which version is active, see SelectActive.
func ReadActive(ctx context.Context, db Querier) (ActiveVersion, bool, error) {
	return ScanActive(db.QueryRow(ctx, SelectActive))
}
