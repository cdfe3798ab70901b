package main

import (
	"bytes"
	"errors"
	"testing"

	"recsys/infra/local/testbed/s3test"
	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/runshop"
	"recsys/shared/shop/shopfile"
)

// A shop in files is parted here. Another attempt answers with the plan, and one with other files is refused.
func TestAShopInFilesIsParted(t *testing.T) {
	store, _ := s3test.ForTest(t, "lake")
	shop, err := shopfile.Parse([]byte("interactions: {clicks: {type: view, files: \"*.csv\"}}"), "clicks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	give := func(content string) {
		if _, err := store.Put(t.Context(), lake.SourcePrefix+"clicks.csv", bytes.NewReader([]byte(content))); err != nil {
			t.Fatal(err)
		}
	}
	give("customer,product\nb,1\na,1\nc,2\nd,2\n")
	h := Handler{Shop: shop, Identity: "files", Lake: store, RowsPerRange: 2, MaxConcurrency: 1}
	run := event(t)
	plan, err := h.Handle(t.Context(), run)
	if err != nil || len(plan.Ranges) != 2 || plan.EstimatedRows != 4 || plan.Source != "files" {
		t.Fatalf("planned %+v, %v", plan, err)
	}
	resolved, err := runshop.Read(t.Context(), store, run.ID)
	if err != nil || resolved.Customer.Type != shape.Text || resolved.Layout != shape.ByRange || resolved.Source.Fingerprint == "" {
		t.Errorf("the shop is %+v, %v", resolved, err)
	}
	for _, span := range plan.Ranges {
		if _, err := store.Head(t.Context(), lake.RawKey(run.ID, "ratings", span.Index)); err != nil {
			t.Error(err)
		}
	}
	if again, err := h.Handle(t.Context(), run); err != nil || len(again.Ranges) != 2 {
		t.Errorf("again: %+v, %v", again, err)
	}
	if _, err := store.DeletePrefix(t.Context(), lake.PlanKey(run.ID)); err != nil {
		t.Fatal(err)
	}
	give("customer,product\nb,1\n")
	if _, err := h.Handle(t.Context(), run); !errors.Is(err, failure.SchemaMismatch) {
		t.Errorf("with other files: %v", err)
	}
}
