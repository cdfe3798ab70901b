// Package s3test gives a test a bucket of its own on a local S3.
//
// It writes to the test's temporary folder only.
package s3test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"recsys/infra/local/aws/s3"
	"recsys/infra/local/testbed"
	"recsys/shared/runtime/awsconfig"
	"recsys/shared/store/objectstore"
)

// ForTest starts a server with one empty bucket. It is stopped and removed with tb.
func ForTest(tb testing.TB, bucket string) (*objectstore.Store, *s3.Server) {
	tb.Helper()
	stores, server := Buckets(tb, bucket)
	return stores[0], server
}

// Buckets is ForTest with several buckets.
func Buckets(tb testing.TB, names ...string) ([]*objectstore.Store, *s3.Server) {
	tb.Helper()
	server, err := s3.Start(tb.Context(), s3.Config{Dir: testbed.TempDir(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = server.Close() })
	client := awss3.New(awss3.Options{
		Region: "eu-central-1", HTTPClient: awsconfig.HTTPClient(nil), BaseEndpoint: aws.String(server.URL()), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	stores := make([]*objectstore.Store, len(names))
	for i, name := range names {
		if err := server.CreateBucket(name); err != nil {
			tb.Fatal(err)
		}
		stores[i] = objectstore.New(client, name)
	}
	return stores, server
}
