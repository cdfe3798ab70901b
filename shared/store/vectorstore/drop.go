package vectorstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// abandonedAfter is the age at which a version that was never activated is given up: its run has long used up its
// attempts.
const abandonedAfter = `interval '1 day'`

// DropOld drops the tables that no rollback needs: those of versions that failed or were abandoned, and of the
// versions below the active one all but the newest keep-1 that a rollback may go back to. Others above the active one
// stay: they are being loaded, or were rolled back. Each goes in a transaction of its own, its row stays and says so.
// It returns the dropped versions, those of earlier calls among them: their artifacts may go too, see Forget.
func DropOld(ctx context.Context, pool *pgxpool.Pool, keep int) (dropped []int64, err error) {
	_, err = pool.Exec(ctx, `update `+VersionTable+` set status = 'failed', failure = 'its run ended before it was activated'
		where status in ('loading', 'loaded') and created_at < now() - `+abandonedAfter)
	if err != nil {
		return nil, Wrap("giving up versions", err)
	}
	old, err := versions(ctx, pool, `with active as (select version from `+VersionTable+` where status = 'active')
		select version from `+VersionTable+` where dropped_at is null and (status = 'failed'
			or version < (select version from active) and version not in (select version from `+VersionTable+`
				where `+returnable+` and version < (select version from active) order by version desc limit $1))
		order by version`, max(keep, 2)-1)
	if err != nil {
		return nil, err
	}
	for _, version := range old {
		if err := drop(ctx, pool, version); err != nil {
			return nil, err
		}
	}
	return versions(ctx, pool, `select version from `+VersionTable+` where dropped_at is not null order by version`)
}

func drop(ctx context.Context, pool *pgxpool.Pool, version int64) error {
	doing := fmt.Sprintf("dropping version %d", version)
	return transactWhenFree(ctx, pool, doing, func(tx pgx.Tx) error {
		if err := lockVersions(ctx, tx); err != nil {
			return err
		}
		// Asked again under the lock: a rollback may have made it the active one, another attempt may load it anew.
		tag, err := tx.Exec(ctx, `update `+VersionTable+` set dropped_at = now() where version = $1 and (status = 'failed'
			or version < (select version from `+VersionTable+` where status = 'active'))`, version)
		if err != nil || tag.RowsAffected() == 0 {
			return Wrap(doing, err)
		}
		// A reader may have locked the tables in another order, and one of us must give way.
		return Wrap(doing, execute(ctx, tx, `set local lock_timeout = '100ms'`, `drop table if exists `+strings.Join(Tables(version), ", ")))
	})
}

// Forget deletes the artifacts of a version whose tables are dropped, or that failed. No attempt can allocate it
// anew, and copy them again, in the middle of it.
func Forget(ctx context.Context, pool *pgxpool.Pool, version int64, deleteArtifacts func() error) error {
	return transact(ctx, pool, fmt.Sprintf("forgetting version %d", version), func(tx pgx.Tx) error {
		if err := lockVersions(ctx, tx); err != nil {
			return err
		}
		record, found, err := OfVersion(ctx, tx, version)
		if err != nil || !found || !record.Dropped && record.Status != Failed {
			return err
		}
		return deleteArtifacts()
	})
}

func versions(ctx context.Context, pool *pgxpool.Pool, sql string, args ...any) ([]int64, error) {
	rows, err := pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, Wrap("listing old versions", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	return list, Wrap("listing old versions", err)
}
