package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/db/postgres"
	"recsys/infra/local/testbed/postgrestest"
	"recsys/infra/local/testbed/trainingtest"
	"recsys/infra/local/testbed/world"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/blend"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// bench is a handler on real servers, with an empty vector database and empty buckets.
type bench struct {
	*Handler
	*world.World
	runs int
}

func setup(t testing.TB, server *postgres.Server) *bench {
	t.Helper()
	w := world.New(t, server)
	return &bench{World: w, Handler: &Handler{
		Artifacts: w.Bucket("artifacts"), Lake: w.Bucket("lake"), Metric: distance.Cosine, DB: w.Pool(vectorstore.LoaderRole),
	}}
}

func (b *bench) put(store *objectstore.Store, key, content string) {
	b.Helper()
	_, err := store.Put(b.Context(), key, strings.NewReader(content))
	b.Must(err)
}

// handOver writes the artifacts and, last, _SUCCESS.
func (b *bench) handOver(artifacts map[string]string) {
	b.Helper()
	for _, key := range slices.Sorted(maps.Keys(artifacts)) {
		b.put(b.Artifacts, key, artifacts[key])
	}
	b.put(b.Artifacts, lake.SuccessKey, "")
}

func (b *bench) publish(snapshot string, startedAt time.Time, items ...lake.ItemCount) {
	b.Helper()
	_, err := b.Lake.PutJSON(b.Context(), lake.PopularityKey(snapshot), lake.Popularity{Snapshot: snapshot, Items: items})
	b.Must(err)
	_, err = b.Lake.PutJSON(b.Context(), lake.LatestKey, lake.Latest{Snapshot: snapshot, StartedAt: startedAt})
	b.Must(err)
}

// publishRows puts a snapshot's rows, a file a range, and its products. publish makes it visible.
func (b *bench) publishRows(snapshot string, ranges [][]trainingtest.Row, products ...training.CatalogueRow) {
	b.Helper()
	for i, rows := range ranges {
		putParquet(b, lake.RangeKey(snapshot, i), rows)
	}
	putParquet(b, lake.ProductsKey(snapshot), products)
}

// earlierProduct is a list of products as an earlier release wrote it, in short.
type earlierProduct struct {
	ProductCode string `parquet:"productCode"`
}

func putParquet[T any](b *bench, key string, rows []T) {
	b.Helper()
	var file bytes.Buffer
	out := training.NewWriter[T](&file)
	for _, row := range rows {
		b.Must(out.Append(row))
	}
	b.Must(out.Close())
	b.put(b.Lake, key, file.String())
}

// run is a new run each time.
func (b *bench) run() workflow.UploadInput {
	b.runs++
	return workflow.UploadInput{Run: workflow.Run{ID: fmt.Sprintf("run-%d", b.runs), StartedAt: noon.Add(time.Duration(b.runs) * time.Hour)}}
}

func (b *bench) upload(run workflow.UploadInput) workflow.Uploaded {
	b.Helper()
	out, err := b.Handle(b.Context(), run)
	b.Must(err)
	if out.Status == "uploaded" {
		b.catalogue(out.Version)
	}
	return out
}

// catalogue returns a version's catalogue, which must hold the rows of the table and have the sum of the version's row.
func (b *bench) catalogue(version int64) []byte {
	b.Helper()
	content, _, err := b.Artifacts.Get(b.Context(), lake.VersionKey(version, lake.CatalogueKey), 1<<20)
	b.Must(err)
	read, sum, err := blend.ReadCatalogue(bytes.NewReader(content))
	b.Must(err)
	place := map[string]int{}
	for i, id := range read.Items {
		place[id] = i
	}
	rows, err := b.DB.Query(b.Context(), `select id, embedding::text from `+vectorstore.ItemTable(version))
	b.Must(err)
	var id, text string
	items := 0
	_, err = pgx.ForEachRow(rows, []any{&id, &text}, func() error {
		items++
		var vector pgvector.Vector
		at, found := place[id]
		if err := vector.Parse(text); err != nil || !found || !slices.Equal(vector.Slice(), read.Vectors[at*read.Dimension:(at+1)*read.Dimension]) {
			b.Errorf("the catalogue of version %d has not the vector of %s: %v", version, id, err)
		}
		return nil
	})
	if b.Must(err); items != len(read.Items) {
		b.Errorf("the catalogue of version %d has %d items, the table %d", version, len(read.Items), items)
	}
	if want := b.Texts(b.DB, fmt.Sprint(`select metric || ' ' || catalogue from `+vectorstore.VersionTable+` where version = `, version)); !slices.Equal(want, []string{fmt.Sprint(read.Metric, " ", sum)}) {
		b.Errorf("the catalogue of version %d is by %s and has the sum %s, its row says %v", version, read.Metric, sum, want)
	}
	return content
}

// activate does the same as a content vector-index.
func (b *bench) activate(version int64) {
	b.Helper()
	_, err := vectorstore.Activate(b.Context(), b.DB, version, 1, 40)
	b.Must(err)
}

// dump is every row of the vectors and the popularity of a version, as text, in order.
func (b *bench) dump(version int64) (rows []string) {
	b.Helper()
	return b.rows(vectorstore.ItemTable(version), vectorstore.UserTable(version), vectorstore.PopularityTable(version))
}

// dumpShop dumps the pairs of customer and item, and lines and stock.
func (b *bench) dumpShop(version int64) []string {
	b.Helper()
	return b.rows(vectorstore.RatedTable(version), vectorstore.AttributeTable(version))
}

func (b *bench) rows(tables ...string) (rows []string) {
	b.Helper()
	for _, table := range tables {
		rows = append(rows, b.Texts(b.DB, `select t::text from `+table+` as t order by 1`)...)
	}
	return rows
}

func (b *bench) status(version int64) vectorstore.Status {
	b.Helper()
	record, _, err := vectorstore.OfVersion(b.Context(), b.DB, version)
	b.Must(err)
	return record.Status
}

// leaves wants the copies of these versions, and no others.
func (b *bench) leaves(want ...string) {
	b.Helper()
	if folders, err := b.Artifacts.Folders(b.Context(), lake.VersionsParent); err != nil || !slices.Equal(folders, want) {
		b.Errorf("there are %v, %v; want %v", folders, err, want)
	}
}

// csv is a file of embeddings, its rows as id, literal, id, literal …
func csv(rows ...string) string {
	text := "id,embedding\n"
	for i := 0; i < len(rows); i += 2 {
		text += rows[i] + `,"` + rows[i+1] + "\"\n"
	}
	return text
}

var (
	goodItems = csv("S10_1678", "[1,0]", "S10_1949", "[0.5,0.5]", "S72_3212", "[0,1]")
	goodUsers = csv("103", "[1,0]", "112", "[0,1]")
)

func embeddingsOf(items, users string) map[string]string {
	return map[string]string{lake.ItemEmbeddingsKey: items, lake.UserEmbeddingsKey: users}
}

// referenceArtifacts are those of ../shared/data beside the checkout.
func referenceArtifacts(t testing.TB) map[string]string {
	root := filepath.Join("..", "..", "..", "shared", "data", "ml-artifacts")
	artifacts := map[string]string{}
	for _, key := range slices.Concat(lake.RequiredArtifacts, lake.ModelArtifacts, lake.OptionalArtifacts) {
		content, err := os.ReadFile(filepath.Join(root, key))
		if err != nil {
			t.Skip("the reference data is not beside the checkout: ", err)
		}
		artifacts[key] = string(content)
	}
	return artifacts
}

// onCopy lets step in before each CopyObject.
func (b *bench) onCopy(act func() error) {
	b.S3.SetHooks(awscall.Hooks{Before: func(call awscall.Call) error {
		if call.Operation == "CopyObject" {
			return act()
		}
		return nil
	}})
}

func server(t testing.TB) *postgres.Server { return postgrestest.ForTest(t) }
