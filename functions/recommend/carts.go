package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/shared/contract/productcode"
	"recsys/shared/store/vectorstore"
)

// How carts become trends. Each batch adds its carts to vectorstore.CartTable, a session's item once an hour. About once a minute a
// batch counts the new ones into vectorstore.TrendingTable, which is one row. No row is changed with each batch, because an
// analyst's open transaction or a pg_dump keeps the dead ones: a table with many of them gets slower by the minute.

const (
	// maxCarted is how many items of a session's cart count.
	maxCarted = 10
	// foldEvery is how far the trends are behind, while carts come.
	foldEvery = time.Minute
	// slotTime is how long carts go into one partition.
	slotTime = 30 * time.Minute
	// onceIn is how long a session's item counts once. A partition without a younger cart is emptied.
	onceIn = 2 * slotTime
	// truncateWait is how long emptying a partition may hold up the carts of others. It is tried again with each fold.
	truncateWait = 50 * time.Millisecond
)

// Each transaction below begins with one of these. None waits for the disk. None reads a whole table, because the planner plans
// once, perhaps while the table is empty. The lock of a fold waits until all carts that have a number are committed.
const (
	quick     = `select set_config('synchronous_commit', 'off', true), set_config('enable_seqscan', 'off', true), `
	addLock   = quick + `pg_advisory_xact_lock_shared(hashtext('recsys.trend'))`
	foldLock  = quick + `pg_advisory_xact_lock(hashtext('recsys.trend'))`
	countedTo = `(select coalesce(max(counted_to), 0) from {trending})`
)

// oldSlots are the slots whose latest cart is older than $1. An index gives the latest of each partition.
var oldSlots = fmt.Sprintf(`select k from generate_series(0, %d) k
	where (select seen_at from {carts} where slot = k::smallint order by number desc limit 1) < $1::timestamptz`, vectorstore.CartSlots-1)

// period returns the number of the slot's time since 1970. A later period has the same slot, but not the same key.
func (a *asking) period() int64 { return a.now.Unix() / int64(slotTime/time.Second) }

// keepTrends adds the carts of a batch in a third trip, if there are any, and counts them if it is time. The answers are
// there, whatever becomes of it.
func (x *index) keepTrends(ctx context.Context, conn *pgxpool.Conn, a *asking) {
	sessions, items := a.carted()
	if len(items) == 0 || !a.trends() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	due, err := a.addCarts(ctx, conn, sessions, items, x.foldEvery)
	if err != nil {
		slog.WarnContext(ctx, "the carts of this batch are not in the trends", "error", err)
		return
	}
	if !due {
		return
	}
	old, err := a.fold(ctx, conn)
	if err != nil {
		slog.WarnContext(ctx, "the trends stay as they are until the next batch counts the carts", "error", err)
		return
	}
	if old {
		a.forgetCarts(ctx, conn)
	}
}

// carted returns what is in the carts of the sessions, as pairs of a session's hash and an item.
func (a *asking) carted() (sessions []pgtype.UUID, items []string) {
	for i := range a.questions {
		record := a.questions[i].record
		hash := sha256.Sum256([]byte(record.Session))
		carted := 0
		for k := len(record.Products) - 1; k >= 0 && carted < maxCarted; k-- { // the latest first
			if product := record.Products[k]; product.InCart {
				carted++
				sessions = append(sessions, pgtype.UUID{Bytes: [16]byte(hash[:16]), Valid: true})
				items = append(items, product.Code)
			}
		}
	}
	return sessions, items
}

// addCarts adds the pairs that are new, of items that the version has, and reports whether it is time to count them. All
// batches add in one order, so none waits for another in a circle.
func (a *asking) addCarts(ctx context.Context, conn *pgxpool.Conn, sessions []pgtype.UUID, items []string, foldEvery time.Duration) (due bool, err error) {
	folded := make([]string, len(items))
	for i, item := range items {
		folded[i] = productcode.Fold(item)
	}
	batch := &pgx.Batch{}
	batch.Queue(addLock)
	batch.Queue(a.sql(`
		insert into {carts} (session, item, slot, period, seen_at)
		select cart.session, cart.item, $3::smallint, $6::bigint, $4::timestamptz from (
			select c.session, `+a.spelling("c.item", "c.folded")+` as item from unnest($1::uuid[], $2::text[], $5::text[]) c(session, item, folded) offset 0
		) cart
		where exists (select from {items} where id = cart.item offset 0)
			and not exists (select from {carts} c where c.session = cart.session and c.item = cart.item and c.seen_at >= $7::timestamptz offset 0)
		order by cart.session, cart.item
		on conflict do nothing`), sessions, items, a.period()%vectorstore.CartSlots, a.now, folded, a.period(), a.now.Add(-onceIn))
	batch.Queue(a.sql(`
		select exists (select from {carts} where number > `+countedTo+`) and not exists (
			select from {trending} where counted_to = `+countedTo+` and updated_at > $1::timestamptz and updated_at <= $2::timestamptz)`),
		a.now.Add(-foldEvery), a.now).QueryRow(func(row pgx.Row) error { return row.Scan(&due) })
	return due, conn.SendBatch(ctx, batch).Close()
}

// fold replaces the trends by their sum with all carts that are new, decayed to now, and keeps the best. It reports whether
// a partition holds nothing but old carts.
func (a *asking) fold(ctx context.Context, conn *pgxpool.Conn) (old bool, err error) {
	batch := &pgx.Batch{}
	batch.Queue(foldLock)
	batch.Queue(a.sql(fmt.Sprintf(`
		with last as materialized (
			select l.counted_to from (select `+countedTo+` as counted_to) l
			where exists (select from {carts} c where c.number > l.counted_to)
		), kept as materialized (
			delete from {trending} t using last where t.counted_to = last.counted_to returning t.items, t.scores, t.updated_at
		), added as materialized (
			select c.item, c.seen_at, c.number from {carts} c where c.number > (select counted_to from last)
		), moment as (
			select greatest($1::timestamptz, max(updated_at)) as now from kept
		), part(item, score, at) as (
			select top.item, top.score, updated_at from kept cross join lateral unnest(items, scores) top(item, score)
			union all select item, 1, seen_at from added
		), total as (
			select item, sum(greatest(score, %v) * %s) as score from part cross join moment group by item order by score desc, item limit %d
		)
		insert into {trending} (counted_to, items, scores, updated_at)
		select (select max(number) from added), array_agg(item order by score desc, item), array_agg(score order by score desc, item),
			(select now from moment) from total having count(*) > 0`,
		leastScore, a.decay("at", "now"), keptTrends)), a.now)
	batch.Queue(a.sql(`select exists (`+oldSlots+`)`), a.now.Add(-onceIn)).QueryRow(func(row pgx.Row) error { return row.Scan(&old) })
	return old, conn.SendBatch(ctx, batch).Close()
}

// forgetCarts empties the partitions that hold nothing but old carts. It looks again under the lock of a fold, because another
// batch may have added a cart. A pg_dump holds the partitions' locks. Then the carts stay until the next fold.
func (a *asking) forgetCarts(ctx context.Context, conn *pgxpool.Conn) {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var partitions []string
		batch := &pgx.Batch{}
		batch.Queue(`select set_config('lock_timeout', $1::text, true)`, fmt.Sprint(truncateWait.Milliseconds()))
		batch.Queue(foldLock)
		batch.Queue(a.sql(oldSlots), a.now.Add(-onceIn)).Query(func(rows pgx.Rows) error {
			var slot int
			_, err := pgx.ForEachRow(rows, []any{&slot}, func() error {
				partitions = append(partitions, vectorstore.CartPartition(slot))
				return nil
			})
			return err
		})
		if err := tx.SendBatch(ctx, batch).Close(); err != nil || len(partitions) == 0 {
			return err
		}
		_, err := tx.Exec(ctx, `truncate `+strings.Join(partitions, ", "))
		return err
	})
	if err != nil {
		slog.InfoContext(ctx, "old carts stay until nobody holds their table", "error", err)
	}
}
