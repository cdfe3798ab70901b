package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pgvector/pgvector-go"

	"recsys/infra/local/aws/s3"
	"recsys/infra/local/db/postgres"
	"recsys/infra/local/testbed"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// bench is a handler on real servers, with an empty vector database and an empty bucket.
type bench struct {
	*Handler
	t      testing.TB
	server *postgres.Server
	s3     *s3.Server
	name   string
}

func setup(t *testing.T, server *postgres.Server) *bench {
	t.Helper()
	b := &bench{t: t, server: server, name: strings.ToLower(strings.NewReplacer("/", "_", "-", "_").Replace(t.Name()))}
	owner, err := server.NewDatabase(t.Context(), b.name)
	b.must(err)
	conn, err := pgx.Connect(t.Context(), owner)
	b.must(err)
	b.must(vectorstore.Bootstrap(t.Context(), conn))
	b.must(conn.Close(t.Context()))
	b.s3, err = s3.Start(t.Context(), s3.Config{Dir: t.TempDir()})
	b.must(err)
	t.Cleanup(func() { b.s3.Close() })
	b.must(b.s3.CreateBucket("artifacts"))
	for key, value := range map[string]string{
		"AWS_ENDPOINT_URL_S3": b.s3.URL(), "AWS_REGION": "eu-central-1", "AWS_MAX_ATTEMPTS": "1",
		"AWS_ACCESS_KEY_ID": "vector-index", "AWS_SECRET_ACCESS_KEY": "local",
	} {
		t.Setenv(key, value)
	}
	client, err := objectstore.NewClient(t.Context())
	b.must(err)
	b.Handler = &Handler{
		Artifacts: objectstore.New(client, "artifacts"), DB: b.pool(vectorstore.LoaderRole),
		Index: HNSW{16, 64}, Target: 0.95, Queries: 100, KeepVersions: 3,
	}
	return b
}

func (b *bench) pool(role string) *pgxpool.Pool {
	pool, err := vectorstore.Connect(b.t.Context(), vectorstore.Config{
		VectorStore: settings.VectorStore{URL: b.server.URLOf(role, b.name)}, Application: "vector-index", LockTimeout: 200 * time.Millisecond,
	})
	b.must(err)
	b.t.Cleanup(pool.Close)
	return pool
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// load makes the next version, of random vectors, with an artifact in the bucket.
func (b *bench) load(dimension int, items, users [][]float32, metric distance.Metric) (version int64) {
	b.t.Helper()
	ctx := b.t.Context()
	var count int
	b.must(b.DB.QueryRow(ctx, `select count(*) + 1 from recsys.embedding_version`).Scan(&count))
	artifacts := map[string]string{"n": fmt.Sprint(count)}
	version, err := vectorstore.Allocate(ctx, b.DB, fmt.Sprintf("run-%d", count), metric, artifacts, false)
	b.must(err)
	_, err = b.Artifacts.Put(ctx, lake.VersionKey(version, lake.ItemEmbeddingsKey), strings.NewReader("items"))
	b.must(err)
	_, err = vectorstore.Load{
		Version: version, Artifacts: artifacts, Dimension: dimension,
		Items: pgx.CopyFromSlice(len(items), func(i int) ([]any, error) {
			return []any{fmt.Sprintf("S%d", i), pgvector.NewVector(items[i])}, nil
		}),
		Users: pgx.CopyFromSlice(len(users), func(i int) ([]any, error) { return []any{int32(i), pgvector.NewVector(users[i])}, nil }),
	}.Run(ctx, b.DB)
	b.must(err)
	return version
}

// small loads a version of a few items; which does not matter.
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

func (b *bench) handle(in workflow.IndexInput) workflow.Indexed {
	b.t.Helper()
	out, err := b.Handle(b.t.Context(), in)
	b.must(err)
	return out
}

// strings runs a query of one text column.
func (b *bench) texts(sql string, args ...any) []string {
	b.t.Helper()
	rows, err := b.DB.Query(b.t.Context(), sql, args...)
	b.must(err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	b.must(err)
	return list
}

// waitFor polls until the query says true.
func (b *bench) waitFor(sql string) {
	b.t.Helper()
	deadline, tick := time.After(testbed.Patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	observer := b.pool(vectorstore.ReaderRole)
	for {
		var done bool
		b.must(observer.QueryRow(b.t.Context(), sql).Scan(&done))
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			b.t.Fatal("waited in vain for: ", sql)
		}
	}
}
