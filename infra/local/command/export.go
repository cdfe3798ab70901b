package main

import (
	"encoding/json"
	"fmt"

	"recsys/infra/local/platform"
	"recsys/shared/contract/lake"
	"recsys/shared/contract/workflow"
)

// exported says where the lists are that a run has exported.
func (o options) exported(c *console, run string, output json.RawMessage) error {
	var ended struct{ Export workflow.Exported }
	if err := json.Unmarshal(output, &ended); err != nil {
		return fmt.Errorf("reading the execution's output: %w", err)
	}
	if e := ended.Export; e.Status == "published" {
		c.say("Export of version %d: lists of %s customers and %s products", e.Version, grouped(e.Customers), grouped(e.Products))
		c.say("  files: %s", o.object(platform.LakeBucket, lake.ExportPrefix(run)))
	}
	return nil
}
