package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"recsys/infra/local/testbed/postgrestest"
	"recsys/infra/local/testbed/versiontest"
	servers "recsys/infra/local/testbed/world"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/dense"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

const (
	benchItems     = 27_000
	benchDimension = 128
	benchBlock     = 64
)

// BenchmarkExport exports lists of 20 for all customers: the function's whole range, with PostgreSQL next to it. The bare kernel
// scores the same pairs and keeps nothing. EXPORT_VECTORS names a folder that gets the vectors as raw float32, for other programs.
func BenchmarkExport(b *testing.B) {
	for _, customers := range []int{13_800, 138_000} {
		for _, blends := range []bool{false, true} {
			b.Run(fmt.Sprintf("customers=%d/blend=%t", customers, blends), func(b *testing.B) {
				vectors := randomVectors(customers+benchItems, benchDimension)
				users, items := vectors[:customers*benchDimension], vectors[customers*benchDimension:]
				dump(b, users, items)
				h, plan, active := loaded(b, users, items, blends)
				part := workflow.ListRange{List: lake.ExportedCustomers}
				b.Run("export", func(b *testing.B) {
					for b.Loop() {
						file, err := h.write(b.Context(), plan, active, part)
						if err != nil || file.lists != int64(customers) {
							b.Fatal(err)
						}
						file.Close()
					}
					b.ReportMetric(float64(customers*b.N)/b.Elapsed().Seconds(), "customers/s")
				})
				b.Run("bare kernel", func(b *testing.B) {
					scorer := dense.NewScorer(items, benchDimension)
					for b.Loop() {
						scoreAll(scorer, users)
					}
					b.ReportMetric(float64(customers*b.N)/b.Elapsed().Seconds(), "customers/s")
				})
			})
		}
	}
}

func randomVectors(n, dimension int) []float32 {
	chance := rand.New(rand.NewPCG(1, 1))
	vectors := make([]float32, n*dimension)
	for i := range vectors {
		vectors[i] = float32(chance.NormFloat64())
	}
	return vectors
}

func dump(b *testing.B, users, items []float32) {
	folder := os.Getenv("EXPORT_VECTORS")
	if folder == "" {
		return
	}
	for name, vectors := range map[string][]float32{"users.f32": users, "items.f32": items} {
		file, err := os.Create(filepath.Join(folder, name))
		if err == nil {
			err = binary.Write(file, binary.LittleEndian, vectors)
			file.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// scoreAll scores all pairs, block by block, on all cores.
func scoreAll(scorer *dense.Scorer, users []float32) {
	var working sync.WaitGroup
	blocks := make(chan []float32)
	for range runtime.GOMAXPROCS(0) {
		working.Go(func() {
			scores := make([]float32, benchBlock*scorer.Items())
			for block := range blocks {
				scorer.Scores(scores[:len(block)/benchDimension*scorer.Items()], block)
			}
		})
	}
	for from := 0; from < len(users); from += benchBlock * benchDimension {
		blocks <- users[from:min(from+benchBlock*benchDimension, len(users))]
	}
	close(blocks)
	working.Wait()
}

// loaded returns a handler over a version with these vectors, and a plan to export it. The version has no index, which an export does
// not need.
func loaded(b *testing.B, users, items []float32, blends bool) (*Handler, workflow.ExportPlan, vectorstore.ActiveVersion) {
	w := servers.New(b, postgrestest.ForTest(b))
	lakeBucket, artifacts := w.Bucket("lake"), w.Bucket("artifacts")
	loader, reader := w.Pool(vectorstore.LoaderRole), w.Pool(vectorstore.ReaderRole, func(c *vectorstore.Config) { c.MaxConns, c.Repeating = workflow.RecommendConnections, true })
	named := map[string]string{"run": "bench"}
	number, err := vectorstore.Allocate(b.Context(), loader, "bench", distance.InnerProduct, named, false)
	w.Must(err)
	chance := rand.New(rand.NewPCG(2, 2))
	load := vectorstore.Load{Version: number, Artifacts: named, Dimension: benchDimension, Catalogue: putCatalogue(w, artifacts, number, items),
		Items: vectorRows(len(items)/benchDimension, func(i int) any { return benchProduct(i) }, items),
		Users: vectorRows(len(users)/benchDimension, func(i int) any { return int32(i) }, users)}
	load.Snapshot = vectorstore.Snapshot{Name: "s", Of: time.Unix(1, 0), Rated: somePurchases(chance, len(users)/benchDimension)}
	if blends {
		n := someNeighbours(chance, benchItems, 100, benchProduct)
		var content bytes.Buffer
		_, err := n.WriteTo(&content)
		w.Must(err)
		_, err = artifacts.Put(b.Context(), lake.VersionKey(number, lake.NeighboursKey), bytes.NewReader(content.Bytes()))
		w.Must(err)
		load.Neighbours = &vectorstore.Neighbours{Kind: n.Kind, Beta: n.Beta, Rows: pgx.CopyFromRows(nil)} // an export reads the file
	}
	_, err = load.Run(b.Context(), loader)
	w.Must(err)
	versiontest.Activate(b, loader, number)
	active, _, err := vectorstore.ReadActive(b.Context(), reader)
	w.Must(err)
	h := New(settings.Default[settings.Export](), reader, lakeBucket, artifacts, Catalog{})
	return h, workflow.ExportPlan{Version: number, Snapshot: active.Snapshot, Limit: 20, Format: "parquet"}, active
}

func benchProduct(i int) string { return fmt.Sprintf("P-%05d", i) }

func putCatalogue(w *servers.World, artifacts *objectstore.Store, number int64, items []float32) (sum string) {
	var content bytes.Buffer
	out, err := blend.NewCatalogueWriter(&content, distance.InnerProduct, benchDimension)
	w.Must(err)
	for i := range len(items) / benchDimension {
		w.Must(out.Add(benchProduct(i), items[i*benchDimension:][:benchDimension]))
	}
	sum, err = out.Close()
	w.Must(err)
	_, err = artifacts.Put(w.Context(), lake.VersionKey(number, lake.CatalogueKey), bytes.NewReader(content.Bytes()))
	w.Must(err)
	return sum
}

func vectorRows(n int, id func(int) any, vectors []float32) pgx.CopyFromSource {
	return pgx.CopyFromSlice(n, func(i int) ([]any, error) {
		return []any{id(i), pgvector.NewVector(vectors[i*benchDimension:][:benchDimension])}, nil
	})
}

// somePurchases gives each customer ten products.
func somePurchases(chance *rand.Rand, customers int) pgx.CopyFromSource {
	return pgx.CopyFromSlice(10*customers, func(i int) ([]any, error) {
		part := benchItems / 10 // one product of each tenth, so that none comes twice
		return []any{int32(i / 10), benchProduct(i%10*part + chance.IntN(part))}, nil
	})
}
