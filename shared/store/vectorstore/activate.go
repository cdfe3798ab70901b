package vectorstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/failure"
)

// Activate makes a version the one that answers and shows it in the views, in one transaction. It returns the
// version that is active then: another one where a newer was activated before, or where this version has been
// active and was replaced since. Tried again, it says the same and changes nothing.
func Activate(ctx context.Context, pool *pgxpool.Pool, version int64, recall float64, efSearch int) (active Record, err error) {
	err = transactWhenFree(ctx, pool, fmt.Sprintf("activating version %d", version), func(tx pgx.Tx) error {
		if err := lockVersions(ctx, tx); err != nil {
			return err
		}
		wanted, found, err := OfVersion(ctx, tx, version)
		if err != nil {
			return err
		}
		if !found || wanted.Status == Loading || wanted.Status == Failed {
			return failure.Invalidf("version %d has not been loaded, or has failed", version)
		}
		current, exists, err := Current(ctx, tx)
		if err != nil {
			return err
		}
		if exists && (current.Version >= version || wanted.Status == Retired) {
			active = current
			return nil
		}
		if _, err := tx.Exec(ctx, `update `+VersionTable+` set recall = $2, ef_search = $3, failure = null where version = $1`,
			version, recall, efSearch); err != nil {
			return Wrap("recording the recall", err)
		}
		active, err = replace(ctx, tx, current.Version, version)
		return err
	})
	return active, err
}

// Rollback goes back from the active version to the one that was active before it. It is the Reactivate of that version. A
// version that was rolled back is never gone back to. Without a version to go back to it is failure.InvalidInput.
func Rollback(ctx context.Context, pool *pgxpool.Pool, run string) (active Record, err error) {
	return reactivate(ctx, pool, "rolling back", run, func(tx pgx.Tx, current Record, exists bool) (Record, error) {
		if !exists {
			return Record{}, failure.Invalidf("rollback: no version is active")
		}
		before, found, err := scanRecord("looking for the version before", tx.QueryRow(ctx, selectRecord+`where `+returnable+`
			and version < $1 order by version desc limit 1`, current.Version))
		if err == nil && !found {
			err = failure.Invalidf("rollback: version %d is active and there is no version before it to go back to", current.Version)
		}
		return before, err
	})
}

// Reactivate makes a kept version the one that answers, in one transaction. It may be older or newer than the active one, and
// may have been rolled back. The run is recorded with a version that it goes back from. So tried again it does not go back
// twice. A version that never answered, or is dropped, is failure.InvalidInput.
func Reactivate(ctx context.Context, pool *pgxpool.Pool, version int64, run string) (active Record, err error) {
	doing := fmt.Sprintf("activating version %d again", version)
	return reactivate(ctx, pool, doing, run, func(tx pgx.Tx, _ Record, _ bool) (Record, error) {
		wanted, found, err := OfVersion(ctx, tx, version)
		if err == nil && (!found || wanted.Dropped || wanted.Status != Active && wanted.Status != Retired) {
			err = failure.Invalidf("activate: version %d is not kept. Only a version that was active before can be activated again", version)
		}
		return wanted, err
	})
}

// reactivate replaces the active version by the one that choose returns, unless the run has done so before.
func reactivate(ctx context.Context, pool *pgxpool.Pool, doing, run string, choose func(tx pgx.Tx, current Record, exists bool) (Record, error)) (active Record, err error) {
	err = transactWhenFree(ctx, pool, doing, func(tx pgx.Tx) error {
		if err := lockVersions(ctx, tx); err != nil {
			return err
		}
		current, exists, err := Current(ctx, tx)
		if err != nil {
			return err
		}
		_, done, err := scanRecord("looking for an earlier attempt", tx.QueryRow(ctx, selectRecord+`where rolled_back_by = $1`, run))
		if err != nil || done {
			active = current
			return err
		}
		next, err := choose(tx, current, exists)
		if err != nil {
			return err
		}
		if active = current; exists && next.Version == current.Version {
			return nil
		}
		if active, err = replace(ctx, tx, current.Version, next.Version); err != nil {
			return err
		}
		return recordRollback(ctx, tx, current.Version, next.Version, run)
	})
	return active, err
}

// recordRollback marks the version that a run goes back from, and takes the mark from the one that answers again.
func recordRollback(ctx context.Context, tx pgx.Tx, current, next int64, run string) error {
	_, err := tx.Exec(ctx, `update `+VersionTable+` set rolled_back_by = case when version = $1 then $3 end
		where version = $1 and $1 > $2 or version = $2`, current, next, run)
	return Wrap("recording the rollback", err)
}

// returnable is true of versions that a rollback may go back to.
const returnable = `status = 'retired' and rolled_back_by is null and dropped_at is null`

// replace makes next the active version in place of current (0: none, and then the tables of WithoutModel go), and
// repoints the views. They are dropped
// and created, since the embedding's dimension may be another one, and that loses the grants. Objects that people
// built on the views stop it: query the views, do not build on them.
func replace(ctx context.Context, tx pgx.Tx, current, next int64) (Record, error) {
	_, err := tx.Exec(ctx, `update `+VersionTable+` set status = 'retired', retired_at = now() where version = $1`, current)
	if err == nil {
		_, err = tx.Exec(ctx, `update `+VersionTable+` set status = 'active', activated_at = now(), retired_at = null where version = $1`, next)
	}
	if err == nil {
		err = execute(ctx, tx, `drop table if exists `+strings.Join(Tables(WithoutModel), ", "))
	}
	if err == nil {
		err = execute(ctx, tx,
			fmt.Sprintf(`drop view if exists %s, %s`, ItemView, UserView),
			fmt.Sprintf(`create view %s as select id, embedding from %s`, ItemView, ItemTable(next)),
			fmt.Sprintf(`create view %s as select id, embedding from %s`, UserView, UserTable(next)),
			fmt.Sprintf(`grant select on %s, %s to %s`, ItemView, UserView, ReaderRole))
	}
	if err != nil {
		return Record{}, Wrap(fmt.Sprintf("replacing version %d by %d", current, next), err)
	}
	active, _, err := Current(ctx, tx)
	return active, err
}
