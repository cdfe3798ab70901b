package main

import (
	"context"
	"errors"

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

// putter is the only call of Firehose that delivery makes.
type putter interface {
	PutRecordBatch(context.Context, *firehose.PutRecordBatchInput, ...func(*firehose.Options)) (*firehose.PutRecordBatchOutput, error)
}

// firehoseDoor puts lines on a delivery stream.
type firehoseDoor struct {
	client putter
	stream string
}

// toFirehose makes one call at a time, so that the stream has the lines in their order.
func toFirehose(client putter, stream string) *delivery {
	return &delivery{door: firehoseDoor{client, stream}, to: "Firehose's stream " + stream, pause: firstPause,
		limits: limits{lineBytes: maxRecordBytes, lines: maxCallRecords, bytes: maxCallBytes, atOnce: 1}}
}

func (f firehoseDoor) put(ctx context.Context, lines [][]byte) (refused []int, reason string, err error) {
	records := make([]types.Record, len(lines))
	for i, line := range lines {
		records[i].Data = line
	}
	out, err := f.client.PutRecordBatch(ctx, &firehose.PutRecordBatchInput{DeliveryStreamName: &f.stream, Records: records})
	if err != nil || aws.ToInt32(out.FailedPutCount) == 0 {
		return nil, "", err
	}
	if len(out.RequestResponses) != len(lines) {
		return nil, "", errors.New("the answer does not fit the request")
	}
	codes := make([]*string, len(lines))
	for i := range out.RequestResponses {
		codes[i] = out.RequestResponses[i].ErrorCode
	}
	refused, reason = refusals(codes)
	return refused, reason, nil
}
