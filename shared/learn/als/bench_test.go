package als

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// MovieLens-20M's customers and items, with half its ratings (those of 4 and more, by which others measure) and with
// all. The processor's time counts in addition to the clock's, because it also holds on a machine with other work.
func BenchmarkIteration(b *testing.B) {
	for _, millions := range []int{10, 20} {
		data := generate(1, 138_493, 26_744, millions*1_000_000)
		for _, workers := range []int{1, 2} {
			for _, factors := range []int{16, 32, 64, 128} {
				b.Run(fmt.Sprintf("ratings=%dM/factors=%d/workers=%d", millions, factors, workers), func(b *testing.B) {
					benchmarkIteration(b, data, factors, workers)
				})
			}
		}
	}
}

func benchmarkIteration(b *testing.B, data Data, factors, workers int) {
	o := Default()
	o.Factors, o.Workers = factors, workers
	t, err := newTraining(data, o)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		if _, err := t.iterate(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	used := processorTime(b) - before
	b.ReportMetric(float64(len(data.Ratings.Columns)*b.N)/b.Elapsed().Seconds(), "ratings/s")
	b.ReportMetric(used.Seconds()/float64(b.N), "core-s/op")
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
