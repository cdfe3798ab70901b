package answers

import (
	"context"
	"errors"
	"testing"
)

func TestALoadOutlivesItsCaller(t *testing.T) {
	var l lastTwo[string]
	loads, goOn := 0, make(chan struct{})
	slow := func(ctx context.Context) (string, error) {
		loads++
		<-goOn
		return "part", ctx.Err()
	}
	hurried, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		if _, err := l.of(hurried, 1, slow); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	close(goOn)
	if part, err := l.of(t.Context(), 1, slow); part != "part" || err != nil || loads != 1 {
		t.Errorf("%q, %v after %d loads", part, err, loads)
	}
}

func TestTheLastTwoAreKept(t *testing.T) {
	var l lastTwo[int64]
	loads := 0
	for _, use := range []struct {
		version int64
		loads   int
	}{{1, 1}, {2, 2}, {1, 2}, {2, 2}, {3, 3}, {2, 3}, {3, 3}, {1, 4}} {
		part, err := l.of(t.Context(), use.version, func(context.Context) (int64, error) { loads++; return use.version, nil })
		if part != use.version || err != nil || loads != use.loads {
			t.Errorf("version %d: %d, %v after %d loads, want %d", use.version, part, err, loads, use.loads)
		}
	}
	if _, err := l.of(t.Context(), 4, func(context.Context) (int64, error) { return 0, errors.New("S3 is away") }); err == nil {
		t.Error("a load that failed was kept")
	}
	if part, err := l.of(t.Context(), 4, func(context.Context) (int64, error) { return 4, nil }); part != 4 || err != nil {
		t.Errorf("after a load that failed: %d, %v", part, err)
	}
}
