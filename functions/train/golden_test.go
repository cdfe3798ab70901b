package main

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"testing"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/als"
	"recsys/shared/learn/dense"
)

// The artifacts of the lab's shop stay the same to the byte, searched and not. The hash without a search is that of the first release
// that reads other shops too.
func TestTheLabsArtifactsStay(t *testing.T) {
	if runtime.GOARCH != "amd64" || !dense.Vectorised() {
		t.Skip("the hashes are those of x86-64's vector kernels: logarithms and sums have other last bits elsewhere")
	}
	b := setup(t)
	b.publish("monday", 1)
	b.train("plain", `{}`)
	for _, b.Neighbours = range []string{lake.KNN, lake.EASE} {
		b.train(b.Neighbours, `{}`)
	}
	b.Neighbours = "auto"
	b.publishShop("tuesday", 2, 100, 80, 1200)
	b.Search, b.Options.Factors, b.Options.Iterations = true, 16, als.Default().Iterations
	b.Options.Pinned.Iterations = false
	b.train("searched", `{}`)
	for run, want := range map[string]string{"plain": "c24161f7ca0ee6e9", "knn": "bc2edfc4c1dff12f", "ease": "03091077f22ce9ee", "searched": "f40bffa31060054c"} {
		sum := sha256.New()
		artifacts := b.trained(run)
		for _, key := range slices.Sorted(maps.Keys(artifacts)) {
			fmt.Fprintf(sum, "%s %d\n", key, len(artifacts[key]))
			sum.Write(artifacts[key])
		}
		if got := fmt.Sprintf("%x", sum.Sum(nil))[:16]; got != want {
			t.Errorf("%s: the hash of all artifacts is %s, want %s", run, got, want)
		}
	}
}
