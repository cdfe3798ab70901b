package eventsource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"recsys/infra/local/aws/awscall"
)

const (
	eventPrefix, eventSuffix = `{"Records":[`, `]}`
	emptyEvent               = len(eventPrefix) + len(eventSuffix)
	// maxEvent is Lambda's limit for the payload of an invocation, in bytes.
	maxEvent = 6 << 20
)

// item is a record, encoded as it stands in an event.
type item struct {
	sequence string
	arrival  time.Time
	encoded  json.RawMessage
}

func (m *Mapping) streamARN() string {
	return fmt.Sprintf("arn:aws:kinesis:%s:%s:stream/%s", awscall.Region, awscall.Account, m.config.Stream)
}

func (s *shard) encode(record types.Record) (item, error) {
	var arrival time.Time
	if record.ApproximateArrivalTimestamp != nil {
		arrival = *record.ApproximateArrivalTimestamp
	}
	encoded, err := json.Marshal(events.KinesisEventRecord{
		AwsRegion: awscall.Region, EventID: s.id + ":" + *record.SequenceNumber,
		EventName: "aws:kinesis:record", EventSource: "aws:kinesis", EventSourceArn: s.mapping.streamARN(),
		EventVersion: "1.0", InvokeIdentityArn: awscall.RoleARN,
		Kinesis: events.KinesisRecord{
			ApproximateArrivalTimestamp: events.SecondsEpochTime{Time: arrival},
			Data:                        record.Data, EncryptionType: string(record.EncryptionType),
			PartitionKey: *record.PartitionKey, SequenceNumber: *record.SequenceNumber, KinesisSchemaVersion: "1.0",
		},
	})
	if err != nil {
		return item{}, fmt.Errorf("encoding record %s of shard %s: %w", *record.SequenceNumber, s.id, err)
	}
	return item{*record.SequenceNumber, arrival, encoded}, nil
}

// event is the function's payload for a batch: an events.KinesisEvent.
func event(batch []item) []byte {
	var payload bytes.Buffer
	payload.WriteString(eventPrefix)
	for i, item := range batch {
		if i > 0 {
			payload.WriteByte(',')
		}
		payload.Write(item.encoded)
	}
	payload.WriteString(eventSuffix)
	return payload.Bytes()
}
