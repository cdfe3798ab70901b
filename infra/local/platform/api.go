package platform

import (
	"context"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"recsys/infra/local/aws/apigateway"
	"recsys/infra/local/db/provision"
)

// startAPI serves the function api over HTTP, as API Gateway does on AWS.
func (p *Platform) startAPI(ctx context.Context) error {
	root, err := provision.Root()
	if err != nil {
		return err
	}
	server, err := apigateway.Start(ctx, apigateway.Config{Invoke: p.Lambda.Invoker("api"), Put: p.putOne, Page: filepath.Join(root, "docs/examples/recommendations.html")})
	if err != nil {
		return err
	}
	p.Endpoints.API = server.URL()
	p.onClose("the API", server.Close)
	return nil
}

// putOne puts an activity record on Kinesis.
func (p *Platform) putOne(ctx context.Context, record []byte, partition string) (sequence string, err error) {
	out, err := p.stream.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: aws.String(ActivityStream), Data: record, PartitionKey: &partition})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.SequenceNumber), nil
}
