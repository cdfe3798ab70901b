package main

import (
	"bytes"
	"testing"

	"recsys/infra/local/testbed/trainingtest"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/training"
)

// The bare limit of BenchmarkPartitionWrite: encoding alone, without S3.
func BenchmarkSplitter(b *testing.B) {
	const customers, rows = 1000, 50
	var numbers []int32
	for i := range int32(customers) {
		numbers = append(numbers, i)
	}
	h, in := setup(b, numbers, rows), event(b)
	table, err := training.OpenTable[trainingtest.Row](b.Context(), h.Lake, lake.RangeKey(in.ID, in.Range.Index))
	if err != nil {
		b.Fatal(err)
	}
	defer table.Close()
	var buffer bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		split := newSplitter(shape.Lab, func() *bytes.Buffer { buffer.Reset(); return &buffer })
		split.done = func(lake.Partition, *bytes.Buffer) error { return nil }
		if err := split.all(table.File); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*customers*rows/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(b.N)*customers/b.Elapsed().Seconds(), "objects/s")
}
