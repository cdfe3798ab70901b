package objectstore_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"recsys/shared/store/objectstore"
)

// A million customers are a million puts under a new prefix: S3 refuses many of the first. None of them is given up early.
func TestAThrottledClientBearsMoreRefusalsThanTheSDKsQuota(t *testing.T) {
	var options s3.Options
	objectstore.Throttled(&options)
	slowDown := &smithy.GenericAPIError{Code: "SlowDown"}
	if got := options.Retryer.MaxAttempts(); got != 10 || !options.Retryer.IsErrorRetryable(slowDown) {
		t.Fatalf("%d attempts, SlowDown retried: %v", got, options.Retryer.IsErrorRetryable(slowDown))
	}
	for range 1000 {
		if _, err := options.Retryer.GetRetryToken(t.Context(), slowDown); err != nil {
			t.Fatal(err)
		}
	}
}
