package platform

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/google/uuid"

	"recsys/infra/local/aws/eventsource"
	"recsys/shared/contract/workflow"
	"recsys/shared/stream/unpack"
)

// Limits of PutRecords, https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html.
const (
	maxPutRecords = 500
	maxPutBytes   = 4 << 20 // of AWS's 5 MiB, keys and encoding aside
	maxRecord     = 1 << 20
)

// startMapping lets recommend answer the stream, with the options of the stack.
func (p *Platform) startMapping(ctx context.Context) error {
	feed := p.config.Options.Feed
	checkpoints, position, err := p.checkpoints()
	if err != nil {
		return err
	}
	mapping, err := eventsource.Start(context.WithoutCancel(ctx), eventsource.Config{
		Client: p.stream, Stream: ActivityStream, Checkpoints: checkpoints, StartingPosition: position,
		Invoke:    p.Lambda.Invoker(recommend),
		BatchSize: feed.BatchSize, MaximumBatchingWindow: seconds(feed.BatchWindowSeconds),
		ReportBatchItemFailures: true, BisectBatchOnFunctionError: workflow.BisectBatchOnFunctionError,
		MaximumRetryAttempts: &feed.MaxAttempts, MaximumRecordAge: seconds(feed.MaxRecordAgeSeconds),
		OnFailure: func(ctx context.Context, discarded eventsource.Discarded) error {
			_, err := p.Store(RecommendationsBucket).PutJSON(ctx, discarded.Key(), discarded)
			return err
		},
	})
	if err != nil {
		return err
	}
	p.Mapping = mapping
	p.onClose("the event source mapping", func() error { mapping.Close(); return nil })
	return nil
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// checkpoints are where the mapping goes on from. The private stream is kept with its checkpoints, so that records
// without an answer from an earlier start are answered. Without a checkpoint none of them is. A stream that somebody
// else keeps is answered from now on.
func (p *Platform) checkpoints() (eventsource.Checkpoints, types.ShardIteratorType, error) {
	if p.config.Environment.Kinesis != "" {
		return nil, types.ShardIteratorTypeLatest, nil
	}
	file, err := eventsource.OpenFile(p.path("checkpoints.json"))
	return file, types.ShardIteratorTypeTrimHorizon, err
}

// PutRecords puts lines on the activity stream, a Kinesis record each, without the empty ones. A gzip file or a KPL aggregate is
// one Kinesis record, as its producer would put it. It returns the ids of all events that will be answered, in their order.
func (c *Client) PutRecords(ctx context.Context, input io.Reader) (events []string, err error) {
	reader := bufio.NewReader(input)
	if start, _ := reader.Peek(packedMagic); unpack.IsPacked(start) {
		return c.putPacked(ctx, reader)
	}
	scanner := bufio.NewScanner(reader)
	scanner.Buffer(make([]byte, 64<<10), maxRecord+1)
	var batch [][]byte
	size, line := 0, 0
	flush := func() error {
		put, err := c.putBatch(ctx, batch)
		events, batch, size = append(events, put...), batch[:0], 0
		return err
	}
	for scanner.Scan() {
		line++
		data := bytes.Clone(bytes.TrimSpace(scanner.Bytes()))
		if len(data) == 0 {
			continue
		}
		if len(batch) == maxPutRecords || size+len(data) > maxPutBytes {
			if err := flush(); err != nil {
				return events, err
			}
		}
		batch, size = append(batch, data), size+len(data)
	}
	if err := scanner.Err(); errors.Is(err, bufio.ErrTooLong) {
		return events, fmt.Errorf("reading activity records: line %d is longer than 1 MiB", line+1)
	} else if err != nil {
		return events, fmt.Errorf("reading activity records, line %d: %w", line+1, err)
	}
	return events, flush()
}

// packedMagic is how many bytes unpack.IsPacked looks at.
const packedMagic = 4

func (c *Client) putPacked(ctx context.Context, input io.Reader) ([]string, error) {
	data, err := io.ReadAll(io.LimitReader(input, maxRecord+1))
	if err != nil {
		return nil, fmt.Errorf("reading activity records: %w", err)
	}
	if len(data) > maxRecord {
		return nil, errors.New("reading activity records: the file is packed and over 1 MiB, which is more than a Kinesis record holds: unpack it first")
	}
	return c.putBatch(ctx, [][]byte{data})
}

// putAttempts of a batch of which Kinesis refuses records, each after a longer pause: about six seconds in all.
const putAttempts = 6

// putBatch puts Kinesis records, those that Kinesis refused again, and returns the event ids of all records in them, in the
// batch's order.
func (c *Client) putBatch(ctx context.Context, data [][]byte) (events []string, err error) {
	batch := make([]types.PutRecordsRequestEntry, len(data))
	for i := range data {
		batch[i] = types.PutRecordsRequestEntry{Data: data[i], PartitionKey: aws.String(uuid.NewString())}
	}
	taken, err := c.putUntilTaken(ctx, batch)
	if err != nil {
		return nil, err
	}
	for i, record := range taken {
		parts := len(unpack.Record(data[i]))
		for part := range parts {
			events = append(events, unpack.EventID(record, part, parts))
		}
	}
	return events, nil
}

// putUntilTaken puts records until Kinesis has taken each, and returns their event ids.
func (c *Client) putUntilTaken(ctx context.Context, batch []types.PutRecordsRequestEntry) ([]string, error) {
	events := make([]string, len(batch))
	open := make([]int, len(batch)) // of batch, not put yet
	for i := range open {
		open[i] = i
	}
	pause := 200 * time.Millisecond
	for attempt := 1; len(open) > 0; attempt++ {
		refused, reason, err := c.putOpen(ctx, batch, open, events)
		if err != nil {
			return nil, fmt.Errorf("putting records on Kinesis: %w", err)
		}
		open = refused
		if len(open) == 0 {
			break
		}
		if attempt == putAttempts {
			return nil, fmt.Errorf("putting records on Kinesis: %d of %d refused, the last with %s", len(open), len(batch), reason)
		}
		select {
		case <-time.After(pause):
			pause *= 2
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return events, nil
}

// putOpen puts the records of batch that are open, notes the event ids of those that are taken, and returns the others.
func (c *Client) putOpen(ctx context.Context, batch []types.PutRecordsRequestEntry, open []int, events []string) (refused []int, reason string, err error) {
	records := make([]types.PutRecordsRequestEntry, 0, len(open))
	for _, i := range open {
		records = append(records, batch[i])
	}
	out, err := c.stream.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: aws.String(ActivityStream), Records: records})
	if err != nil {
		return nil, "", err
	}
	if len(out.Records) != len(open) {
		return nil, "", fmt.Errorf("%d records are answered with %d", len(open), len(out.Records))
	}
	for n, i := range open {
		answer := out.Records[n]
		if answer.ErrorCode != nil {
			refused, reason = append(refused, i), *answer.ErrorCode+": "+aws.ToString(answer.ErrorMessage)
			continue
		}
		events[i] = aws.ToString(answer.ShardId) + ":" + aws.ToString(answer.SequenceNumber)
	}
	return refused, reason, nil
}
