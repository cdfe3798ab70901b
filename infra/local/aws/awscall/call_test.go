package awscall_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"recsys/infra/local/aws/awscall"
)

func TestCallerOf(t *testing.T) {
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if got := awscall.CallerOf(request); got != (awscall.Caller{}) {
		t.Errorf("unsigned: %+v", got)
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=partition-write/20261123/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=00")
	request.Header.Set("X-Amz-Security-Token", "partition-write/7")
	if got := awscall.CallerOf(request); got != (awscall.Caller{AccessKeyID: "partition-write", SessionToken: "partition-write/7"}) {
		t.Errorf("signed: %+v", got)
	}
}
