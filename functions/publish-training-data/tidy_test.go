package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"recsys/shared/runtime/awsconfig"
	"recsys/shared/store/objectstore"
)

// deletions sees the context of each request that deletes, and may end it.
type deletions struct {
	inner     aws.HTTPClient
	deadlines []time.Time
	refuse    bool
}

func (d *deletions) Do(r *http.Request) (*http.Response, error) {
	if _, deletes := r.URL.Query()["delete"]; deletes {
		deadline, _ := r.Context().Deadline()
		d.deadlines = append(d.deadlines, deadline)
		if d.refuse {
			return nil, context.DeadlineExceeded
		}
	}
	return d.inner.Do(r)
}

// A run that has published says so in time, however much there is to remove.
func TestTidyingEndsBeforeTheCall(t *testing.T) {
	b := setup(t)
	b.KeepSnapshots = 1
	b.publish(t, b.run("a", 0), "published")
	b.prepare(t, b.run("b", 1), nil)
	seen := &deletions{inner: awsconfig.HTTPClient(nil), refuse: true}
	b.Lake = objectstore.New(awss3.New(awss3.Options{
		Region: "eu-central-1", HTTPClient: seen, BaseEndpoint: aws.String(b.server.URL()), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), RetryMaxAttempts: 1,
	}), "lake")
	deadline := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	if out, err := b.Handle(ctx, b.run("b", 1)); err != nil || out.Status != "published" {
		t.Errorf("out of time while tidying: %+v, %v", out, err)
	}
	seen.refuse = false
	if out, err := b.Handle(ctx, b.run("b", 1)); err != nil || out.Status != "published" {
		t.Errorf("the next attempt: %+v, %v", out, err)
	}
	if len(seen.deadlines) < 2 {
		t.Fatalf("%d requests deleted something", len(seen.deadlines))
	}
	for _, d := range seen.deadlines {
		if left := deadline.Sub(d); left < 20*time.Minute || left > 30*time.Minute {
			t.Errorf("a deletion may take until %v before the end of the call, want about half an hour", left)
		}
	}
	if left := b.runs(t); !slices.Equal(left, []string{"b"}) {
		t.Errorf("left: %s", strings.Join(left, ", "))
	}
}
