package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"recsys/infra/local/aws/awscall"
	"recsys/infra/local/aws/lambda"
	"recsys/infra/local/aws/stepfunctions"
	"recsys/shared/contract/workflow"
	"recsys/shared/runtime/awsconfig"
	"recsys/shared/store/objectstore"
	"recsys/statemachines"
)

// Endpoints are the addresses of the servers, in <StateDir>/endpoints.json while serve runs.
type Endpoints struct {
	Source      string `json:"mysql"`      // DSN of the shop's database
	VectorStore string `json:"postgresql"` // URL as the reader role
	S3          string `json:"s3"`
	Kinesis     string `json:"kinesis"`
	Firehose    string `json:"firehose"`
	Glue        string `json:"glue"`
	Lambda      string `json:"lambda"`
	SFN         string `json:"sfn"`         // Step Functions
	API         string `json:"api"`         // the HTTP API
	NodeModules string `json:"nodeModules"` // the folder

	loader, reader string // URLs as the functions' roles
	source         string // the DSN with which functions read, which writes nothing
}

// Client asks a platform to do things: this process's own, or the one that serve runs.
type Client struct {
	Endpoints Endpoints

	engine        *stepfunctions.Engine
	executions    *stepfunctions.Server // nil if serve is another process
	retryInterval *time.Duration
	objects       *s3.Client
	stream        *kinesis.Client
}

// Publish writes the endpoints for Attach and for people. The file goes when the platform is closed.
func (p *Platform) Publish() error {
	text, err := json.MarshalIndent(p.Endpoints, "", "  ")
	if err != nil {
		return err
	}
	file := endpointsFile(p.config.StateDir)
	if err := os.WriteFile(file, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the endpoints: %w", err)
	}
	p.onClose("the list of endpoints", func() error { return os.Remove(file) })
	return nil
}

func endpointsFile(stateDir string) string { return filepath.Join(stateDir, "endpoints.json") }

// Attach finds the platform that serve runs on a state directory. If there is none, it returns fs.ErrNotExist.
func Attach(ctx context.Context, stateDir string) (*Client, error) {
	text, err := os.ReadFile(endpointsFile(stateDir))
	if err != nil {
		return nil, fmt.Errorf("finding the running platform: %w", err)
	}
	unlock, err := Lock(stateDir)
	if err == nil { // nobody lives there: the list is of one that was killed
		return nil, fmt.Errorf("finding the running platform: %w", errors.Join(fs.ErrNotExist, os.Remove(endpointsFile(stateDir)), unlock()))
	}
	if !errors.Is(err, ErrBusy) {
		return nil, err
	}
	c := &Client{}
	if err := json.Unmarshal(text, &c.Endpoints); err != nil {
		return nil, fmt.Errorf("reading %s: %w", endpointsFile(stateDir), err)
	}
	cfg, err := clientConfig(ctx)
	if err != nil {
		return nil, err
	}
	c.connectS3(cfg)
	c.connectKinesis(cfg)
	if c.engine, err = stepfunctions.NewEngine(c.Endpoints.NodeModules); err != nil {
		return nil, err
	}
	return c, nil
}

// clientConfig is the person's own AWS configuration if there are credentials in the environment, for servers that
// check them. The emulated ones take anything.
func clientConfig(ctx context.Context) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{config.WithDefaultRegion(awscall.Region)}
	if os.Getenv("AWS_ACCESS_KEY_ID") == "" {
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("local", "local", "")))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return cfg, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	cfg.HTTPClient = awsconfig.HTTPClient(cfg.HTTPClient)
	return cfg, nil
}

func (c *Client) connectS3(cfg aws.Config) {
	c.objects = s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.BaseEndpoint, o.UsePathStyle = &c.Endpoints.S3, true
		o.DisableLogOutputChecksumValidationSkipped = true // the local S3 keeps no checksums beside the ETag
	})
}

func (c *Client) connectKinesis(cfg aws.Config) {
	c.stream = kinesis.NewFromConfig(cfg, func(o *kinesis.Options) { o.BaseEndpoint = &c.Endpoints.Kinesis })
}

// Store opens one of the buckets.
func (c *Client) Store(bucket string) *objectstore.Store { return objectstore.New(c.objects, bucket) }

// Workflow returns a client of Step Functions.
func (c *Client) Workflow(ctx context.Context) (*sfn.Client, error) {
	cfg, err := clientConfig(ctx)
	if err != nil {
		return nil, err
	}
	return sfn.NewFromConfig(cfg, func(o *sfn.Options) { o.BaseEndpoint = &c.Endpoints.SFN }), nil
}

// RunName names an execution for the moment it starts at.
func RunName(at time.Time) string {
	return "local-" + strings.ReplaceAll(at.UTC().Format("20060102T150405.000"), ".", "-")
}

// Execute runs the state machine to its end. A failed execution is a *stepfunctions.ExecutionError.
func (c *Client) Execute(ctx context.Context, execution stepfunctions.Execution) (json.RawMessage, error) {
	machine, err := c.machine()
	if err != nil {
		return nil, err
	}
	if c.executions != nil {
		return c.executions.Execute(ctx, machine, execution)
	}
	return machine.Execute(ctx, execution)
}

// Invoke runs one function on an event and returns its answer. A function that fails gives a *lambda.InvocationError.
func (c *Client) Invoke(ctx context.Context, function string, event []byte) ([]byte, error) {
	return lambda.Invoke(ctx, c.Endpoints.Lambda, function, event)
}

// machine is the project's state machine on the functions of these endpoints.
func (c *Client) machine() (*stepfunctions.Machine, error) {
	return stepfunctions.New(stepfunctions.Config{
		Definition: statemachines.Batch, Substitutions: workflow.Placeholders(),
		LambdaURL: c.Endpoints.Lambda, Engine: c.engine, RetryInterval: c.retryInterval,
	})
}
