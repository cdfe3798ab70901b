package main

import (
	"context"
	"errors"
	"testing"

	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"

	"recsys/shared/contract/failure"
)

// silent is a Glue that does not answer in time.
type silent struct{ GlueAPI }

func (silent) UpdateTable(context.Context, *awsglue.UpdateTableInput, ...func(*awsglue.Options)) (*awsglue.UpdateTableOutput, error) {
	return nil, context.DeadlineExceeded
}

// The snapshot is whole and the pointer names it. The next attempt brings the table up to it.
func TestAPublicationWithoutGlueFailsByName(t *testing.T) {
	b := setup(t)
	b.prepare(t, b.run("a", 0), nil)
	mute := b.Handler
	mute.Catalog.Glue = silent{b.api}
	if _, err := mute.Handle(t.Context(), b.run("a", 0)); !errors.Is(err, failure.CatalogUnavailable) {
		t.Errorf("got %v", err)
	}
	if out, err := b.Handle(t.Context(), b.run("a", 0)); err != nil || out.Status != "published" {
		t.Errorf("the next attempt: %+v, %v", out, err)
	}
	b.visible(t, "a")
}
