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

// recommend is the function that the platform itself speaks of.
const recommend = "recommend"

// steps are the functions that run here, on the memory and the time of the stack. The platform itself prepares the
// databases, so those of a deployment do not run.
func (p *Platform) steps() []workflow.Step {
	return slices.DeleteFunc(workflow.Steps(p.resources(), p.config.Options), func(step workflow.Step) bool {
		return step.RunBy == workflow.Deployment
	})
}

// StepNames returns the names of all functions that run here.
func StepNames() []string {
	return slices.Concat(workflow.Names(workflow.StateMachine), workflow.Names(workflow.Stream), workflow.Names(workflow.Gateway))
}

// resources are the platform's own servers.
func (p *Platform) resources() workflow.Resources {
	r := workflow.Resources{
		Lake: settings.Lake{Bucket: LakeBucket}, Artifacts: settings.Artifacts{Bucket: ArtifactsBucket},
		RecommendationsBucket: RecommendationsBucket, GlueDatabase: GlueDatabase, DeliveryStream: DeliveryStream,
		ShopFile: settings.ShopFile{Path: p.shopFile},
		Source:   settings.Source{DSN: p.Endpoints.source, Identity: p.sourceIdentity()},
		Loader:   settings.VectorStore{URL: p.Endpoints.loader}, Reader: settings.VectorStore{URL: p.Endpoints.reader},
	}
	if p.config.Resources != nil {
		p.config.Resources(&r)
	}
	return r
}

// builds is shared by all state directories of the repository, so that tests do not link the functions anew.
func (p *Platform) builds() string {
	return filepath.Join(p.config.Cache.Root(), ".local", "cache", "functions")
}

func (p *Platform) buildFunctions(ctx context.Context) error {
	if p.config.Built {
		return nil
	}
	names, err := lambda.Build(ctx, p.config.Cache.Root(), p.builds())
	if err != nil {
		return err
	}
	var want []string
	for _, step := range workflow.Steps(workflow.Resources{}, settings.Options{}) {
		want = append(want, step.Name)
	}
	slices.Sort(want)
	slices.Sort(names)
	if !slices.Equal(names, want) {
		return fmt.Errorf("functions/ holds %v, and the platform knows %v: give a new function its row in shared/contract/workflow/steps.go", names, want)
	}
	return nil
}

// startFunctions registers the functions as the stack does on AWS. A process starts with the first invocation.
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
	for _, step := range p.steps() {
		variables := settings.Environ(step.Settings)
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
