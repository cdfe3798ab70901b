package main

import (
	"testing"

	"recsys/shared/store/vectorstore"
)

// A node of 32 dimensions and m = 16 takes 896 bytes, and a quarter more with the allocator's overhead.
func TestABuildTakesNoMoreThanTheServersBuffers(t *testing.T) {
	for _, c := range []struct{ items, buffers, want int64 }{
		{100, 256, 64},           // PostgreSQL's default
		{200_000, 256, 213},      // as much as the graph takes
		{2_000_000, 256, 256},    // a t4g.small
		{2_000_000, 4096, 2136},  // an r8g.large
		{2_000_000, 16, 64},      // a server with hardly any
		{20_000_000, 4096, 4096}, // finished on disk
	} {
		got := HNSW{M: 16}.memory(vectorstore.Record{ItemCount: c.items, Dimension: 32}, c.buffers)
		if got != c.want {
			t.Errorf("%d items, buffers of %d MB: %d MB, want %d", c.items, c.buffers, got, c.want)
		}
	}
}
