package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"recsys/infra/local/db/postgres"
	"recsys/infra/local/testbed/trainingtest"
	"recsys/infra/local/testbed/world"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/embeddings"
	"recsys/shared/learn/evaluation"
	"recsys/shared/learn/evaluation/report"
	"recsys/shared/shop/training"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// A shop of two kinds of customers and two kinds of items. Customers of the first kind rate items of the first kind
// only, half of them. So the taste is plain, and popularity knows nothing of it.
const (
	customers = 60
	items     = 40
	dimension = 2
)

// bench is a handler on real servers, with a published snapshot of the shop and an empty vector database.
type bench struct {
	*Handler
	*world.World
	shop *shape.Shop // nil: the lab's
}

// customer returns the id of a customer in the bench's shop.
func (b *bench) customer(i int) string {
	if b.shop != nil {
		return fmt.Sprintf("c-%02d", i)
	}
	return strconv.Itoa(i)
}

func setup(t *testing.T, server *postgres.Server) *bench {
	t.Helper()
	w := world.New(t, server)
	gate := func(mode evaluation.Mode) evaluation.Gate {
		return evaluation.Gate{Mode: mode, Allowance: settings.Allowance{Margin: 0.1, Tolerance: 0.1}, Resamples: 200, Seed: 1}
	}
	b := &bench{World: w, Handler: &Handler{
		Lake: w.Bucket("lake"), Artifacts: w.Bucket("artifacts"), DB: w.Pool(vectorstore.LoaderRole),
		HeldOut: lake.HoldOut{Seed: 1, Fraction: 0.3}, Trained: gate(evaluation.Enforce), HandedOver: gate(evaluation.Observe),
	}}
	b.publish()
	return b
}

func code(item int) string { return fmt.Sprintf("S%02d", item) }

// kind of a customer or an item: 0 or 1.
func kind(number int) int { return number % 2 }

func (b *bench) publish() {
	b.Helper()
	file, err := objectstore.Scratch()
	b.Must(err)
	defer file.Close()
	random := rand.New(rand.NewPCG(1, 1))
	w := training.NewWriter[trainingtest.Row](file)
	rows := int64(0)
	for customer := range customers {
		for item := range items {
			if kind(item) == kind(customer) && random.IntN(2) == 0 {
				b.Must(w.Append(trainingtest.Row{ProductCode: code(item), ProductRating: 4, CustomerNumber: int32(customer)}))
				rows++
			}
		}
	}
	b.Must(w.Close())
	_, err = b.Lake.PutFile(b.Context(), lake.RangeKey("snapshot", 0), file)
	b.Must(err)
	b.put(lake.ManifestKey("snapshot"), lake.Manifest{Snapshot: "snapshot", Ranges: 1, Rows: rows})
	b.put(lake.LatestKey, lake.Latest{Snapshot: "snapshot"})
}

func (b *bench) put(key string, value any) {
	b.Helper()
	_, err := b.Lake.PutJSON(b.Context(), key, value)
	b.Must(err)
}

// vectors of customers and items: noise, and so much of the kind.
func vectors(n int, taste float32, seed uint64) []float32 {
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	list := make([]float32, n*dimension)
	for i := range list {
		list[i] = float32(random.NormFloat64()) * 0.3
	}
	for i := range n {
		list[i*dimension+kind(i)] += taste
	}
	return list
}

// load makes the next version, with the vectors of this much taste, as train or as a data scientist leaves them.
func (b *bench) load(trained bool, heldOut lake.HoldOut, taste float32) (version int64) {
	b.Helper()
	return b.loadWith(trained, heldOut, taste, nil)
}

// loadWith is load with neighbours next to the vectors.
func (b *bench) loadWith(trained bool, heldOut lake.HoldOut, taste float32, chosen *blend.Neighbours) (version int64) {
	b.Helper()
	ctx := b.Context()
	b.Must(b.DB.QueryRow(ctx, `select count(*) + 1 from recsys.embedding_version`).Scan(&version))
	artifacts := map[string]string{lake.ItemEmbeddingsKey: fmt.Sprint(version)}
	if trained {
		artifacts[lake.TrainingKey] = "trained"
	}
	_, err := vectorstore.Allocate(ctx, b.DB, runOf(version).ID, distance.InnerProduct, artifacts, false)
	b.Must(err)
	itemVectors, userVectors := vectors(items, taste, 7), vectors(customers, taste, 8)
	_, err = vectorstore.Load{Version: version, Artifacts: artifacts, Dimension: dimension,
		Items: pgx.CopyFromSlice(items, func(i int) ([]any, error) {
			return []any{code(i), pgvector.NewVector(itemVectors[i*dimension : (i+1)*dimension])}, nil
		}),
		Users: pgx.CopyFromSlice(customers, func(i int) ([]any, error) {
			return []any{b.customer(i), pgvector.NewVector(userVectors[i*dimension : (i+1)*dimension])}, nil
		}),
		Snapshot: vectorstore.Snapshot{Name: "snapshot", Shop: b.shop},
	}.Run(ctx, b.DB)
	b.Must(err)

	codes, ids := make([]string, items), make([]string, customers)
	for i := range codes {
		codes[i] = code(i)
	}
	for i := range ids {
		ids[i] = b.customer(i)
	}
	itemsKey, usersKey := lake.ItemEmbeddingsKey, lake.UserEmbeddingsKey
	if trained {
		itemsKey, usersKey = lake.EvaluationItemsKey, lake.EvaluationUsersKey
		training := lake.Training{HeldOut: heldOut, Loss: []float64{9, 3}, Options: []lake.Option{{Name: "factors", Value: "2"}}, Shop: shape.OrLab(b.shop).Hash}
		if chosen != nil {
			training.Neighbours = &lake.Neighbours{Kind: chosen.Kind, Beta: chosen.Beta}
			var file bytes.Buffer
			_, err := chosen.WriteTo(&file)
			b.Must(err)
			_, err = b.Artifacts.Put(ctx, lake.VersionKey(version, lake.EvaluationNeighboursKey), bytes.NewReader(file.Bytes()))
			b.Must(err)
		}
		_, err := b.Artifacts.PutJSON(ctx, lake.VersionKey(version, lake.TrainingKey), training)
		b.Must(err)
	}
	writeVectors(b, lake.VersionKey(version, itemsKey), codes, shape.Text, itemVectors)
	writeVectors(b, lake.VersionKey(version, usersKey), ids, shape.OrLab(b.shop).Customer.Type, userVectors)
	return version
}

func writeVectors(b *bench, key string, ids []string, of shape.Type, list []float32) {
	b.Helper()
	var file bytes.Buffer
	_, err := embeddings.Write(&file, ids, of, list, dimension)
	b.Must(err)
	_, err = b.Artifacts.Put(b.Context(), key, bytes.NewReader(file.Bytes()))
	b.Must(err)
}

func runOf(version int64) workflow.Run {
	return workflow.Run{ID: fmt.Sprintf("run-%d", version), StartedAt: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
}

func (b *bench) evaluate(version int64) workflow.Evaluated {
	b.Helper()
	out, err := b.Handle(b.Context(), workflow.EvaluateInput{Run: runOf(version), Version: version})
	b.Must(err)
	return out
}

// activate does the same as a content vector-index.
func (b *bench) activate(version int64) {
	b.Helper()
	_, err := vectorstore.Activate(b.Context(), b.DB, version, 1, 40)
	b.Must(err)
}

func (b *bench) report(version int64) (found report.Report) {
	b.Helper()
	content, _, err := b.Lake.Get(b.Context(), lake.EvaluationReportKey(runOf(version).ID), 1<<20)
	b.Must(err)
	b.Must(json.Unmarshal(content, &found))
	return found
}

func (b *bench) record(version int64) vectorstore.Record {
	b.Helper()
	record, _, err := vectorstore.OfVersion(b.Context(), b.DB, version)
	b.Must(err)
	return record
}
