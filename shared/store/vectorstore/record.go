package vectorstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/shape"
)

// Record is a row of VersionTable, as the loader sees it.
type Record struct {
	Version   int64
	Run       string
	Status    Status
	Metric    distance.Metric
	Artifacts map[string]string // key → ETag of handed-over or trained artifacts
	Origin    Origin
	Dimension int // 0 until loaded, as are the counts
	ItemCount int64
	UserCount int64
	Recall    float64 // 0 until indexed, as is EfSearch
	EfSearch  int
	// RolledBack: a run went back from this version to the one before.
	RolledBack bool
	// Dropped: tables and artifacts are gone.
	Dropped bool
	// Failure is why it failed, "" unless it did.
	Failure string
	// Evaluation is the argument of SetEvaluation, nil before.
	Evaluation json.RawMessage
	// Compared is the result of Load.Compared, nil before.
	Compared json.RawMessage
	// Shop describes the customers and products of the version's tables. Nil is shape.Lab.
	Shop *shape.Shop
	// BlendKind and BlendBeta are those of ActiveVersion.
	BlendKind string
	BlendBeta float64
}

// Origin says where a version's artifacts come from.
type Origin string

const (
	Trained    Origin = "trained"     // by functions/train
	HandedOver Origin = "handed_over" // by a data scientist
)

const selectRecord = `select version, run, status, metric, artifacts, origin, coalesce(dimension, 0), coalesce(item_count, 0),
coalesce(user_count, 0), coalesce(recall, 0), coalesce(ef_search, 0), rolled_back_by is not null, dropped_at is not null,
coalesce(failure, ''), evaluation, compared, shop, coalesce(blend_kind, ''), coalesce(blend_beta, 0)
from ` + VersionTable + ` `

func scanRecord(doing string, row pgx.Row) (Record, bool, error) {
	var r Record
	err := row.Scan(&r.Version, &r.Run, &r.Status, &r.Metric, &r.Artifacts, &r.Origin, &r.Dimension, &r.ItemCount,
		&r.UserCount, &r.Recall, &r.EfSearch, &r.RolledBack, &r.Dropped, &r.Failure, &r.Evaluation, &r.Compared, &r.Shop, &r.BlendKind, &r.BlendBeta)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, Wrap(doing, err)
}

// OfRun finds the version that a run loads or has loaded.
func OfRun(ctx context.Context, db Querier, run string) (Record, bool, error) {
	return scanRecord("looking for the version of run "+run, db.QueryRow(ctx, selectRecord+`where run = $1`, run))
}

// OfVersion finds a version by its number.
func OfVersion(ctx context.Context, db Querier, version int64) (Record, bool, error) {
	return scanRecord(fmt.Sprintf("reading version %d", version), db.QueryRow(ctx, selectRecord+`where version = $1`, version))
}

// Current is the active version's row. It is false when none is active.
func Current(ctx context.Context, db Querier) (Record, bool, error) {
	return scanRecord("reading the active version", db.QueryRow(ctx, selectRecord+`where status = 'active'`))
}

// SameArtifacts finds the version of this shop that makes another load of these artifacts (key → ETag) pointless. That is the
// active one, or one that was rolled back and must not come back by the next nightly run. It may also be the newest
// hand-over, which is not active any more if a trained version has replaced it. If no version is active, another load of that
// one is not pointless: a version of another shop has been retired since.
func SameArtifacts(ctx context.Context, db Querier, artifacts map[string]string, metric distance.Metric, shop shape.Shop) (Record, bool, error) {
	return scanRecord("looking for a version of these artifacts", db.QueryRow(ctx, selectRecord+`
		where artifacts = $1::jsonb and metric = $2 and `+ofShop+` and (status = 'active' or rolled_back_by is not null
			or status = 'retired' and version = (select max(version) from `+VersionTable+`
				where origin = $3 and status in ('active', 'retired')) and exists (select from `+VersionTable+` where status = 'active'))
		order by status = 'active' desc, version desc limit 1`, artifacts, metric, HandedOver,
		shop.Name, shop.Customer.Type, fmt.Sprint(shop.Customer.Hashed), shop.Product.Type))
}

// ofShop is true of versions whose ids are those of a shop, as shape.Shop.SameIDs says. Its name and types are $4 to $7.
var ofShop = fmt.Sprintf(`coalesce(shop ->> 'name', '') = $4 and coalesce(shop #>> '{customer,type}', '%s') = $5
	and coalesce(shop #>> '{customer,hashed}', 'false') = $6 and coalesce(shop #>> '{product,type}', '%s') = $7`,
	shape.Lab.Customer.Type, shape.Lab.Product.Type)

// Allocate gives the run its version, in status Loading, before its artifacts are copied. A run that has a version
// keeps its number and starts again. If it is loaded already, the error is Overtaken. Numbers have no gaps, so that a
// run that was killed and tried again ends like one that was not.
func Allocate(ctx context.Context, pool *pgxpool.Pool, run string, metric distance.Metric, artifacts map[string]string, hasModel bool) (version int64, err error) {
	doing := "allocating a version for run " + run
	err = transact(ctx, pool, doing, func(tx pgx.Tx) error {
		if err := lockVersions(ctx, tx); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `insert into `+VersionTable+` as v (version, run, status, metric, artifacts, has_model)
			select coalesce(max(version), 0) + 1, $1, 'loading', $2, $3::jsonb, $4 from `+VersionTable+`
			on conflict (run) do update set status = 'loading', metric = $2, artifacts = $3::jsonb, has_model = $4, failure = null, evaluation = null, dropped_at = null
			where v.status in ('loading', 'failed')
			returning version`, run, metric, artifacts, hasModel).Scan(&version)
		if errors.Is(err, pgx.ErrNoRows) {
			return failure.Overtaken.Errorf("%s: another attempt has loaded it", doing)
		}
		return Wrap(doing, err)
	})
	return version, err
}

// lockVersions makes the transaction the only one that numbers, activates, rolls back or drops versions.
func lockVersions(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('recsys.embedding_version'))`)
	return Wrap("locking the list of versions", err)
}

// Fail records why a version of these artifacts (key → ETag) that never answered will not. A version that is of
// others meanwhile stays as it is.
func Fail(ctx context.Context, pool *pgxpool.Pool, version int64, artifacts map[string]string, why string) error {
	_, err := pool.Exec(ctx, `update `+VersionTable+` set status = 'failed', failure = $3
		where version = $1 and artifacts = $2::jsonb and status in ('loading', 'loaded', 'failed')`, version, artifacts, why)
	return Wrap(fmt.Sprintf("recording the failure of version %d", version), err)
}

// Discard ends a version that never will answer: it records why, drops its tables, and lets its artifacts be deleted.
// A version that is of other artifacts meanwhile (key → ETag), or answers, stays as it is. A second call finishes the
// work of an interrupted one.
func Discard(ctx context.Context, pool *pgxpool.Pool, version int64, artifacts map[string]string, why string, deleteArtifacts func() error) error {
	if err := Fail(ctx, pool, version, artifacts, why); err != nil {
		return err
	}
	record, found, err := OfVersion(ctx, pool, version)
	if err != nil || !found || record.Status != Failed {
		return err
	}
	if err := drop(ctx, pool, version); err != nil {
		return err
	}
	return Forget(ctx, pool, version, deleteArtifacts)
}

// SetEvaluation records the evaluation of a version: a value that marshals to JSON.
func SetEvaluation(ctx context.Context, pool *pgxpool.Pool, version int64, evaluation any) error {
	_, err := pool.Exec(ctx, `update `+VersionTable+` set evaluation = $2::jsonb where version = $1`, version, evaluation)
	return Wrap(fmt.Sprintf("recording the evaluation of version %d", version), err)
}
