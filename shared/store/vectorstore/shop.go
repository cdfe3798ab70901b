package vectorstore

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5"

	"recsys/shared/contract/productcode"
	"recsys/shared/contract/shape"
)

// fill makes the version's tables of the shop, if they are not there yet, and fills them from the snapshot. Each
// table is made up next to the version's own, and then the rows that differ are changed. blends says that neighbours rank, which
// need the whole history.
func (s Snapshot) fill(ctx context.Context, tx pgx.Tx, version int64, blends bool) error {
	if !blends {
		s.Seen = nil
	}
	if err := createShop(ctx, tx, version, s.shop().Customer); err != nil {
		return err
	}
	if err := s.stage(ctx, tx); err != nil {
		return err
	}
	if err := s.sumPopularity(ctx, tx, version); err != nil {
		return err
	}
	if err := s.foldCodes(ctx, tx, version); err != nil {
		return err
	}
	if err := warnOfGone(ctx, tx, version); err != nil {
		return err
	}
	for _, table := range []replacement{
		{RatedTable(version), "customer, item", "customer, item", s.staged("rated")},
		{HistoryTable(version), "customer, item", "customer, item", fmt.Sprintf("(select * from %s except select * from %s) seen", s.staged("seen"), s.staged("rated"))},
		{AttributeTable(version), "item", "item, line, stock", s.stagedAttributes()},
		{PopularityTable(version), "country, item", "country, item, count", "wanted_popularity"},
		{CodeTable(version), "item", "item, folded, gone", "wanted_code"},
	} {
		if err := table.run(ctx, tx); err != nil {
			return err
		}
	}
	if s.Name == "" {
		return nil
	}
	_, err := tx.Exec(ctx, `update `+VersionTable+` set popularity_snapshot = $2, popularity_of = $3, shop = $4::jsonb where version = $1`,
		version, s.Name, s.Of, s.storedShop())
	return Wrap(fmt.Sprintf("recording the snapshot of version %d", version), err)
}

func createShop(ctx context.Context, tx pgx.Tx, version int64, customer shape.ID) error {
	popularity, rated, seen := PopularityTable(version), RatedTable(version), HistoryTable(version)
	attributes, codes := AttributeTable(version), CodeTable(version)
	err := execute(ctx, tx,
		fmt.Sprintf(`create table if not exists %s (country text, item varchar, count float8 not null, primary key (country, item))`, popularity),
		fmt.Sprintf(`create index if not exists item_popularity_%d_country_count_item_idx on %s (country, count desc, item)`, version, popularity),
		fmt.Sprintf(`create table if not exists %s (customer %s, item varchar, primary key (customer, item))`, rated, IDType(customer)),
		fmt.Sprintf(`create table if not exists %s (customer %s, item varchar, primary key (customer, item))`, seen, IDType(customer)),
		fmt.Sprintf(`create table if not exists %s (item varchar primary key, line varchar not null, stock int not null)`, attributes),
		fmt.Sprintf(`create table if not exists %s (item varchar primary key, folded varchar unique, gone boolean not null)`, codes),
		fmt.Sprintf(`create index if not exists item_code_%d_gone_idx on %s (item) where gone`, version, codes),
		fmt.Sprintf(`grant select on %s, %s, %s, %s, %s to %s`, popularity, rated, seen, attributes, codes, ReaderRole))
	return Wrap(fmt.Sprintf("creating the tables of the shop, version %d", version), err)
}

// stage copies the snapshot's rows into temporary tables.
func (s Snapshot) stage(ctx context.Context, tx pgx.Tx) error {
	customer := s.shop().Customer
	pairs := func(rows pgx.CopyFromSource) pgx.CopyFromSource {
		if rows == nil {
			return nil
		}
		return customerRows{rows, customer}
	}
	for _, table := range []struct {
		name, columns string
		rows          pgx.CopyFromSource
	}{
		{s.staged("rated"), "customer " + IDType(customer) + ", item varchar", pairs(s.Rated)},
		{s.staged("seen"), "customer " + IDType(customer) + ", item varchar", pairs(s.Seen)},
		{"loading_product", "item varchar, line varchar, stock int", s.Products},
		{"loading_popularity", "country text, item varchar, count float8", s.Popularity},
	} {
		if err := execute(ctx, tx, fmt.Sprintf(`create temporary table %s (%s) on commit drop`, table.name, table.columns)); err != nil {
			return Wrap("creating "+table.name, err)
		}
		if table.rows == nil {
			continue
		}
		var columns []string
		for column := range strings.SplitSeq(table.columns, ", ") {
			columns = append(columns, strings.Fields(column)[0])
		}
		if _, err := copyInto(ctx, tx, table.name, columns, table.rows); err != nil {
			return err
		}
		if err := execute(ctx, tx, `analyze `+table.name); err != nil {
			return Wrap("analysing "+table.name, err)
		}
	}
	return nil
}

// stagedAttributes selects the products of which anything is known: a stock, or a line.
func (s Snapshot) stagedAttributes() string {
	return fmt.Sprintf(`(select item, line, coalesce(stock, %d) as stock from loading_product where stock is not null or line <> '') known`, Unlimited)
}

// staged is a temporary table of pairs. A type has a name of its own, because a connection remembers the types of a table that
// it has copied into.
func (s Snapshot) staged(pairs string) string {
	return "loading_" + pairs + "_" + IDType(s.shop().Customer)
}

// sumPopularity adds up counts that differ only in the country's spelling, and each item over all countries. It adds
// decimals, because the sum of floats depends on their order, and rows that differ are written again.
func (s Snapshot) sumPopularity(ctx context.Context, tx pgx.Tx, version int64) error {
	return Wrap("adding up the popularity", execute(ctx, tx,
		`create temporary table wanted_popularity on commit drop as
			select coalesce(country, '`+AnyCountry+`') as country, item, sum(count::numeric)::float8 as count from loading_popularity
			group by grouping sets ((country, item), (item)) having grouping(country) = 1 or country <> '`+AnyCountry+`'`,
		`insert into wanted_popularity select '`+AnyCountry+`', id, 0 from `+ItemTable(version)+`
			where not exists (select from loading_popularity where item = id)`,
		`analyze wanted_popularity`))
}

// foldCodes lists the codes with their folds. A product that was rated is in the shop, though the list of products may be
// older by some minutes: each range of customers reads the shop by itself.
func (s Snapshot) foldCodes(ctx context.Context, tx pgx.Tx, version int64) error {
	const doing = "folding the codes"
	if err := execute(ctx, tx,
		`create temporary table loading_code (item varchar primary key, gone boolean not null) on commit drop`,
		`create temporary table loading_fold (item varchar, folded varchar) on commit drop`,
		`insert into loading_code select item, false from loading_product union select item, false from loading_popularity`,
		fmt.Sprintf(`insert into loading_code select id, %t from %s on conflict do nothing`, s.Whole, ItemTable(version)),
		`analyze loading_code`); err != nil {
		return Wrap(doing, err)
	}
	for after, more := "", true; more; {
		var err error
		if after, more, err = foldSome(ctx, tx, after); err != nil {
			return Wrap(doing, err)
		}
	}
	return Wrap(doing, execute(ctx, tx,
		`create temporary table wanted_code on commit drop as
			select item, gone, case when count(*) filter (where not gone) over same = (not gone)::int and
				(not gone or count(*) over same = 1) then folded end as folded
			from loading_code join loading_fold using (item) window same as (partition by folded)`,
		`analyze wanted_code`))
}

// warnOfGone logs when the shop holds less than half of a version's items, because the others are never recommended.
func warnOfGone(ctx context.Context, tx pgx.Tx, version int64) error {
	var gone, items int64
	err := tx.QueryRow(ctx, `select count(*) filter (where gone), count(*) from wanted_code join `+ItemTable(version)+` on id = item`).Scan(&gone, &items)
	if err != nil {
		return Wrap("counting the items that are gone", err)
	}
	if gone > items/2 {
		slog.WarnContext(ctx, "the shop does not hold most of the version's items, and they are not recommended: compare the spelling of their ids",
			"version", version, "gone", gone, "items", items)
	}
	return nil
}

// foldSome folds the codes that follow one, in Go, because PostgreSQL's lower() depends on the database's locale.
func foldSome(ctx context.Context, tx pgx.Tx, after string) (last string, more bool, err error) {
	rows, err := tx.Query(ctx, `select item from loading_code where item > $1 order by item limit 10000`, after)
	if err != nil {
		return "", false, err
	}
	codes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(codes) == 0 {
		return "", false, err
	}
	folded := make([]string, len(codes))
	for i, code := range codes {
		folded[i] = productcode.Fold(code)
	}
	_, err = tx.Exec(ctx, `insert into loading_fold select * from unnest($1::varchar[], $2::varchar[])`, codes, folded)
	return codes[len(codes)-1], true, err
}

// replacement makes the rows of a table those of a source, and touches only those that differ. From one night to the
// next these are few rows of a large table. So it neither swells nor loses its cached pages.
type replacement struct{ table, key, columns, source string }

func (r replacement) run(ctx context.Context, tx pgx.Tx) error {
	names := strings.NewReplacer("{table}", r.table, "{key}", r.key, "{columns}", r.columns, "{source}", r.source)
	return Wrap("filling "+r.table, execute(ctx, tx,
		names.Replace(`delete from {table} where ({key}) in
			(select {key} from (select {columns} from {table} except select {columns} from {source}) differing)`),
		names.Replace(`insert into {table} ({columns}) select {columns} from {source} except select {columns} from {table} order by {key}`),
		// Readers keep plans that were made for the table as it was, empty perhaps. New statistics make them plan anew.
		`analyze `+r.table))
}
