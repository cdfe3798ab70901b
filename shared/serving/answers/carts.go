package answers

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
	"recsys/shared/stream/activity"
)

// How carts become trends. Each batch adds its carts to vectorstore.CartTable, a session's item once an hour. About once a minute a
// batch counts the new ones into vectorstore.TrendingTable, which is one row. No row is changed with each batch, because an
// analyst's open transaction or a pg_dump keeps the dead ones: a table with many of them gets slower by the minute.

const (
	// maxCarted is how many items of a session's cart count.
	maxCarted = 10
	// CountCartsEvery is how far the trends are behind, while carts come.
	CountCartsEvery = time.Minute
	// SlotTime is how long carts go into one partition.
	SlotTime = 30 * time.Minute
	// onceIn is how long a session's item counts once. A partition without a younger cart is emptied.
	onceIn = 2 * SlotTime
	// truncateWait is how long emptying a partition may hold up the carts of others. It is tried again with each count.
	truncateWait = 50 * time.Millisecond

	// KeptTrends is how many items the trends keep. It bounds the rows that a batch reads, for any number of carts.
	KeptTrends = 200
	// hotTrends is how many of them, the first ones, a list is filled from.
	hotTrends = 100
	// maxHalvings and leastScore bound a decay, because PostgreSQL refuses a result that float8 cannot hold. A lower
	// score counts as leastScore.
	maxHalvings = 200
	leastScore  = 1e-100
)

// Each transaction below begins with one of these. None waits for the disk. None reads a whole table, because the planner plans
// once, perhaps while the table is empty. The lock of a count waits until all carts that have a number are committed.
const (
	quick     = `select set_config('synchronous_commit', 'off', true), set_config('enable_seqscan', 'off', true), `
	addLock   = quick + `pg_advisory_xact_lock_shared(hashtext('recsys.trend'))`
	countLock = quick + `pg_advisory_xact_lock(hashtext('recsys.trend'))`
)

// slotPeriod returns the number of the slot's time since 1970. A later period has the same slot, but not the same key.
func slotPeriod(now time.Time) int64 { return now.Unix() / int64(SlotTime/time.Second) }

// keepTrends adds the carts of a batch in a trip of their own, if there are any, and counts them if it is time. A failure costs the
// batch its trends and nothing else.
func (s *Service) keepTrends(ctx context.Context, conn *pgxpool.Conn, q *batchQuery) {
	carts := cartsOf(q.records)
	if len(carts.items) == 0 || !q.trends() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	due, err := s.addCarts(ctx, conn, q, carts)
	if err != nil {
		slog.WarnContext(ctx, "the carts of this batch are not in the trends", "error", err)
		return
	}
	if !due {
		return
	}
	old, err := s.countCarts(ctx, conn, q)
	if err != nil {
		slog.WarnContext(ctx, "the trends stay as they are until the next batch counts the carts", "error", err)
		return
	}
	if old {
		s.forgetCarts(ctx, conn, q)
	}
}

// carts is pairs of a session and an item in its cart.
type carts struct {
	sessions []pgtype.UUID // hashes
	items    []string
	folded   []string // the items without regard to case
}

func cartsOf(records []recordQuery) (c carts) {
	for _, r := range records {
		hash := sha256.Sum256([]byte(r.record.Session))
		for _, item := range latestCarted(r.record.Products) {
			c.sessions = append(c.sessions, pgtype.UUID{Bytes: [16]byte(hash[:16]), Valid: true})
			c.items, c.folded = append(c.items, item), append(c.folded, productcode.Fold(item))
		}
	}
	return c
}

// latestCarted returns the products in the cart, the latest first, at most maxCarted.
func latestCarted(products []activity.Product) (codes []string) {
	for k := len(products) - 1; k >= 0 && len(codes) < maxCarted; k-- {
		if products[k].InCart {
			codes = append(codes, products[k].Code)
		}
	}
	return codes
}

// addCarts adds the pairs that are new and reports whether it is time to count them.
func (s *Service) addCarts(ctx context.Context, conn *pgxpool.Conn, q *batchQuery, c carts) (due bool, err error) {
	period := slotPeriod(q.now)
	batch := &pgx.Batch{}
	batch.Queue(addLock)
	batch.Queue(s.texts.text("add_carts.sql", q.statement()),
		c.sessions, c.items, period%vectorstore.CartSlots, q.now, c.folded, period, q.now.Add(-onceIn))
	batch.Queue(s.texts.text("carts_due.sql", q.statement()), q.now.Add(-s.CountEvery), q.now).QueryRow(func(row pgx.Row) error { return row.Scan(&due) })
	return due, conn.SendBatch(ctx, batch).Close()
}

// countCarts adds the new carts to the trends and reports whether a partition holds nothing but old carts.
func (s *Service) countCarts(ctx context.Context, conn *pgxpool.Conn, q *batchQuery) (old bool, err error) {
	batch := &pgx.Batch{}
	batch.Queue(countLock)
	batch.Queue(s.texts.text("count_carts.sql", q.statement()), q.now)
	batch.Queue(`select exists (`+s.texts.text("old_slots.sql", q.statement())+`)`, q.now.Add(-onceIn)).QueryRow(func(row pgx.Row) error { return row.Scan(&old) })
	return old, conn.SendBatch(ctx, batch).Close()
}

// forgetCarts empties the partitions that hold nothing but old carts. It looks again under the lock of a count, because another
// batch may have added a cart. A pg_dump holds the partitions' locks. Then the carts stay until the next count.
func (s *Service) forgetCarts(ctx context.Context, conn *pgxpool.Conn, q *batchQuery) {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var partitions []string
		batch := &pgx.Batch{}
		batch.Queue(`select set_config('lock_timeout', $1::text, true)`, fmt.Sprint(truncateWait.Milliseconds()))
		batch.Queue(countLock)
		batch.Queue(s.texts.text("old_slots.sql", q.statement()), q.now.Add(-onceIn)).Query(func(rows pgx.Rows) error {
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
