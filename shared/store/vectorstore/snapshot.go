package vectorstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/workflow"
)

// Snapshot holds a version's facts about the shop, from one snapshot of the training data. Rows that are nil are
// none.
type Snapshot struct {
	Name       string
	Of         time.Time          // when the snapshot's run started: orders snapshots
	Popularity pgx.CopyFromSource // (country string, item string, count int64): ratings of an item. Repeats are added up
	Rated      pgx.CopyFromSource // (customer int32, item string). Repeats count once
	Products   pgx.CopyFromSource // (item string, line string, stock int32, or nil if it is unknown), once an item
	Whole      bool               // Products are all that the shop holds: other items are gone
}

// Refresh brings the active version up to a newer snapshot, in one transaction. It says false, and changes nothing,
// where the version is not active any more or has a snapshot as new. One of the future is of a clock that was wrong,
// and counts as older (see workflow.Ahead). Readers go on meanwhile with the old rows. So it uses DELETE and INSERT
// of the changed rows, and neither TRUNCATE nor another table under the same name.
func Refresh(ctx context.Context, pool *pgxpool.Pool, version int64, s Snapshot) (refreshed bool, err error) {
	err = transact(ctx, pool, fmt.Sprintf("refreshing version %d", version), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `select from `+VersionTable+` where version = $1 and status = 'active'
			and (popularity_of is null or popularity_of < $2 or popularity_of > now() + $4 or to_regclass($3) is null or to_regclass($5) is null) for update`,
			version, s.Of, RatedTable(version), workflow.ClockTolerance, CodeTable(version))
		if err != nil || tag.RowsAffected() == 0 {
			return Wrap(fmt.Sprintf("locking version %d", version), err)
		}
		refreshed = true
		return s.fill(ctx, tx, version)
	})
	return refreshed && err == nil, err
}

// RefreshWithoutModel does the work of Refresh for the shop alone, as long as no version is active. If one is active,
// it changes nothing and returns false.
func RefreshWithoutModel(ctx context.Context, pool *pgxpool.Pool, s Snapshot) (refreshed bool, err error) {
	err = transact(ctx, pool, "refreshing the shop without a model", func(tx pgx.Tx) error {
		if err := lockVersions(ctx, tx); err != nil { // no version is activated meanwhile
			return err
		}
		if _, active, err := Current(ctx, tx); err != nil || active {
			return err
		}
		items, users := ItemTable(WithoutModel), UserTable(WithoutModel)
		err := execute(ctx, tx,
			fmt.Sprintf(`create table if not exists %s (id varchar primary key, embedding vector(1) not null)`, items),
			fmt.Sprintf(`create table if not exists %s (id int primary key, embedding vector(1) not null)`, users),
			fmt.Sprintf(`grant select on %s, %s to %s`, items, users, ReaderRole))
		if err != nil {
			return Wrap("creating the tables of the shop without a model", err)
		}
		refreshed = true
		return s.fill(ctx, tx, WithoutModel)
	})
	return refreshed && err == nil, err
}
