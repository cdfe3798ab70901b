package interactions

import (
	"fmt"
	"testing"

	"recsys/infra/local/testbed/s3test"
	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/lake"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
)

// BenchmarkRead reads a snapshot of a million ratings in four ranges, of 10,000 customers and 5,000 items.
func BenchmarkRead(b *testing.B) {
	const ranges, customers, ratings, items = 4, 2500, 100, 5000
	store, _ := s3test.ForTest(b, "lake")
	for r := range ranges {
		writeRange(b, store, r, customers, ratings, items)
	}
	manifest := lake.Manifest{Snapshot: "run", Ranges: ranges, Rows: ranges * customers * ratings}
	if _, err := store.PutJSON(b.Context(), lake.ManifestKey("run"), manifest); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		snapshot, err := readAll(b, store, "run")
		if err != nil || int64(len(snapshot.Ratings.Columns)) != manifest.Rows {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(manifest.Rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func writeRange(b *testing.B, store *objectstore.Store, index, customers, ratings, items int) {
	b.Helper()
	file, err := objectstore.Scratch()
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	w := training.NewWriter[trainingtest.Row](file)
	for c := range customers {
		customer := index*customers + c
		for k := range ratings {
			row := rating(int32(customer), fmt.Sprintf("S%05d", (customer*31+k*items/ratings)%items), int32(1+k%5))
			row.City = fmt.Sprintf("City %d", customer%300)
			if err := w.Append(row); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	if _, err := store.PutFile(b.Context(), lake.RangeKey("run", index), file); err != nil {
		b.Fatal(err)
	}
}
