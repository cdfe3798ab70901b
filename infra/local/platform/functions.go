package platform

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"recsys/infra/local/aws/lambda"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/workflow"
)

// Functions are the settings of every function.
type Functions struct {
	PlanExtract         settings.PlanExtract
	Extract             settings.Extract
	Transform           settings.Transform
	PartitionWrite      settings.PartitionWrite
	PublishTrainingData settings.PublishTrainingData
	Train               settings.Train
	EmbeddingUpload     settings.EmbeddingUpload
	Evaluate            settings.Evaluate
	VectorIndex         settings.VectorIndex
	Recommend           settings.Recommend
}

// recommend is the function that the platform itself speaks of.
var recommend = workflow.Recommend.Name

// steps are all functions that run here, on what the stack gives them.
func (p *Platform) steps() []workflow.Step {
	return append(workflow.Steps(p.config.Options.Sizes), workflow.Recommend)
}

// StepNames returns the names of all functions that run here.
func StepNames() (names []string) {
	for _, step := range append(workflow.Steps(settings.Sizes{}), workflow.Recommend) {
		names = append(names, step.Name)
	}
	return names
}

func (p *Platform) settings() Functions {
	data := settings.Lake{Bucket: LakeBucket}
	artifacts := settings.Artifacts{Bucket: ArtifactsBucket}
	source := settings.Source{DSN: p.Endpoints.source, Identity: p.sourceIdentity()}
	loader := settings.VectorStore{URL: p.Endpoints.loader}
	reader := settings.VectorStore{URL: p.Endpoints.reader}
	options := p.config.Options
	functions := Functions{
		PlanExtract:         settings.PlanExtract{Lake: data, Source: source, Shrinkage: options.Shrinkage},
		Extract:             settings.Extract{Lake: data, Source: source},
		Transform:           settings.Transform{Lake: data},
		PartitionWrite:      settings.PartitionWrite{Lake: data},
		PublishTrainingData: settings.PublishTrainingData{Lake: data, GlueDatabase: GlueDatabase, Shrinkage: options.Shrinkage},
		Train:               settings.Train{Lake: data, Artifacts: artifacts, ByDefault: true, HoldOut: options.HoldOut, Training: options.Training},
		Evaluate:            settings.Evaluate{Lake: data, Artifacts: artifacts, VectorStore: loader, HoldOut: options.HoldOut, Gate: options.Gate},
		EmbeddingUpload:     settings.EmbeddingUpload{Lake: data, Artifacts: artifacts, VectorStore: loader, HandOver: options.HandOver},
		VectorIndex:         settings.VectorIndex{Artifacts: artifacts, VectorStore: loader, Index: options.Index},
		Recommend: settings.Recommend{
			Artifacts: artifacts, VectorStore: reader,
			RecommendationsBucket: RecommendationsBucket, DeliveryStream: DeliveryStream,
			Ranking: options.Ranking,
		},
	}
	if p.config.Settings != nil {
		p.config.Settings(&functions)
	}
	return functions
}

// byName is the settings of each function by its folder's name.
func (f Functions) byName() map[string]any {
	return map[string]any{
		"plan-extract":          f.PlanExtract,
		"extract":               f.Extract,
		"transform":             f.Transform,
		"partition-write":       f.PartitionWrite,
		"publish-training-data": f.PublishTrainingData,
		"train":                 f.Train,
		"embedding-upload":      f.EmbeddingUpload,
		"evaluate":              f.Evaluate,
		"vector-index":          f.VectorIndex,
		recommend:               f.Recommend,
	}
}

// deploymentOnly are the functions that a deployment to AWS runs as custom resources; here the platform itself
// prepares the databases.
var deploymentOnly = []string{"bootstrap-vector-store", "load-sample-shop"}

// builds is shared by all state directories of the repository, so that tests do not link the functions anew.
func (p *Platform) builds() string {
	return filepath.Join(p.config.Cache.Root(), ".local", "cache", "functions")
}

func (p *Platform) buildFunctions(ctx context.Context) error {
	names, err := lambda.Build(ctx, p.config.Cache.Root(), p.builds())
	if err != nil {
		return err
	}
	want := slices.Clone(deploymentOnly)
	for _, step := range p.steps() {
		want = append(want, step.Name)
	}
	slices.Sort(want)
	slices.Sort(names)
	if !slices.Equal(names, want) {
		return fmt.Errorf("functions/ holds %v, and the platform knows %v: give a new function its line in package workflow", names, want)
	}
	return nil
}

// startFunctions registers the functions as the stack does on AWS; a process starts with the first invocation.
func (p *Platform) startFunctions(ctx context.Context) error {
	credentials, err := p.ownCredentials(ctx)
	if err != nil {
		return err
	}
	// Close alone ends it, after the mapping that invokes its functions.
	emulator, err := lambda.Start(context.WithoutCancel(ctx), lambda.Config{Dir: p.path("lambda"), Credentials: credentials})
	if err != nil {
		return err
	}
	p.Lambda, p.Endpoints.Lambda = emulator, emulator.URL()
	p.onClose("Lambda", emulator.Close)
	return p.Register()
}

// ownCredentials are those of the environment, where functions call servers that run already and may check them.
func (p *Platform) ownCredentials(ctx context.Context) (*aws.Credentials, error) {
	e := p.config.Environment
	if e.S3+e.Firehose+e.Glue == "" || os.Getenv("AWS_ACCESS_KEY_ID") == "" {
		return nil, nil
	}
	cfg, err := clientConfig(ctx)
	if err != nil {
		return nil, err
	}
	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the AWS credentials: %w", err)
	}
	return &credentials, nil
}

// Register gives the functions their settings, memory and time. It replaces those that run already.
func (p *Platform) Register() error {
	endpoints := map[string]string{
		"AWS_ENDPOINT_URL_S3":       p.Endpoints.S3,
		"AWS_ENDPOINT_URL_FIREHOSE": p.Endpoints.Firehose,
		"AWS_ENDPOINT_URL_GLUE":     p.Endpoints.Glue,
	}
	given := p.settings().byName()
	for _, step := range p.steps() {
		variables := settings.Environ(given[step.Name])
		maps.Copy(variables, endpoints)
		err := p.Lambda.Register(lambda.Function{
			Name: step.Name, Bootstrap: filepath.Join(p.builds(), step.Name, "bootstrap"), Env: variables,
			Timeout: step.Timeout, MemoryMB: step.MemoryMiB,
		})
		if err != nil {
			return err
		}
	}
	return nil
}
