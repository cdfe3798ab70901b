package main

import (
	"errors"
	"strings"
	"testing"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
)

// A customer in two ranges has lost the rows of one: the snapshot must not be published.
func TestACustomerInTwoRangesIsRefused(t *testing.T) {
	if err := once([]lake.Partition{{CustomerNumber: -1}, {CustomerNumber: 7}, {CustomerNumber: 8}}); err != nil {
		t.Error(err)
	}
	err := once([]lake.Partition{{CustomerNumber: 6}, {CustomerNumber: 7, Rows: 1}, {CustomerNumber: 7, Rows: 2}})
	if !errors.Is(err, failure.SchemaMismatch) || !strings.Contains(err.Error(), "customer 7 ") {
		t.Errorf("error %v, want SchemaMismatch that names customer 7", err)
	}
}
