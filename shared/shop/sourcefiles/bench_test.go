package sourcefiles

import (
	"bytes"
	"fmt"
	"testing"

	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/lake"
	"recsys/shared/shop/shopfile"
)

// BenchmarkSplit parts a million purchases with times, of a hundred thousand customers, into four ranges.
func BenchmarkSplit(b *testing.B) {
	const rows, customers = 1_000_000, 100_000
	store, _ := s3test.ForTest(b, "lake")
	var content bytes.Buffer
	content.WriteString("customer,product,at,quantity\n")
	for i := range rows {
		fmt.Fprintf(&content, "%d,sku-%d,2010-10-%02dT23:55:27Z,%d\n", i*7919%customers, i%5000, 1+i%28, 1+i%3)
	}
	if _, err := store.Put(b.Context(), lake.SourcePrefix+"orders.csv", bytes.NewReader(content.Bytes())); err != nil {
		b.Fatal(err)
	}
	shop, err := shopfile.Parse([]byte("interactions: {orders: {type: purchase, files: orders.csv}}"), "orders.yaml")
	if err != nil {
		b.Fatal(err)
	}
	content = bytes.Buffer{}
	b.ReportAllocs()
	for b.Loop() {
		split, err := Source{store}.Read(b.Context(), shop, 250_000, 400)
		if err != nil {
			b.Fatal(err)
		}
		if err := split.Write(b.Context(), store, "run"); err != nil {
			b.Fatal(err)
		}
		if err := split.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
}
