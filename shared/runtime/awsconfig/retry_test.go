package awsconfig

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	firehosetypes "github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// The answers of three services, whole.
const (
	listed = `<?xml version="1.0"?><ListBucketResult><Name>lake</Name><Contents><Key>a</Key></Contents></ListBucketResult>`
	put    = `{"FailedPutCount":0,"RequestResponses":[{"RecordId":"1"}]}`
	table  = `{"Table":{"Name":"ratings"}}`
)

// The SDK makes a call again that was not answered, and then one that was answered half. The third answer is whole.
func TestTheSDKTriesAgainAfterSilence(t *testing.T) {
	name := aws.String("ratings")
	for service, test := range map[string]struct {
		answer string
		call   func(context.Context, aws.Config) (seen bool, err error)
	}{
		"S3": {listed, func(ctx context.Context, cfg aws.Config) (bool, error) {
			out, err := s3.NewFromConfig(cfg).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: name})
			return err == nil && len(out.Contents) == 1, err
		}},
		"Glue": {table, func(ctx context.Context, cfg aws.Config) (bool, error) {
			out, err := glue.NewFromConfig(cfg).GetTable(ctx, &glue.GetTableInput{DatabaseName: name, Name: name})
			return err == nil && aws.ToString(out.Table.Name) == *name, err
		}},
		"Glue, changed": {`{}`, func(ctx context.Context, cfg aws.Config) (bool, error) {
			_, err := glue.NewFromConfig(cfg).UpdateTable(ctx, &glue.UpdateTableInput{
				DatabaseName: name, TableInput: &gluetypes.TableInput{Name: name}})
			return err == nil, err
		}},
		"Firehose": {put, func(ctx context.Context, cfg aws.Config) (bool, error) {
			out, err := firehose.NewFromConfig(cfg).PutRecordBatch(ctx, &firehose.PutRecordBatchInput{
				DeliveryStreamName: name, Records: []firehosetypes.Record{{Data: []byte("{}")}}})
			return err == nil && len(out.RequestResponses) == 1, err
		}},
	} {
		t.Run(service, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int32
				client, stop := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					switch calls.Add(1) {
					case 1:
						hang(r)
					case 2:
						_, _ = io.WriteString(flushed{w}, test.answer[:len(test.answer)/2])
						hang(r)
					default:
						_, _ = io.WriteString(w, test.answer)
					}
				})
				defer stop()
				cfg := aws.Config{
					Region: "eu-central-1", BaseEndpoint: aws.String("http://127.0.0.1"), HTTPClient: client,
					Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
				}
				began := time.Now()
				seen, err := test.call(t.Context(), cfg)
				if err != nil || !seen || calls.Load() != 3 {
					t.Errorf("the answer was seen: %t, after %d calls, %v", seen, calls.Load(), err)
				}
				// Two silences, and the SDK's backoff of up to 20 s before each further attempt.
				if took := time.Since(began); took < 20*time.Second || took > time.Minute {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
