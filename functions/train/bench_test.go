package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/als"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// BenchmarkTrain trains twice, as a run does, from the snapshot's Parquet to the artifacts. The ratings have the
// shapes of MovieLens-1M and MovieLens-20M. ratings/s counts the whole. The peak of memory is the process's, with the
// S3 server in it.
func BenchmarkTrain(b *testing.B) {
	for _, shape := range []struct {
		name                      string
		customers, items, ratings int
		neighbours                string
	}{{"OneMillion", 6_040, 3_706, 1_000_000, "off"}, {"OneMillionWithKNN", 6_040, 3_706, 1_000_000, "knn"},
		{"OneMillionWithEASE", 6_040, 3_706, 1_000_000, "ease"}, {"TwentyMillion", 138_493, 26_744, 20_000_000, "off"}} {
		b.Run(shape.name, func(b *testing.B) {
			bench := setup(b)
			bench.Options, bench.Neighbours = als.Default(), shape.neighbours
			rows := bench.publishSkewed(shape.customers, shape.items, shape.ratings)
			for b.Loop() {
				b.StopTimer()
				_, _ = bench.Lake.DeletePrefix(b.Context(), "runs/")
				b.StartTimer()
				if out := bench.train("run", `{}`); out.Ratings != rows {
					b.Fatalf("trained on %d ratings, want %d", out.Ratings, rows)
				}
			}
			var usage syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "ratings/s")
			b.ReportMetric(float64(usage.Maxrss)/1024, "peak-MiB")
		})
	}
}

// publishSkewed makes a snapshot of about so many ratings: some customers rate ten times as much as others, and the first
// items far more often than the last ones. It returns how many there are.
func (b *bench) publishSkewed(customers, items, ratings int) (rows int64) {
	b.t.Helper()
	file, err := objectstore.Scratch()
	b.must(err)
	defer file.Close()
	w := training.NewWriter[trainingtest.Row](file)
	codes := make([]string, items)
	for i := range codes {
		codes[i] = fmt.Sprintf("S%05d", i)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for customer := range customers {
		wanted := int(float64(ratings) / float64(customers) * (0.2 + 1.6*random.Float64()))
		var chosen []int
		for range wanted + wanted/4 {
			chosen = append(chosen, int(float64(items)*math.Pow(random.Float64(), 2.5)))
		}
		slices.Sort(chosen)
		chosen = slices.Compact(chosen)
		for _, item := range chosen {
			b.must(w.Append(trainingtest.Row{CustomerNumber: int32(customer), City: codes[customer%500], Country: codes[customer%50],
				ProductCode: codes[item], ProductLine: codes[item%7], ProductScale: codes[item%5], ProductRating: int32(1 + (customer+item)%5)}))
			rows++
		}
	}
	b.must(w.Close())
	_, err = b.Lake.PutFile(b.t.Context(), lake.RangeKey("skewed", 0), file)
	b.must(err)
	b.put(lake.ManifestKey("skewed"), lake.Manifest{Snapshot: "skewed", Ranges: 1, Rows: rows})
	b.put(lake.LatestKey, lake.Latest{Snapshot: "skewed"})
	return rows
}
