package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"recsys/infra/local/db/postgres"
	"recsys/infra/local/testbed"
	"recsys/infra/local/testbed/world"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/store/vectorstore"
)

// bench is a handler on real servers, with an empty vector database and an empty bucket.
type bench struct {
	*Handler
	*world.World
}

func setup(t *testing.T, server *postgres.Server) *bench {
	t.Helper()
	w := world.New(t, server)
	return &bench{&Handler{
		Artifacts: w.Bucket("artifacts"), Index: HNSW{16, 64}, Target: 0.95, Queries: 100, KeepVersions: 3,
		DB: w.Pool(vectorstore.LoaderRole, func(c *vectorstore.Config) { c.LockTimeout = 200 * time.Millisecond }),
	}, w}
}

// load makes the next version of vectors, with an artifact in the bucket.
func (b *bench) load(dimension int, items, users [][]float32, metric distance.Metric, change ...func(*vectorstore.Load)) (version int64) {
	b.Helper()
	ctx := b.Context()
	var count int
	b.Must(b.DB.QueryRow(ctx, `select count(*) + 1 from recsys.embedding_version`).Scan(&count))
	artifacts := map[string]string{"n": fmt.Sprint(count)}
	version, err := vectorstore.Allocate(ctx, b.DB, fmt.Sprintf("run-%d", count), metric, artifacts, false)
	b.Must(err)
	_, err = b.Artifacts.Put(ctx, lake.VersionKey(version, lake.ItemEmbeddingsKey), strings.NewReader("items"))
	b.Must(err)
	load := vectorstore.Load{
		Version: version, Artifacts: artifacts, Dimension: dimension,
		Items: pgx.CopyFromSlice(len(items), func(i int) ([]any, error) {
			return []any{fmt.Sprintf("S%d", i), pgvector.NewVector(items[i])}, nil
		}),
		Users: pgx.CopyFromSlice(len(users), func(i int) ([]any, error) { return []any{int32(i), pgvector.NewVector(users[i])}, nil }),
	}
	for _, change := range change {
		change(&load)
	}
	_, err = load.Run(ctx, b.DB)
	b.Must(err)
	return version
}

// small loads a version of a few items. Their vectors do not matter.
func (b *bench) small(dimension int) (version int64) {
	return b.load(dimension, vectors(50, dimension, 1), vectors(10, dimension, 2), distance.Cosine)
}

// vectors are normally distributed, seeded.
func vectors(n, dimension int, seed uint64) [][]float32 {
	random := rand.New(rand.NewPCG(seed, seed))
	list := make([][]float32, n)
	for i := range list {
		list[i] = make([]float32, dimension)
		for j := range list[i] {
			list[i][j] = float32(random.NormFloat64())
		}
	}
	return list
}

func (b *bench) input(version int64) workflow.IndexInput {
	return workflow.IndexInput{Run: workflow.Run{ID: fmt.Sprintf("run-%d", version), StartedAt: time.Unix(1, 0)}, Version: version}
}

func rollback(run string) workflow.IndexInput {
	return workflow.IndexInput{Run: workflow.Run{ID: run, StartedAt: time.Unix(1, 0)}, Rollback: true}
}

func reactivate(run string, version int64) workflow.IndexInput {
	return workflow.IndexInput{Run: workflow.Run{ID: run, StartedAt: time.Unix(1, 0)}, Activate: version}
}

func (b *bench) handle(in workflow.IndexInput) workflow.Indexed {
	b.Helper()
	out, err := b.Handle(b.Context(), in)
	b.Must(err)
	return out
}

// texts runs a query of one text column.
func (b *bench) texts(sql string, args ...any) []string {
	b.Helper()
	return b.Texts(b.DB, sql, args...)
}

// waitFor polls until the query says true.
func (b *bench) waitFor(sql string) {
	b.Helper()
	observer := b.Pool(vectorstore.ReaderRole)
	testbed.Eventually(b, sql, func() (done bool) {
		b.Must(observer.QueryRow(b.Context(), sql).Scan(&done))
		return done
	})
}
