package vectorstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
)

// Snapshot holds a version's facts about the shop, from one snapshot of the training data. Rows that are nil are
// none.
type Snapshot struct {
	Name       string
	Of         time.Time          // when the snapshot's run started: orders snapshots
	Shop       *shape.Shop        // nil is shape.Lab
	Popularity pgx.CopyFromSource // (country string, item string, count float64): interactions with an item. Repeats are added up
	Rated      pgx.CopyFromSource // (customer string, item string). Repeats count once
	Seen       pgx.CopyFromSource // (customer string, item string) of the history that may be recommended again. Repeats count once
	Products   pgx.CopyFromSource // (item string, line string, stock int32, or nil: unknown, and never sold out), once an item
	Whole      bool               // Products are all that the shop holds: other items are gone
}

func (s Snapshot) shop() shape.Shop { return shape.OrLab(s.Shop) }

// storedShop returns the shop as the database holds it: nil for the lab.
func (s Snapshot) storedShop() *shape.Shop {
	if s.shop().IsLab() {
		return nil
	}
	return s.Shop
}

// Refresh brings the active version up to a newer snapshot of its shop, in one transaction. It says false, and changes
// nothing, where the version is not active any more or has a snapshot as new. One of the future is of a clock that was
// wrong, and counts as older (see workflow.Ahead). Readers go on meanwhile with the old rows. So it uses DELETE and INSERT
// of the changed rows, and neither TRUNCATE nor another table under the same name.
func Refresh(ctx context.Context, pool *pgxpool.Pool, version int64, s Snapshot) (refreshed bool, err error) {
	err = transact(ctx, pool, fmt.Sprintf("refreshing version %d", version), func(tx pgx.Tx) error {
		active, found, err := scanRecord("locking the active version", tx.QueryRow(ctx, selectRecord+`where version = $1 and status = 'active'
			and (popularity_of is null or popularity_of < $2 or popularity_of > now() + $4 or to_regclass($3) is null or to_regclass($5) is null) for update`,
			version, s.Of, RatedTable(version), workflow.ClockTolerance, CodeTable(version)))
		if err != nil || !found {
			return err
		}
		if !s.shop().SameIDs(shape.OrLab(active.Shop)) {
			return fmt.Errorf("version %d belongs to another shop than snapshot %s", version, s.Name)
		}
		refreshed = true
		return s.fill(ctx, tx, version, active.BlendKind != "")
	})
	return refreshed && err == nil, err
}

// RefreshWithoutModel does the work of Refresh for the shop alone, as long as no version of this shop is active. If one is
// active, it changes nothing and returns false. A version of another shop is retired, because its items and customers
// are not those of the snapshot, and the trends go with it. A rollback may go back to it.
func RefreshWithoutModel(ctx context.Context, pool *pgxpool.Pool, s Snapshot) (refreshed bool, err error) {
	err = transactWhenFree(ctx, pool, "refreshing the shop without a model", func(tx pgx.Tx) error {
		if err := lockVersions(ctx, tx); err != nil { // no version is activated meanwhile
			return err
		}
		active, found, err := Current(ctx, tx)
		if err != nil {
			return err
		}
		if found {
			if retired, err := s.retireOther(ctx, tx, active); err != nil || !retired {
				return err
			}
		}
		if err := s.createWithoutModel(ctx, tx); err != nil {
			return Wrap("creating the tables of the shop without a model", err)
		}
		refreshed = true
		return s.fill(ctx, tx, WithoutModel, false)
	})
	return refreshed && err == nil, err
}

// forgetTrends empties the carts and trends of a shop before. Products of two shops may have the same ids.
const forgetTrends = `truncate ` + CartTable + `, ` + TrendingTable

// retireOther retires the active version if it belongs to another shop and to an older snapshot.
func (s Snapshot) retireOther(ctx context.Context, tx pgx.Tx, active Record) (bool, error) {
	if s.shop().SameIDs(shape.OrLab(active.Shop)) {
		return false, nil
	}
	doing := fmt.Sprintf("retiring version %d, which belongs to another shop", active.Version)
	tag, err := tx.Exec(ctx, `update `+VersionTable+` set status = 'retired', retired_at = now() where version = $1
		and (popularity_of is null or popularity_of < $2 or popularity_of > now() + $3)`, active.Version, s.Of, workflow.ClockTolerance)
	if err != nil || tag.RowsAffected() == 0 {
		return false, Wrap(doing, err)
	}
	err = execute(ctx, tx, fmt.Sprintf(`drop view if exists %s, %s`, ItemView, UserView), forgetTrends)
	slog.WarnContext(ctx, "the active version belongs to another shop and is retired: the new shop is answered without a model until a version of it is active",
		"version", active.Version, "versionOf", shape.OrLab(active.Shop).Name, "snapshotOf", s.shop().Name)
	return err == nil, Wrap(doing, err)
}

// createWithoutModel makes the tables of WithoutModel that stay empty, and notes the shop. Tables of another shop go.
func (s Snapshot) createWithoutModel(ctx context.Context, tx pgx.Tx) error {
	var before *shape.Shop
	err := tx.QueryRow(ctx, `select shop from `+WithoutModelTable).Scan(&before)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if !s.shop().SameIDs(shape.OrLab(before)) {
		if err := execute(ctx, tx, `drop table if exists `+strings.Join(Tables(WithoutModel), ", "), forgetTrends); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `delete from `+WithoutModelTable); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `insert into `+WithoutModelTable+` values ($1::jsonb)`, s.storedShop()); err != nil {
		return err
	}
	items, users := ItemTable(WithoutModel), UserTable(WithoutModel)
	return execute(ctx, tx,
		fmt.Sprintf(`create table if not exists %s (id varchar primary key, embedding vector(1) not null)`, items),
		fmt.Sprintf(`create table if not exists %s (id %s primary key, embedding vector(1) not null)`, users, IDType(s.shop().Customer)),
		fmt.Sprintf(`grant select on %s, %s to %s`, items, users, ReaderRole))
}
