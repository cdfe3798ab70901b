package main

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/jackc/pgx/v5/pgxpool"

	"recsys/infra/local/aws/glue"
	"recsys/infra/local/db/postgres"
	"recsys/infra/local/testbed/postgrestest"
	"recsys/infra/local/testbed/versiontest"
	servers "recsys/infra/local/testbed/world"
	"recsys/shared/contract/distance"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
	"recsys/shared/learn/blend"
	"recsys/shared/learn/neighbours"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

const glueDatabase = "recsys"

// bench is the real servers around one handler.
type bench struct {
	*servers.World
	*Handler
	loader    *pgxpool.Pool
	artifacts *objectstore.Store
	glue      *awsglue.Client
	settings  settings.Export
}

func setup(t *testing.T, server *postgres.Server) *bench {
	t.Helper()
	b := &bench{World: servers.New(t, server)}
	b.loader = b.Pool(vectorstore.LoaderRole)
	lakeBucket := b.Bucket("lake")
	b.artifacts = b.Bucket("artifacts")
	tables, err := glue.Start(t.Context(), glue.Config{Dir: t.TempDir()})
	b.Must(err)
	t.Cleanup(func() { _ = tables.Close() })
	b.glue = awsglue.New(awsglue.Options{BaseEndpoint: aws.String(tables.URL()), Region: "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("export", "local", "")})
	_, err = b.glue.CreateDatabase(t.Context(), &awsglue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(glueDatabase)}})
	b.Must(err)
	b.settings = settings.Default[settings.Export]()
	b.settings.Export = "all"
	b.make(lakeBucket)
	return b
}

// make makes the handler from the settings.
func (b *bench) make(lakeBucket *objectstore.Store) {
	b.Helper()
	b.settings.URL = b.URL(vectorstore.ReaderRole)
	pool, err := vectorstore.Connect(b.Context(), vectorstore.Config{VectorStore: b.settings.VectorStore, Application: "export",
		StatementTimeout: patience, MaxConns: workflow.RecommendConnections, Repeating: true})
	b.Must(err)
	b.Cleanup(pool.Close)
	b.Handler = New(b.settings, pool, lakeBucket, b.artifacts, Catalog{b.glue, glueDatabase})
}

// again makes the handler with changed settings.
func (b *bench) again(change func(*settings.Export)) {
	b.Helper()
	change(&b.settings)
	b.make(b.Lake)
}

// shop has random vectors, and customers who have a little, much or everything of it. Each fourth has no vector.
func shop(blends bool) versiontest.Version {
	const items, customers, dimension = 60, 40, 8
	chance := rand.New(rand.NewPCG(5, 5))
	v := versiontest.Version{Metric: distance.InnerProduct, Items: map[string][]float32{}, Users: map[int32][]float32{}, Whole: true}
	vector := func() []float32 {
		vector := make([]float32, dimension)
		for k := range vector {
			vector[k] = float32(chance.NormFloat64())
		}
		return vector
	}
	for i := range items {
		v.Items[productID(i)] = vector()
		if i%11 > 0 { // the others are gone
			v.Popularity = append(v.Popularity, []any{"norway", productID(i), int64(i * i % 97)})
			v.Attributes = append(v.Attributes, []any{productID(i), fmt.Sprintf("line %d", i%5), int32(i % 6)})
		}
	}
	for customer := range int32(customers) {
		if customer%4 > 0 {
			v.Users[customer] = vector()
		}
		for _, item := range chance.Perm(items)[:(items+1)*int(customer)/customers] {
			if item%11 > 0 {
				v.Rated = append(v.Rated, []any{customer, productID(item)})
			}
		}
	}
	if blends {
		v.Neighbours = someNeighbours(chance, items, 5, productID)
	}
	return v
}

func productID(n int) string { return fmt.Sprintf("P-%02d", n) }

// someNeighbours gives each product so many random neighbours.
func someNeighbours(chance *rand.Rand, items, each int, id func(int) string) *blend.Neighbours {
	n := &blend.Neighbours{Kind: lake.KNN, Beta: 0.5, Table: &neighbours.Table{Start: []int64{0}}}
	for i := range items {
		n.Items = append(n.Items, id(i))
		part := items / each // one target of each part, so that none comes twice
		targets := make([]int, each)
		for k := range targets {
			targets[k] = k*part + chance.IntN(part)
		}
		for _, target := range targets {
			n.Table.Items, n.Table.Weights = append(n.Table.Items, int32(target)), append(n.Table.Weights, chance.Float32())
		}
		n.Table.Start = append(n.Table.Start, int64(len(n.Table.Items)))
	}
	return n
}

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// run is the n-th run.
func run(n int) workflow.Run {
	return workflow.Run{ID: fmt.Sprintf("run-%d", n), StartedAt: began.Add(time.Duration(n) * time.Minute)}
}

// do does one part of an export.
func do[Out any](ctx context.Context, h *Handler, in workflow.ExportInput) (Out, error) {
	out, err := h.Handle(ctx, in)
	typed, _ := out.(Out)
	return typed, err
}

// whole does all parts of a run's export.
func (b *bench) whole(ctx context.Context, run workflow.Run) (workflow.ExportPlan, workflow.Exported, error) {
	plan, err := do[workflow.ExportPlan](ctx, b.Handler, workflow.ExportInput{Run: run, Do: workflow.PlanExport})
	if err != nil || plan.Status != "planned" {
		return plan, workflow.Exported{}, err
	}
	for _, part := range plan.Ranges {
		if _, err := do[workflow.Exported](ctx, b.Handler, workflow.ExportInput{Run: run, Do: workflow.ExportRange, Range: &part}); err != nil {
			return plan, workflow.Exported{}, err
		}
	}
	out, err := do[workflow.Exported](ctx, b.Handler, workflow.ExportInput{Run: run, Do: workflow.PublishExport})
	return plan, out, err
}

// exports are the runs whose exports are there.
func (b *bench) exports() (runs []string) {
	b.Helper()
	folders, err := b.Lake.Folders(context.WithoutCancel(b.Context()), lake.ExportsPrefix)
	b.Must(err)
	for _, folder := range folders {
		run, _ := lake.RunOfExportPrefix(folder)
		runs = append(runs, run)
	}
	return runs
}

// files are the paths of an export's files, with their contents.
func (b *bench) files(run string) map[string]string {
	b.Helper()
	files, root := map[string]string{}, b.S3.Path("lake", lake.ExportPrefix(run))
	b.Must(filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		files[filepath.ToSlash(name)] = string(content)
		return err
	}))
	return files
}

func server(t *testing.T) *postgres.Server { return postgrestest.ForTest(t) }
