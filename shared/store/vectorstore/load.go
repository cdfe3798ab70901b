package vectorstore

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/failure"
)

// Load holds the rows for the tables of a version.
type Load struct {
	Version   int64
	Artifacts map[string]string // key → ETag, as they were allocated
	Dimension int
	Items     pgx.CopyFromSource // rows of (id string, embedding pgvector.Vector)
	Users     pgx.CopyFromSource // rows of (id string, embedding pgvector.Vector), ids of the snapshot's shop
	// Compared returns how the rows compare with the shop, as a value that marshals to JSON. It is called after all
	// rows were read. Nil: they are not compared.
	Compared func() any
	// Snapshot may be the zero value: nothing is known of the shop.
	Snapshot Snapshot
	// Neighbours ranks next to the vectors. Nil: the vectors rank alone.
	Neighbours *Neighbours
	// Catalogue is the sum of the version's lake.CatalogueKey (package blend), "" if there is none.
	Catalogue string
}

// Neighbours is the item-item model of a version.
type Neighbours struct {
	Kind string             // lake.KNN or lake.EASE
	Beta float64            // its share of the score
	Rows pgx.CopyFromSource // rows of NeighbourTable
}

// Run loads the version by binary COPY, in one transaction: its tables are there whole, or not at all. A version that
// is loaded already stays as it is. A version that was allocated again for other artifacts, has failed or was dropped
// is Overtaken: this attempt's rows do not belong to the artifacts in its row.
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
			return failure.Overtaken.Errorf("%s: another attempt has allocated it anew, or it was given up", doing)
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
	items, users, neighbours, customer := ItemTable(l.Version), UserTable(l.Version), NeighbourTable(l.Version), l.Snapshot.shop().Customer
	err := execute(ctx, tx,
		`drop table if exists `+strings.Join(Tables(l.Version), ", "),
		fmt.Sprintf(`create table %s (id varchar not null, embedding vector(%d) not null)`, items, l.Dimension),
		fmt.Sprintf(`create table %s (id %s not null, embedding vector(%d) not null)`, users, IDType(customer), l.Dimension),
		fmt.Sprintf(`create table %s (item varchar not null, number int not null, targets int[] not null, weights real[] not null)`, neighbours),
		fmt.Sprintf(`grant select on %s, %s, %s to %s`, items, users, neighbours, ReaderRole))
	if err != nil {
		return Wrap(doing, err)
	}
	itemCount, err := copyInto(ctx, tx, items, []string{"id", "embedding"}, l.Items)
	if err != nil {
		return err
	}
	userCount, err := copyInto(ctx, tx, users, []string{"id", "embedding"}, customerRows{l.Users, customer})
	if err != nil {
		return err
	}
	if l.Neighbours != nil {
		if _, err := copyInto(ctx, tx, neighbours, []string{"item", "number", "targets", "weights"}, l.Neighbours.Rows); err != nil {
			return err
		}
	}
	if err := l.Snapshot.fill(ctx, tx, l.Version, l.Neighbours != nil); err != nil {
		return err
	}
	return l.finish(ctx, tx, itemCount, userCount)
}

// finish fills in the version's row and makes the keys of its tables.
func (l Load) finish(ctx context.Context, tx pgx.Tx, itemCount, userCount int64) error {
	var compared any
	if l.Compared != nil {
		compared = l.Compared()
	}
	var blend Neighbours
	if l.Neighbours != nil {
		blend = *l.Neighbours
	}
	_, err := tx.Exec(ctx, `update `+VersionTable+` set status = 'loaded', dimension = $2, item_count = $3, user_count = $4,
		compared = $5::jsonb, shop = $6::jsonb, blend_kind = nullif($7, ''), blend_beta = case when $7 <> '' then $8::float8 end,
		catalogue = nullif($9, ''), loaded_at = now() where version = $1`,
		l.Version, l.Dimension, itemCount, userCount, compared, l.Snapshot.storedShop(), blend.Kind, blend.Beta, l.Catalogue)
	if err == nil {
		err = execute(ctx, tx, `alter table `+ItemTable(l.Version)+` add primary key (id)`, `alter table `+UserTable(l.Version)+` add primary key (id)`,
			`alter table `+NeighbourTable(l.Version)+` add primary key (item), add unique (number)`)
	}
	return Wrap(fmt.Sprintf("finishing the load of version %d", l.Version), err)
}

func copyInto(ctx context.Context, tx pgx.Tx, table string, columns []string, rows pgx.CopyFromSource) (int64, error) {
	count, err := tx.CopyFrom(ctx, strings.Split(table, "."), columns, rows)
	if refused := rows.Err(); refused != nil {
		return count, refused // the source's own error, and not the one that COPY makes of it
	}
	return count, Wrap("copying into "+table, err)
}
