package answers

import "sync"

// lastTwo keeps a part of the last two versions, so that neither a swap nor a rollback loads it twice.
type lastTwo[T any] struct {
	lock sync.Mutex  // one load at a time
	kept [2]struct { // the one used last first
		version int64
		part    T
	}
}

// of returns the part of a version, and loads it if it is not kept. A part whose load fails is not kept.
func (l *lastTwo[T]) of(version int64, load func() (T, error)) (T, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.kept[0].version != version {
		l.kept[0], l.kept[1] = l.kept[1], l.kept[0]
	}
	if l.kept[0].version == version {
		return l.kept[0].part, nil
	}
	// The swap above has put the least used one first, so an error loses nothing.
	part, err := load()
	if err == nil {
		l.kept[0].version, l.kept[0].part = version, part
	}
	return part, err
}
