// Package sourcesize compares the size of the shop's database with the active snapshot. So a database that was
// emptied by accident does not replace it. plan-extract compares its counts before the costly steps, and
// publish-training-data compares the snapshot that it would publish.
package sourcesize

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"recsys/shared/contract/failure"
	"recsys/shared/contract/lake"
	"recsys/shared/store/objectstore"
)

// Rule says how far a source may shrink from run to run.
type Rule struct {
	Share  float64 // the part of the active snapshot's ratings, customers and products that must still be there, 0 to 1
	Accept bool    // this run may publish less
}

// Active reads the pointer to the active snapshot. It is the zero value if there is none.
func Active(ctx context.Context, store *objectstore.Store) (active lake.Latest, err error) {
	_, err = store.GetJSON(ctx, lake.LatestKey, lake.MaxLatest, &active)
	if errors.Is(err, objectstore.ErrNotFound) {
		err = nil
	}
	return active, err
}

// Check compares a source with the active snapshot. It returns the basis of the comparison in words. The error is
// failure.SourceShrank, with each number that fell short. Only snapshots of the same source and the same shop file are compared.
func (r Rule) Check(now lake.Size, active lake.Latest) (comparison string, err error) {
	switch before := active.Size(); {
	case active.Snapshot == "":
		return "none: no snapshot before", nil
	case before.Source == "":
		return "none: snapshot " + active.Snapshot + " names no source", nil
	case before.Source != now.Source:
		return "none: snapshot " + active.Snapshot + " is of another source", nil
	case before.Shop != now.Shop:
		return "none: the shop file has changed since snapshot " + active.Snapshot, nil
	default:
		return r.compare(now, before, active.Snapshot)
	}
}

func (r Rule) compare(now, before lake.Size, snapshot string) (comparison string, err error) {
	var short []string
	for _, count := range []struct {
		what        string
		now, before int64
	}{
		{"ratings", now.Rows, before.Rows},
		{"customers with ratings", now.Customers, before.Customers},
		{"products", now.Products, before.Products},
	} {
		if float64(count.now) < r.Share*float64(count.before) {
			short = append(short, fmt.Sprintf("%d %s instead of %d", count.now, count.what, count.before))
		}
	}
	switch {
	case len(short) == 0:
		return "compared with snapshot " + snapshot, nil
	case r.Accept:
		return "accepted: " + strings.Join(short, ", "), nil
	}
	return "", failure.SourceShrank.Errorf(
		"the source has %s, which is less than the share %v of the active snapshot %s, which stays: look at the source, or start a run with the input {\"acceptShrunkSource\":true}",
		strings.Join(short, ", "), r.Share, snapshot)
}
