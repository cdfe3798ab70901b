package vectorstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// transact runs work in a transaction. work names its own errors. Those of begin and commit get theirs here.
func transact(ctx context.Context, pool *pgxpool.Pool, doing string, work func(pgx.Tx) error) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return Wrap("beginning: "+doing, err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) // nothing to do after a commit
	if err := work(tx); err != nil {
		return err
	}
	return Wrap("committing: "+doing, tx.Commit(ctx))
}

const (
	lockAttempts = 12
	lockPause    = 250 * time.Millisecond // doubles up to lockPauseMax: about half a minute beside the lock_timeouts
	lockPauseMax = 4 * time.Second
)

// transactWhenFree is transact, tried again while others hold a lock that work needs: a reader in the middle
// of a long query on a view. Between two attempts the readers that queue behind us get their turn.
func transactWhenFree(ctx context.Context, pool *pgxpool.Pool, doing string, work func(pgx.Tx) error) error {
	pause := lockPause
	for attempt := 1; ; attempt++ {
		err := transact(ctx, pool, doing, work)
		if !HasCode(err, LockNotAvailable) || attempt == lockAttempts {
			return err
		}
		select {
		case <-ctx.Done():
			return Wrap(doing, ctx.Err())
		case <-time.After(pause):
		}
		pause = min(2*pause, lockPauseMax)
	}
}

func execute(ctx context.Context, tx pgx.Tx, statements ...string) error {
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
