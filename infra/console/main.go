// Command console serves the console of a deployment on the operator's own machine:
//
//	go run ./infra/local console --env prod
//
// It asks AWS with your credentials and only reads, unless --allow-changes is given. The vector database is in a VPC, so the
// console tells what Step Functions and S3 know. Reads cdk.json and infra/environments.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"recsys/infra/deployment"
	page "recsys/infra/local/console"
	"recsys/shared/store/objectstore"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("console", flag.ContinueOnError)
	flags.SetOutput(out)
	options := map[string]any{}
	flags.Func("env", "the `name` of a file in infra/environments; default: stage dev", func(name string) error { options["env"] = name; return nil })
	changes := flags.Bool("allow-changes", false, "let the page start runs and activate versions")
	if err := flags.Parse(args); err != nil {
		return err
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("reading the AWS configuration: %w", err)
	}
	config, err := deployed(ctx, cfg, options)
	if err != nil {
		return err
	}
	source, err := look(ctx, cfg, config.Name)
	if err != nil {
		return fmt.Errorf("looking for the stack %s: %w", config.Name, err)
	}
	source.ReadOnly, source.Glue = !*changes, config.GlueDatabase()
	server, err := page.Serve(ctx, "", source)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The console of %s: %s\nCtrl-C stops it.\n", config.Name, server.URL())
	<-ctx.Done()
	return server.Close()
}

// deployed reads the options of the deployment, for the account of these credentials.
func deployed(ctx context.Context, cfg aws.Config, options map[string]any) (deployment.Config, error) {
	if cfg.Region == "" {
		return deployment.Config{}, errors.New("no region is set: set AWS_REGION, or `aws configure set region`")
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return deployment.Config{}, fmt.Errorf("asking AWS whose credentials these are (set AWS_PROFILE, or log in): %w", err)
	}
	return deployment.FromFiles(options, deployment.Place{Account: aws.ToString(who.Account), Region: cfg.Region})
}

// look finds the state machine and the buckets of a stack.
func look(ctx context.Context, cfg aws.Config, stack string) (page.Source, error) {
	source := page.Source{Place: stack, Workflow: sfn.NewFromConfig(cfg)}
	objects := s3.NewFromConfig(cfg)
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(cfg), &cloudformation.ListStackResourcesInput{StackName: &stack})
	for pages.HasMorePages() {
		found, err := pages.NextPage(ctx)
		if err != nil {
			return source, err
		}
		for _, r := range found.StackResourceSummaries {
			take(&source, r, objects)
		}
	}
	if source.Machine == "" || source.Lake == nil || source.Artifacts == nil || source.Recommendations == nil {
		return source, errors.New("it lacks the state machine or a bucket: is the deployment complete?")
	}
	return source, nil
}

// take keeps a resource that the console reads. The lake is the bucket that is named after none of the others.
func take(source *page.Source, r types.StackResourceSummary, objects *s3.Client) {
	name, id := aws.ToString(r.PhysicalResourceId), aws.ToString(r.LogicalResourceId)
	switch kind := aws.ToString(r.ResourceType); {
	case kind == "AWS::StepFunctions::StateMachine":
		source.Machine = name
	case kind != "AWS::S3::Bucket":
	case strings.HasPrefix(id, "DataLakeArtifacts"):
		source.Artifacts = objectstore.New(objects, name)
	case strings.HasPrefix(id, "DataLakeRecommendations"):
		source.Recommendations = objectstore.New(objects, name)
	default:
		source.Lake = objectstore.New(objects, name)
	}
}
