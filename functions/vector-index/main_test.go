package main

import (
	"strings"
	"testing"
)

// A function starts while its database is away, and says which setting is wrong.
func TestWire(t *testing.T) {
	for name, value := range map[string]string{
		"ARTIFACTS_BUCKET": "artifacts",
		"VECTOR_STORE_URL": "postgres://recsys_loader@127.0.0.1:1/recsys", "AWS_REGION": "eu-central-1",
	} {
		t.Setenv(name, value)
	}
	handler, err := wire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	handler.DB.Close()
	for _, wrong := range [][2]string{{"RECALL_TARGET", "1.5"}, {"VECTOR_STORE_URL", "postgres://%zz"}, {"ARTIFACTS_BUCKET", ""}} {
		t.Run(wrong[0], func(t *testing.T) {
			t.Setenv(wrong[0], wrong[1])
			if _, err := wire(t.Context()); err == nil || !strings.Contains(err.Error(), wrong[0]) {
				t.Errorf("%s=%q: %v", wrong[0], wrong[1], err)
			}
		})
	}
}
