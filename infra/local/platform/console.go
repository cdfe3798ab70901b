package platform

import (
	"context"
	"path/filepath"
	"strings"

	"recsys/infra/local/aws/stepfunctions"
	"recsys/infra/local/console"
	"recsys/shared/contract/settings"
	"recsys/shared/serving/answers"
	"recsys/shared/store/objectstore"
	"recsys/shared/store/vectorstore"
)

// ServeConsole serves the web page of this platform until Close.
func (p *Platform) ServeConsole(ctx context.Context) (*console.Server, error) {
	pool, err := vectorstore.Connect(ctx, vectorstore.Config{
		VectorStore: settings.VectorStore{URL: p.Endpoints.VectorStore}, Application: "console", MaxConns: 4, Repeating: true,
	})
	if err != nil {
		return nil, err
	}
	p.onClose("the console's connections", func() error { pool.Close(); return nil })
	workflow, err := p.Workflow(ctx)
	if err != nil {
		return nil, err
	}
	artifacts, options := p.Store(ArtifactsBucket), p.config.Options
	server, err := console.Serve(ctx, "", console.Source{
		Place: "this machine", Workflow: workflow, Machine: stepfunctions.ARN,
		Lake: p.Store(LakeBucket), Artifacts: artifacts, Recommendations: p.Store(RecommendationsBucket),
		Database: pool, Answers: answers.New(pool, artifacts, options.Ranking, options.DatabaseTimeout),
		Location: p.location, Glue: GlueDatabase,
	})
	if err != nil {
		return nil, err
	}
	p.onClose("the console", server.Close)
	return server, nil
}

// location is the path of an object, or of a folder with its slash.
func (p *Platform) location(store *objectstore.Store, key string) string {
	if p.config.Environment.S3 != "" {
		return store.URI(key)
	}
	path := p.path("s3", store.Bucket(), filepath.FromSlash(key))
	if strings.HasSuffix(key, "/") {
		path += "/"
	}
	return path
}
