// Package versiontest loads versions of a test's own making into a vector database, as the loader does.
package versiontest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pgvector/pgvector-go"

	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/learn/blend"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// Version is the loader's result.
type Version struct {
	Metric     distance.Metric // "" is cosine
	Items      map[string][]float32
	Users      map[int32][]float32
	Named      map[string][]float32 // users of a shop whose ids are given as text
	Shop       *shape.Shop          // nil: the lab
	Popularity [][]any              // country, item, count
	Rated      [][]any              // customer, item
	Attributes [][]any              // item, line, stock
	Whole      bool                 // the attributes are of all products: other items are gone
	Model      string               // a folder with model/ and scalers/, "" for none
	Neighbours *blend.Neighbours    // nil: the vectors rank alone
	Seen       [][]any              // customer, item: history that may be recommended again. It counts for neighbours
}

// Load loads, indexes and activates a version, and returns its number. The pool is the loader's. Without a store for artifacts the
// version has no catalogue, as one of an earlier release.
func Load(tb testing.TB, loader *pgxpool.Pool, artifacts *objectstore.Store, v Version) int64 {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context())
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	if v.Metric == "" {
		v.Metric = distance.Cosine
	}
	run := fmt.Sprintf("run-%d", rand.Int64())
	named := map[string]string{"run": run}
	number, err := vectorstore.Allocate(ctx, loader, run, v.Metric, named, v.Model != "")
	must(err)
	if v.Model != "" {
		for _, artifact := range lake.ModelArtifacts {
			content, err := os.ReadFile(filepath.Join(v.Model, filepath.FromSlash(artifact)))
			must(err)
			_, err = artifacts.Put(ctx, lake.VersionKey(number, artifact), bytes.NewReader(content))
			must(err)
		}
	}
	load := vectorstore.Load{Version: number, Artifacts: named, Items: rows(v.Items), Users: rows(v.Users)}
	for _, vector := range v.Items {
		load.Dimension = len(vector)
	}
	if v.Shop != nil {
		load.Users = rows(v.Named)
	}
	if artifacts != nil {
		load.Catalogue = putCatalogue(tb, artifacts, number, load.Dimension, v)
	}
	if n := v.Neighbours; n != nil {
		put(tb, artifacts, lake.VersionKey(number, lake.NeighboursKey), func(w io.Writer) error { _, err := n.WriteTo(w); return err })
		load.Neighbours = &vectorstore.Neighbours{Kind: n.Kind, Beta: n.Beta, Rows: neighbourRows(n)}
	}
	load.Snapshot = vectorstore.Snapshot{Name: "s", Of: time.Unix(1, 0), Shop: v.Shop, Popularity: pgx.CopyFromRows(v.Popularity),
		Rated: pgx.CopyFromRows(v.Rated), Seen: pgx.CopyFromRows(v.Seen), Products: pgx.CopyFromRows(v.Attributes), Whole: v.Whole}
	_, err = load.Run(ctx, loader)
	must(err)
	items := vectorstore.ItemTable(number)
	for _, sql := range []string{
		`create index ` + vectorstore.ItemIndex(number) + ` on ` + items + ` using hnsw (embedding ` + v.Metric.OperatorClass() + `)`,
		`analyze ` + items,
	} {
		_, err := loader.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
		must(err)
	}
	Activate(tb, loader, number)
	return number
}

// putCatalogue writes the version's catalogue and returns its sum.
func putCatalogue(tb testing.TB, artifacts *objectstore.Store, number int64, dimension int, v Version) (sum string) {
	tb.Helper()
	put(tb, artifacts, lake.VersionKey(number, lake.CatalogueKey), func(w io.Writer) error {
		out, err := blend.NewCatalogueWriter(w, v.Metric, dimension)
		if err != nil {
			return err
		}
		for _, id := range slices.Sorted(maps.Keys(v.Items)) {
			if err := out.Add(id, v.Items[id]); err != nil {
				return err
			}
		}
		sum, err = out.Close()
		return err
	})
	return sum
}

func put(tb testing.TB, artifacts *objectstore.Store, key string, write func(io.Writer) error) {
	tb.Helper()
	var content bytes.Buffer
	err := write(&content)
	if err == nil {
		_, err = artifacts.Put(context.WithoutCancel(tb.Context()), key, bytes.NewReader(content.Bytes()))
	}
	if err != nil {
		tb.Fatal(err)
	}
}

func neighbourRows(n *blend.Neighbours) pgx.CopyFromSource {
	var all [][]any
	for i, id := range n.Items {
		targets, weights := n.Table.Row(i)
		all = append(all, []any{id, int32(i), targets, weights})
	}
	return pgx.CopyFromRows(all)
}

// Activate makes a version the active one.
func Activate(tb testing.TB, loader *pgxpool.Pool, number int64) {
	tb.Helper()
	sql := fmt.Sprintf(`begin; update %[1]s set status = 'retired' where status = 'active';
		update %[1]s set status = 'active', ef_search = 40, recall = 1 where version = %[2]d; commit`, vectorstore.VersionTable, number)
	if _, err := loader.Exec(context.WithoutCancel(tb.Context()), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		tb.Fatal(err)
	}
}

func rows[ID comparable](vectors map[ID][]float32) pgx.CopyFromSource {
	var all [][]any
	for id, vector := range vectors {
		all = append(all, []any{id, pgvector.NewVector(vector)})
	}
	return pgx.CopyFromRows(all)
}

// Circle makes n items around the unit circle in the first two of dimension numbers: item-k's neighbours are k±1, k±2 …
func Circle(n, dimension int) map[string][]float32 {
	items := map[string][]float32{}
	for i := range n {
		items[fmt.Sprintf("item-%03d", i)] = Direction(float64(i)/float64(n), dimension)
	}
	return items
}

// Direction returns the unit vector at a part of a turn.
func Direction(turn float64, dimension int) []float32 {
	vector := make([]float32, dimension)
	vector[0], vector[1] = float32(math.Cos(2*math.Pi*turn)), float32(math.Sin(2*math.Pi*turn))
	return vector
}

// Popularity is that of items of a Circle of 100, in two countries.
var Popularity = [][]any{
	{"norway", "item-050", int64(3)}, {"norway", "item-051", int64(2)},
	{"usa", "item-001", int64(9)}, {"usa", "item-002", int64(8)}, {"usa", "item-050", int64(1)}, {"usa", "item-003", int64(7)},
}

// Small is a version of 100 items around the circle: by index scan or not, neighbours are known. There is a user 0,
// and no visitor may be taken for them.
func Small() Version {
	return Version{Items: Circle(100, 4), Users: map[int32][]float32{0: Direction(0.5, 4), 103: Direction(0.1, 4)}, Popularity: Popularity}
}
