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
	// maxCallBytes is 4 MiB in base64, because AWS does not say whether it counts before or after encoding.
	maxCallBytes = 3 << 20
)

const (
	maxAttempts = 5
	firstPause  = 100 * time.Millisecond // doubled with each attempt
)

// putter is the only call of Firehose that delivery makes.
type putter interface {
	PutRecordBatch(context.Context, *firehose.PutRecordBatchInput, ...func(*firehose.Options)) (*firehose.PutRecordBatchOutput, error)
}

// delivery hands lines to Firehose, call after call in the order of the batch.
type delivery struct {
	client  putter
	stream  string
	pause   time.Duration
	records []types.Record // of one call
	indexes []int          // the place of each record's outcome
}

// deliver delivers the lines of the outcomes, in their order. Outcomes without a line count as done. Those before done are
// delivered. Firehose may take a later record of a call and fail an earlier one. Then no further call is made, and Kinesis
// delivers the records after the first failure again: at most one call's records, under the same event ids. The error is the
// reason for the first failure.
func (d *delivery) deliver(ctx context.Context, outcomes []outcome) (done int, err error) {
	for done < len(outcomes) {
		next := d.fill(outcomes, done)
		if failed, err := d.call(ctx); err != nil {
			return failed, err
		}
		done = next
	}
	return done, nil
}

// fill prepares one call from the outcomes at start on, as many as the limits allow, and returns where the next one begins.
func (d *delivery) fill(outcomes []outcome, start int) (next int) {
	d.records, d.indexes = d.records[:0], d.indexes[:0]
	size := 0
	for next = start; next < len(outcomes); next++ {
		line := outcomes[next].line
		if line == nil {
			continue
		}
		if len(d.records) == maxCallRecords || len(d.records) > 0 && size+len(line) > maxCallBytes {
			break
		}
		size += len(line)
		d.records = append(d.records, types.Record{Data: line})
		d.indexes = append(d.indexes, next)
	}
	return next
}

// call delivers the records and tries again with those that failed. With an error, failed is the place of the first outcome
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

// try puts the records once and keeps those that Firehose did not take, in their order.
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

// wait sleeps between attempts, with full jitter. It reports false if the time that is left allows no other attempt.
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
