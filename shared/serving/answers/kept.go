package answers

import (
	"context"
	"sync"
	"time"
)

// loadPatience bounds a load.
const loadPatience = time.Minute

// lastTwo keeps a part of the last two versions, so that neither a swap nor a rollback loads it twice. A load goes on when the one
// who began it has no more time. Otherwise one that takes longer than a request would begin with each request, and never end.
type lastTwo[T any] struct {
	lock sync.Mutex
	kept [2]struct { // the one used last first
		version int64
		part    T
	}
	loading *load[T] // nil: none is under way
}

// load is under way until done is closed.
type load[T any] struct {
	version int64
	done    chan struct{}
	part    T
	err     error
}

// of returns the part of a version, and loads it if it is not kept. A part whose load fails is not kept.
func (l *lastTwo[T]) of(ctx context.Context, version int64, read func(context.Context) (T, error)) (T, error) {
	part, under := l.begin(ctx, version, read)
	if under == nil {
		return part, nil
	}
	select {
	case <-under.done:
		return under.part, under.err
	case <-ctx.Done():
		return part, ctx.Err()
	}
}

// begin returns the part, or the load that one may wait for.
func (l *lastTwo[T]) begin(ctx context.Context, version int64, read func(context.Context) (T, error)) (none T, _ *load[T]) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.kept[1].version == version {
		l.kept[0], l.kept[1] = l.kept[1], l.kept[0]
	}
	if l.kept[0].version == version {
		return l.kept[0].part, nil
	}
	if l.loading == nil || l.loading.version != version {
		l.loading = &load[T]{version: version, done: make(chan struct{})}
		go l.run(context.WithoutCancel(ctx), l.loading, read)
	}
	return none, l.loading
}

func (l *lastTwo[T]) run(ctx context.Context, under *load[T], read func(context.Context) (T, error)) {
	ctx, cancel := context.WithTimeout(ctx, loadPatience)
	defer cancel()
	under.part, under.err = read(ctx)
	l.lock.Lock()
	defer l.lock.Unlock()
	if under.err == nil {
		l.kept[1] = l.kept[0]
		l.kept[0].version, l.kept[0].part = under.version, under.part
	}
	if l.loading == under {
		l.loading = nil
	}
	close(under.done)
}
