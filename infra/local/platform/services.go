package platform

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"recsys/infra/local/aws/firehose"
	"recsys/infra/local/aws/glue"
	"recsys/infra/local/aws/kinesis"
	"recsys/infra/local/aws/s3"
	"recsys/infra/local/aws/stepfunctions"
)

// deliverAfter is how long Firehose gathers records, so that a person sees them soon. On AWS it is minutes.
const deliverAfter = time.Second

// startServices starts the AWS services that functions call, and makes their buckets and streams.
func (p *Platform) startServices(ctx context.Context) error {
	cfg, err := clientConfig(ctx)
	if err != nil {
		return err
	}
	if err := p.startS3(ctx, cfg); err != nil {
		return err
	}
	if err := p.startGlue(ctx, cfg); err != nil {
		return err
	}
	if err := p.startFirehose(ctx); err != nil {
		return err
	}
	return p.startKinesis(ctx, cfg)
}

func (p *Platform) startS3(ctx context.Context, cfg aws.Config) error {
	p.Endpoints.S3 = p.config.Environment.S3
	if p.Endpoints.S3 == "" {
		server, err := s3.Start(ctx, s3.Config{Dir: p.path("s3")})
		if err != nil {
			return err
		}
		p.S3, p.Endpoints.S3 = server, server.URL()
		p.onClose("S3", server.Close)
	}
	p.connectS3(cfg)
	for _, bucket := range []string{LakeBucket, ArtifactsBucket, RecommendationsBucket} {
		_, err := p.objects.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: aws.String(bucket)})
		if err != nil && !errors.As(err, new(*s3types.BucketAlreadyExists)) && !errors.As(err, new(*s3types.BucketAlreadyOwnedByYou)) {
			return fmt.Errorf("creating the bucket %s: %w", bucket, err)
		}
	}
	return nil
}

func (p *Platform) startGlue(ctx context.Context, cfg aws.Config) error {
	p.Endpoints.Glue = p.config.Environment.Glue
	if p.Endpoints.Glue == "" {
		server, err := glue.Start(ctx, glue.Config{Dir: p.path("glue")})
		if err != nil {
			return err
		}
		p.Glue, p.Endpoints.Glue = server, server.URL()
		p.onClose("Glue", server.Close)
	}
	client := awsglue.NewFromConfig(cfg, func(o *awsglue.Options) { o.BaseEndpoint = &p.Endpoints.Glue })
	_, err := client.CreateDatabase(ctx, &awsglue.CreateDatabaseInput{
		DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(GlueDatabase)},
	})
	if err != nil && !errors.As(err, new(*gluetypes.AlreadyExistsException)) {
		return fmt.Errorf("creating the Glue database: %w", err)
	}
	return nil
}

func (p *Platform) startFirehose(ctx context.Context) error {
	p.Endpoints.Firehose = p.config.Environment.Firehose
	if p.Endpoints.Firehose != "" {
		return nil
	}
	server, err := firehose.Start(ctx, firehose.Config{
		Dir: p.path("firehose"), Objects: p.objects,
		Streams: []firehose.Stream{{
			Name: DeliveryStream, Bucket: RecommendationsBucket, Prefix: AnswersPrefix, BufferInterval: deliverAfter,
		}},
	})
	if err != nil {
		return err
	}
	p.Firehose, p.Endpoints.Firehose = server, server.URL()
	p.onClose("Firehose", server.Close)
	return nil
}

func (p *Platform) startKinesis(ctx context.Context, cfg aws.Config) error {
	p.Endpoints.Kinesis = p.config.Environment.Kinesis
	if p.Endpoints.Kinesis == "" {
		supervisor := p.supervise("Kinesis", p.path(kinesisLog))
		server, err := kinesis.Start(ctx, kinesis.Config{
			NodeModules: p.Endpoints.NodeModules, Path: p.path("kinesis"), Log: p.path(kinesisLog), Died: supervisor.died,
		})
		if err != nil {
			return err
		}
		p.Endpoints.Kinesis = server.URL()
		p.onClose("Kinesis", supervisor.watch(server.Restart, server.Close))
	}
	p.connectKinesis(cfg)
	return kinesis.CreateStream(ctx, p.stream, ActivityStream, 1)
}

// startEngine makes the engine of the state machine, unless it is given.
func (p *Platform) startEngine() error {
	if p.engine = p.config.Engine; p.engine != nil {
		return nil
	}
	engine, err := stepfunctions.NewEngine(p.Endpoints.NodeModules)
	if err != nil {
		return err
	}
	p.engine = engine
	p.onClose("the state machine's engine", engine.Close)
	return nil
}

// startStepFunctions serves the state machine to clients of the API. Execute's executions are listed there, too.
func (p *Platform) startStepFunctions(ctx context.Context) error {
	machine, err := p.machine()
	if err != nil {
		return err
	}
	server, err := stepfunctions.Serve(ctx, machine)
	if err != nil {
		return err
	}
	p.executions, p.Endpoints.SFN = server, server.URL()
	p.onClose("Step Functions", server.Close)
	return nil
}
