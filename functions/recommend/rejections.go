package main

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"recsys/shared/contract/lake"
	"recsys/shared/store/objectstore"
)

// rejections stores the records that can never succeed, each with its reason, so that they do not hold the shard.
type rejections struct {
	bucket *objectstore.Store
}

// rejection is the content of rejected/<shard>/<sequence number>.json, or <sequence number>-<index>.json if the Kinesis record
// holds several activity records. It is the same whenever the record comes again.
type rejection struct {
	EventID    string    `json:"event_id"`
	Reason     string    `json:"reason"`
	ArrivedAt  time.Time `json:"arrived_at"`
	Partition  string    `json:"partition_key"`
	Payload    string    `json:"payload,omitempty"`        // the record, where it is text
	PayloadRaw []byte    `json:"payload_base64,omitempty"` // the record, where it is not
}

const rejectionPuts = 32 // at once

// store puts the entries that are rejected. The outcomes before storable are fine. The error is that of the one there.
func (r *rejections) store(ctx context.Context, outcomes []outcome) (storable int, err error) {
	errs := make([]error, len(outcomes))
	var puts errgroup.Group
	puts.SetLimit(rejectionPuts)
	for i := range outcomes {
		if outcomes[i].reason != "" {
			puts.Go(func() error {
				errs[i] = r.put(ctx, outcomes[i].entry, outcomes[i].reason)
				return nil
			})
		}
	}
	_ = puts.Wait() // its errors are in errs
	for i, err := range errs {
		if err != nil {
			return i, err
		}
	}
	return len(outcomes), nil
}

func (r *rejections) put(ctx context.Context, e *entry, reason string) error {
	shard, place, _ := strings.Cut(e.id, ":")
	kinesis := &e.event.Kinesis
	content := rejection{EventID: e.id, Reason: reason, ArrivedAt: kinesis.ApproximateArrivalTimestamp.UTC(),
		Partition: cmp.Or(e.partition, kinesis.PartitionKey)}
	if utf8.Valid(e.data) {
		content.Payload = string(e.data)
	} else {
		content.PayloadRaw = e.data
	}
	if _, err := r.bucket.PutJSON(ctx, lake.RejectedKey(shard, place), content); err != nil {
		return err
	}
	slog.WarnContext(ctx, "record rejected", "event_id", e.id, "reason", reason)
	return nil
}
