package answers

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"recsys/infra/local/testbed/versiontest"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/neighbours"
	"recsys/shared/store/vectorstore"
	"recsys/shared/stream/activity"
)

// TestARollbackTakesTheNeighboursAway: versions with neighbours, with vectors alone, and of a release without catalogues take turns.
// Each is answered from its own files, by one service that keeps two of them.
func TestARollbackTakesTheNeighboursAway(t *testing.T) {
	t.Parallel()
	w := setup(t)
	v := versiontest.Small()
	v.Metric = distance.InnerProduct
	earlier := versiontest.Load(w, w.loader, nil, v)
	alone := versiontest.Load(w, w.loader, w.artifacts, v)
	v.Rated = [][]any{{int32(103), "item-050"}}
	v.Neighbours = &blend.Neighbours{Kind: lake.KNN, Beta: 1, Items: []string{"item-050", "item-070"},
		Table: &neighbours.Table{Start: []int64{0, 1, 1}, Items: []int32{1}, Weights: []float32{1}}}
	with := versiontest.Load(w, w.loader, w.artifacts, v)
	for _, c := range []struct {
		version  int64
		first    string
		inMemory bool
	}{{with, "item-070", true}, {alone, "item-010", true}, {with, "item-070", true}, {earlier, "item-010", false}, {alone, "item-010", true}, {with, "item-070", true}} {
		versiontest.Activate(t, w.loader, c.version)
		answers, err := w.service.Answer(t.Context(), batchOf(t, []string{`{"customer_number":103}`}))
		w.Must(err)
		if got := answers[0]; got.Recommendation.ModelVersion != c.version || got.Recommended[0].ID != c.first || got.Recommendation.Strategy != activity.StoredVector {
			t.Errorf("version %d: %+v", c.version, got)
		}
		kept := w.service.inMemory.kept.kept[0]
		if inMemory := kept.version == c.version && kept.part != nil; inMemory != c.inMemory {
			t.Errorf("version %d is searched in memory: %t", c.version, inMemory)
		}
	}
}

// BenchmarkLoading loads the catalogue of a version from S3, as a cold start does. It reports the memory that it holds.
func BenchmarkLoading(b *testing.B) {
	w := setup(b)
	for number, shop := range []struct{ items, dimension, kept int }{{10_000, 128, 0}, {10_000, 128, 100}, {50_000, 128, 0}, {50_000, 128, 100}} {
		b.Run(fmt.Sprintf("%d products of %d numbers and %d neighbours", shop.items, shop.dimension, shop.kept), func(b *testing.B) {
			version := putRandom(b, w, int64(number+1), shop.items, shop.dimension, shop.kept)
			from := &catalogues{artifacts: w.artifacts}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			var read *catalogue
			for b.Loop() {
				var err error
				read, err = from.download(b.Context(), version)
				w.Must(err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/1e6, "MB-held")
			runtime.KeepAlive(read)
		})
	}
}

// putRandom puts the files of a version with random vectors and neighbours, and returns its row.
func putRandom(b *testing.B, w *world, number int64, items, dimension, kept int) vectorstore.ActiveVersion {
	chance := rand.New(rand.NewPCG(1, 1))
	version := vectorstore.ActiveVersion{Version: number, Dimension: dimension, Metric: distance.InnerProduct, ItemCount: int64(items)}
	put := func(key string, content []byte) {
		_, err := w.artifacts.Put(b.Context(), lake.VersionKey(number, key), bytes.NewReader(content))
		w.Must(err)
	}
	var file bytes.Buffer
	out, err := blend.NewCatalogueWriter(&file, version.Metric, dimension)
	w.Must(err)
	n := blend.Neighbours{Kind: lake.KNN, Beta: 0.5, Table: &neighbours.Table{Start: []int64{0}}}
	vector := make([]float32, dimension)
	for i := range items {
		for k := range vector {
			vector[k] = chance.Float32()
		}
		id := fmt.Sprintf("item-%06d", i)
		w.Must(out.Add(id, vector))
		n.Items = append(n.Items, id)
		targets := make([]int32, 0, kept)
		for range kept {
			targets = append(targets, chance.Int32N(int32(items)))
		}
		slices.Sort(targets)
		for _, target := range slices.Compact(targets) {
			n.Table.Items, n.Table.Weights = append(n.Table.Items, target), append(n.Table.Weights, 1)
		}
		n.Table.Start = append(n.Table.Start, int64(len(n.Table.Items)))
	}
	version.Catalogue, err = out.Close()
	w.Must(err)
	put(lake.CatalogueKey, file.Bytes())
	if kept > 0 {
		version.BlendKind, version.BlendBeta = n.Kind, n.Beta
		file.Reset()
		_, err := n.WriteTo(&file)
		w.Must(err)
		put(lake.NeighboursKey, file.Bytes())
	}
	return version
}
