package vectorstore

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Load is what fills the tables of a version.
type Load struct {
	Version   int64
	Artifacts map[string]string // key → ETag, as they were allocated
	Dimension int
	Items     pgx.CopyFromSource // rows of (id string, embedding pgvector.Vector)
	Users     pgx.CopyFromSource // rows of (id int32, embedding pgvector.Vector)
	// Popularity may be the zero value: an empty table.
	Popularity Popularity
}

// Popularity is how often each item was rated, by country, from one snapshot of the training data.
type Popularity struct {
	Snapshot string
	Of       time.Time          // when the snapshot's run started: orders snapshots
	Rows     pgx.CopyFromSource // rows of (country string, item string, count int64), repeats are added up
}

// Run loads the version by binary COPY, in one transaction: its tables are there whole, or not at all. A version
// that is loaded already stays as it is. One that was allocated anew for other artifacts, has failed or was
// dropped is Overtaken: what this attempt was about to load is not what the version says that it holds.
func (l Load) Run(ctx context.Context, pool *pgxpool.Pool) (loaded Record, err error) {
	doing := fmt.Sprintf("loading version %d", l.Version)
	err = transact(ctx, pool, doing, func(tx pgx.Tx) error {
		// The row's lock makes a second attempt wait for a first one that has lost its caller but not its connection.
		record, found, err := scanRecord(doing, tx.QueryRow(ctx, selectRecord+`
			where version = $1 for update`, l.Version))
		if err != nil {
			return err
		}
		switch {
		case !found || record.Status == Failed || record.Dropped || !maps.Equal(record.Artifacts, l.Artifacts):
			return Overtaken{fmt.Errorf("%s: another attempt has allocated it anew, or it was given up", doing)}
		case record.Status == Loading:
			if err := l.fill(ctx, tx); err != nil {
				return err
			}
		}
		loaded, _, err = OfVersion(ctx, tx, l.Version)
		return err
	})
	return loaded, err
}

func (l Load) fill(ctx context.Context, tx pgx.Tx) error {
	doing := fmt.Sprintf("creating the tables of version %d", l.Version)
	items, users, popularity := ItemTable(l.Version), UserTable(l.Version), PopularityTable(l.Version)
	err := execute(ctx, tx,
		fmt.Sprintf(`drop table if exists %s, %s, %s`, items, users, popularity),
		fmt.Sprintf(`create table %s (id varchar not null, embedding vector(%d) not null)`, items, l.Dimension),
		fmt.Sprintf(`create table %s (id int not null, embedding vector(%d) not null)`, users, l.Dimension),
		fmt.Sprintf(`create table %s (country text, item varchar, count bigint not null, primary key (country, item))`, popularity),
		fmt.Sprintf(`create index on %s (country, count desc, item)`, popularity),
		fmt.Sprintf(`grant select on %s, %s, %s to %s`, items, users, popularity, ReaderRole))
	if err != nil {
		return Wrap(doing, err)
	}
	itemCount, err := copyInto(ctx, tx, items, []string{"id", "embedding"}, l.Items)
	if err != nil {
		return err
	}
	userCount, err := copyInto(ctx, tx, users, []string{"id", "embedding"}, l.Users)
	if err != nil {
		return err
	}
	if err := fillPopularity(ctx, tx, l.Version, l.Popularity); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `update `+VersionTable+` set status = 'loaded', dimension = $2, item_count = $3, user_count = $4,
		loaded_at = now() where version = $1`, l.Version, l.Dimension, itemCount, userCount)
	if err == nil {
		err = execute(ctx, tx, `alter table `+items+` add primary key (id)`, `alter table `+users+` add primary key (id)`)
	}
	return Wrap(fmt.Sprintf("finishing the load of version %d", l.Version), err)
}

// RefreshPopularity replaces the popularity of the active version by that of a newer snapshot, in one
// transaction. It says false, and changes nothing, where the version is not active any more or has a snapshot
// as new. (DELETE and not TRUNCATE: readers go on meanwhile.)
func RefreshPopularity(ctx context.Context, pool *pgxpool.Pool, version int64, p Popularity) (refreshed bool, err error) {
	err = transact(ctx, pool, fmt.Sprintf("refreshing the popularity of version %d", version), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `select from `+VersionTable+` where version = $1 and status = 'active'
			and (popularity_of is null or popularity_of < $2) for update`, version, p.Of)
		if err != nil || tag.RowsAffected() == 0 {
			return Wrap(fmt.Sprintf("locking version %d", version), err)
		}
		if _, err := tx.Exec(ctx, `delete from `+PopularityTable(version)); err != nil {
			return Wrap("emptying the popularity", err)
		}
		refreshed = true
		return fillPopularity(ctx, tx, version, p)
	})
	return refreshed && err == nil, err
}

// fillPopularity adds up what differs only in the country's spelling, and each item over all countries.
func fillPopularity(ctx context.Context, tx pgx.Tx, version int64, p Popularity) error {
	if p.Rows == nil {
		return nil
	}
	if err := execute(ctx, tx, `create temporary table loading_popularity (country text, item varchar, count bigint) on commit drop`); err != nil {
		return Wrap("creating a table for the popularity", err)
	}
	if _, err := copyInto(ctx, tx, "loading_popularity", []string{"country", "item", "count"}, p.Rows); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `insert into `+PopularityTable(version)+`
		select coalesce(country, '`+AnyCountry+`'), item, sum(count) from loading_popularity
		group by grouping sets ((country, item), (item))
		having grouping(country) = 1 or country <> '`+AnyCountry+`' order by 1, 2`)
	if err == nil {
		_, err = tx.Exec(ctx, `update `+VersionTable+` set popularity_snapshot = $2, popularity_of = $3 where version = $1`,
			version, p.Snapshot, p.Of)
	}
	return Wrap("adding up the popularity", err)
}

func copyInto(ctx context.Context, tx pgx.Tx, table string, columns []string, rows pgx.CopyFromSource) (int64, error) {
	count, err := tx.CopyFrom(ctx, strings.Split(table, "."), columns, rows)
	if refused := rows.Err(); refused != nil {
		return count, refused // the source's own error, whatever COPY made of it
	}
	return count, Wrap("copying into "+table, err)
}
