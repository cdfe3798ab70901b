package main

import (
	"testing"

	"recsys/infra/local/testbed"
)

// A function starts while its database is away, and says which setting is wrong.
func TestWire(t *testing.T) {
	testbed.Wire(t, map[string]string{
		"ARTIFACTS_BUCKET": "artifacts", "LAKE_BUCKET": "lake", "VECTOR_STORE_URL": "postgres://recsys_loader@127.0.0.1:1/recsys",
	}, map[string]string{"METRIC": "hamming", "VECTOR_STORE_URL": "postgres://%zz", "ARTIFACTS_BUCKET": ""}, func() error {
		handler, err := wire(t.Context())
		if err == nil {
			handler.DB.Close()
		}
		return err
	})
}
