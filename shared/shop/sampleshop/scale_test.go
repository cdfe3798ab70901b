package sampleshop

import (
	"io"
	"runtime"
	"testing"
)

// heapWatch counts bytes. Every 4 MiB it notes the heap's live bytes after a collection.
type heapWatch struct{ written, looked, most uint64 }

func (h *heapWatch) Write(p []byte) (int, error) {
	h.written += uint64(len(p))
	if h.written-h.looked >= 4<<20 {
		h.looked = h.written
		h.most = max(h.most, alive())
	}
	return len(p), nil
}

func alive() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func million() Options {
	o := Default()
	o.Customers, o.Products, o.Ratings = 40_000, 2_000, 1_000_000
	return o
}

func TestMemoryDoesNotGrowWithRatings(t *testing.T) {
	before := alive()
	var watch heapWatch
	if err := WriteSQL(&watch, million()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MB written with at most %d kB alive", watch.written/1e6, (watch.most-before)/1000)
	const limit = 16 << 20
	if watch.written < 20_000_000 || watch.most-before > limit {
		t.Errorf("%d bytes written with %d alive on the heap, want at most %d", watch.written, watch.most-before, limit)
	}
}

func BenchmarkWriteSQL(b *testing.B) {
	ratingsOnly := million()
	ratingsOnly.OmitOrders = true
	for name, o := range map[string]Options{"default": Default(), "million": million(), "million-without-orders": ratingsOnly} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := WriteSQL(io.Discard, o); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(o.Ratings)*float64(b.N)/b.Elapsed().Seconds(), "ratings/s")
		})
	}
}

func BenchmarkWriteSessions(b *testing.B) {
	const sessions = 10_000
	b.ReportAllocs()
	for b.Loop() {
		if err := WriteSessions(io.Discard, Default(), sessions); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(sessions*float64(b.N)/b.Elapsed().Seconds(), "sessions/s")
}
