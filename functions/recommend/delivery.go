package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
)

// Limits of PutRecordBatch: https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
const (
	maxRecordBytes = 1_000 << 10
	maxCallRecords = 500
	// maxCallBytes is 4 MiB as base64, since AWS does not say whether it counts before or after.
	maxCallBytes = 3 << 20
)

const (
	maxAttempts = 5
	firstPause  = 100 * time.Millisecond // doubled with each attempt
)

// putter is the one call of Firehose that is needed.
type putter interface {
	PutRecordBatch(context.Context, *firehose.PutRecordBatchInput, ...func(*firehose.Options)) (*firehose.PutRecordBatchOutput, error)
}

// delivery hands lines to Firehose, call after call in the order of the batch.
type delivery struct {
	client  putter
	stream  string
	pause   time.Duration
	records []types.Record // of one call
	indexes []int          // of the entries that records are
}

// deliver delivers the lines of the entries, those without a line being done already. The entries before done
// are delivered. Firehose may take a later record of a call and fail an earlier one; then no further call is
// made, and what was taken after the first failure goes out again when Kinesis gives the batch again: at most
// one call's records, and under the same event id. Err says why the first one failed.
func (d *delivery) deliver(ctx context.Context, entries []entry) (done int, err error) {
	for done < len(entries) {
		next := d.fill(entries, done)
		if failed, err := d.call(ctx); err != nil {
			return failed, err
		}
		done = next
	}
	return done, nil
}

// fill prepares one call from the entries at start on, as many as the limits allow, and says where the next begins.
func (d *delivery) fill(entries []entry, start int) (next int) {
	d.records, d.indexes = d.records[:0], d.indexes[:0]
	size := 0
	for next = start; next < len(entries); next++ {
		e := &entries[next]
		if e.reason != "" {
			continue
		}
		if len(d.records) == maxCallRecords || len(d.records) > 0 && size+len(e.line) > maxCallBytes {
			break
		}
		size += len(e.line)
		d.records = append(d.records, types.Record{Data: e.line})
		d.indexes = append(d.indexes, next)
	}
	return next
}

// call delivers the records, trying again with those that failed. With an error, failed is the lowest entry
// that was not taken.
func (d *delivery) call(ctx context.Context) (failed int, err error) {
	for attempt := 1; len(d.records) > 0; attempt++ {
		err := d.try(ctx)
		if err == nil {
			return 0, nil
		}
		if attempt == maxAttempts || !d.wait(ctx, attempt) {
			return d.indexes[0], fmt.Errorf("delivering to %s, %d records left after %d attempts: %w",
				d.stream, len(d.records), attempt, err)
		}
		slog.WarnContext(ctx, "delivering again", "stream", d.stream, "attempt", attempt, "records", len(d.records), "error", err)
	}
	return 0, nil
}

// try puts the records once and keeps those that were not taken, in their order.
func (d *delivery) try(ctx context.Context) error {
	out, err := d.client.PutRecordBatch(ctx, &firehose.PutRecordBatchInput{DeliveryStreamName: &d.stream, Records: d.records})
	if err != nil {
		return err
	}
	if aws.ToInt32(out.FailedPutCount) == 0 {
		return nil
	}
	if len(out.RequestResponses) != len(d.records) {
		return errors.New("the answer does not fit the request")
	}
	kept := 0
	var code string
	for i := range out.RequestResponses {
		if out.RequestResponses[i].ErrorCode == nil {
			continue
		}
		if kept == 0 {
			code = *out.RequestResponses[i].ErrorCode
		}
		d.records[kept], d.indexes[kept] = d.records[i], d.indexes[i]
		kept++
	}
	d.records, d.indexes = d.records[:kept], d.indexes[:kept]
	if kept == 0 {
		return nil
	}
	return fmt.Errorf("records failed with %s", code)
}

// wait sleeps between attempts, with full jitter; false when the time left does not allow another one.
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
func (d *delivery) wait(ctx context.Context, attempt int) bool {
	longest := d.pause << attempt
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < longest {
		return false
	}
	timer := time.NewTimer(rand.N(longest))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
