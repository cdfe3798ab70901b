package evaluation

import (
	"context"
	"fmt"
	"testing"

	"recsys/shared/contract/distance"
)

// BenchmarkEvaluate has MovieLens-20M's number of items and of dimensions and a part of its customers.
func BenchmarkEvaluate(b *testing.B) {
	const customers, items, dimension = 1000, 27_000, 32
	train, heldOut := chanceMatrices(customers, items, 140, 1)
	model, err := NewEmbeddings(distance.InnerProduct, dimension, vectors(customers, dimension, 0, 1), vectors(items, dimension, 0, 2))
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range []struct {
		name   string
		scorer Scorer
	}{{"embeddings", model}, {"popularity", Popularity(ratingsOf(train))}, {"random", Random(1)}} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", s.name, workers), func(b *testing.B) {
				b.ReportAllocs()
				judged := 0
				for b.Loop() {
					r, err := Evaluate(context.Background(), HoldOut{Train: train, HeldOut: heldOut}, s.scorer, workers)
					if err != nil {
						b.Fatal(err)
					}
					judged += r.Customers
				}
				b.ReportMetric(float64(judged)/b.Elapsed().Seconds(), "customers/s")
			})
		}
	}
}

func BenchmarkInterval(b *testing.B) {
	values := make([]float64, 138_000)
	for i := range values {
		values[i] = float64(i%100) / 100
	}
	for b.Loop() {
		meanInterval(values, defaultResamples, 1)
	}
}
