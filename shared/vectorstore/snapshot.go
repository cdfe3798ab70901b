package vectorstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/workflow"
)

// Snapshot is what a version knows of the shop, from one snapshot of the training data. Rows that are nil are none.
type Snapshot struct {
	Name       string
	Of         time.Time          // when the snapshot's run started: orders snapshots
	Popularity pgx.CopyFromSource // (country string, item string, count int64): ratings of an item; repeats are added up
	Rated      pgx.CopyFromSource // (customer int32, item string); repeats count once
	Attributes pgx.CopyFromSource // (item string, line string, stock int32), once an item
}

// Refresh brings the active version up to a newer snapshot, in one transaction. It says false, and changes nothing,
// where the version is not active any more or has a snapshot as new. One of the future is of a clock that was wrong, and
// counts as older (see workflow.Ahead). Readers go on meanwhile, with what there was:
// hence DELETE and INSERT of what has changed, and neither TRUNCATE nor another table under the same name.
func Refresh(ctx context.Context, pool *pgxpool.Pool, version int64, s Snapshot) (refreshed bool, err error) {
	err = transact(ctx, pool, fmt.Sprintf("refreshing version %d", version), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `select from `+VersionTable+` where version = $1 and status = 'active'
			and (popularity_of is null or popularity_of < $2 or popularity_of > now() + $4 or to_regclass($3) is null) for update`,
			version, s.Of, RatedTable(version), workflow.ClockTolerance)
		if err != nil || tag.RowsAffected() == 0 {
			return Wrap(fmt.Sprintf("locking version %d", version), err)
		}
		refreshed = true
		return s.fill(ctx, tx, version)
	})
	return refreshed && err == nil, err
}

// RefreshWithoutModel does what Refresh does for the shop alone, as long as no version is active: then it changes nothing
// and says false.
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

// fill makes the version's tables of the shop, where they are not there yet, and what they hold that of the snapshot.
func (s Snapshot) fill(ctx context.Context, tx pgx.Tx, version int64) error {
	popularity, rated, attributes := PopularityTable(version), RatedTable(version), AttributeTable(version)
	err := execute(ctx, tx,
		fmt.Sprintf(`create table if not exists %s (country text, item varchar, count bigint not null, primary key (country, item))`, popularity),
		fmt.Sprintf(`create index if not exists item_popularity_%d_country_count_item_idx on %s (country, count desc, item)`, version, popularity),
		fmt.Sprintf(`create table if not exists %s (customer int, item varchar, primary key (customer, item))`, rated),
		fmt.Sprintf(`create table if not exists %s (item varchar primary key, line varchar not null, stock int not null)`, attributes),
		fmt.Sprintf(`grant select on %s, %s, %s to %s`, popularity, rated, attributes, ReaderRole))
	if err != nil {
		return Wrap(fmt.Sprintf("creating the tables of the shop, version %d", version), err)
	}
	if err := replaceRows(ctx, tx, rated, []string{"customer", "item"}, s.Rated); err != nil {
		return err
	}
	if err := replaceRows(ctx, tx, attributes, []string{"item", "line", "stock"}, s.Attributes); err != nil {
		return err
	}
	if err := s.fillPopularity(ctx, tx, version); err != nil {
		return err
	}
	// Readers keep plans that were made for the tables as they were, empty perhaps; new statistics make them plan anew.
	if err := execute(ctx, tx, fmt.Sprintf(`analyze %s, %s, %s`, popularity, rated, attributes)); err != nil {
		return Wrap(fmt.Sprintf("analysing the tables of the shop, version %d", version), err)
	}
	if s.Name == "" {
		return nil
	}
	_, err = tx.Exec(ctx, `update `+VersionTable+` set popularity_snapshot = $2, popularity_of = $3 where version = $1`,
		version, s.Name, s.Of)
	return Wrap(fmt.Sprintf("recording the snapshot of version %d", version), err)
}

// fillPopularity adds up what differs only in the country's spelling, and each item over all countries.
func (s Snapshot) fillPopularity(ctx context.Context, tx pgx.Tx, version int64) error {
	const doing = "adding up the popularity"
	if err := execute(ctx, tx, `create temporary table loading_popularity (country text, item varchar, count bigint) on commit drop`); err != nil {
		return Wrap(doing, err)
	}
	if s.Popularity != nil {
		if _, err := copyInto(ctx, tx, "loading_popularity", []string{"country", "item", "count"}, s.Popularity); err != nil {
			return err
		}
	}
	table := PopularityTable(version)
	return Wrap(doing, execute(ctx, tx,
		`delete from `+table,
		`insert into `+table+` select coalesce(country, '`+AnyCountry+`'), item, sum(count) from loading_popularity
			group by grouping sets ((country, item), (item))
			having grouping(country) = 1 or country <> '`+AnyCountry+`' order by 1, 2`,
		`insert into `+table+` select '`+AnyCountry+`', id, 0 from `+ItemTable(version)+` on conflict do nothing`))
}

// replaceRows makes the rows of a table those of the source, and touches only those that differ: from one night to the
// next that is little of a large table, which so neither swells nor loses what is cached of it.
func replaceRows(ctx context.Context, tx pgx.Tx, table string, columns []string, rows pgx.CopyFromSource) error {
	list, loading := strings.Join(columns, ", "), "loading_"+columns[0]
	doing := "filling " + table
	if err := execute(ctx, tx, fmt.Sprintf(`create temporary table %s on commit drop as select %s from %s with no data`, loading, list, table)); err != nil {
		return Wrap(doing, err)
	}
	if rows != nil {
		if _, err := copyInto(ctx, tx, loading, columns, rows); err != nil {
			return err
		}
	}
	return Wrap(doing, execute(ctx, tx,
		`analyze `+loading,
		fmt.Sprintf(`delete from %[1]s where (%[2]s) in (select %[2]s from %[1]s except select %[2]s from %[3]s)`, table, list, loading),
		fmt.Sprintf(`insert into %[1]s select %[2]s from %[3]s except select %[2]s from %[1]s order by %[2]s`, table, list, loading)))
}
